package haproxy

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// use is an engine with the filter lines that load it.
type use struct {
	engine  *engine
	filters []filter
}

// chooseEngine returns the engines, and which one asks the agent.
func chooseEngine(a *Agent, cfg *configuration, s Sources, r *reader) (uses []use, chosen int, err error) {
	all := cfg.filters()
	if len(all) == 0 {
		return nil, 0, errNoSPOE
	}
	var refused error
	for _, f := range all {
		e, err := loadEngine(cfg, f, s, r)
		if err != nil {
			switch {
			case s.Engine != "" && f.engine != "" && f.engine != s.Engine: // its file need not be at hand
			case s.SPOE == "":
				return nil, 0, err
			default: // it may be in another file
				refused = err
			}
			continue
		}
		i := slices.IndexFunc(uses, func(o use) bool { return o.engine.name == e.name && o.engine.file == e.file })
		if i < 0 {
			uses = append(uses, use{engine: e})
			i = len(uses) - 1
		}
		uses[i].filters = append(uses[i].filters, f)
	}
	switch {
	case s.Engine != "":
		chosen = slices.IndexFunc(uses, func(u use) bool { return u.engine.id() == s.Engine })
		if chosen < 0 && refused == nil {
			refused = fmt.Errorf("haproxy: no filter line has the engine %q", s.Engine)
		}
	case len(uses) > 1:
		if chosen = mostKnown(a, uses); chosen < 0 {
			var names []string
			for _, u := range uses {
				names = append(names, u.engine.id())
			}
			refused = fmt.Errorf("haproxy: there are several engines, and it is not clear which one asks this agent: name one of %v", names)
		}
	case len(uses) == 0:
		chosen = -1
	}
	if chosen < 0 {
		return nil, 0, refused
	}
	return uses, chosen, nil
}

// mostKnown returns which engine sends the most messages that the agent handles,
// or -1 if there is none, or more than one.
func mostKnown(a *Agent, uses []use) int {
	best, most := -1, 0
	for i, u := range uses {
		known := 0
		for _, m := range u.engine.messages {
			if a.message(m.name) != nil {
				known++
			}
		}
		switch {
		case known > most:
			best, most = i, known
		case known == most:
			best = -1
		}
	}
	return best
}

// loadEngine reads the SPOE file of a filter line.
func loadEngine(cfg *configuration, f filter, s Sources, r *reader) (*engine, error) {
	candidates := []string{s.SPOE}
	if s.SPOE == "" {
		candidates = cfg.candidates(f)
	}
	for _, name := range candidates {
		if _, err := os.Stat(name); err != nil {
			continue
		}
		lines, err := r.read(name)
		if err != nil {
			return nil, err
		}
		return parseEngine(f.engine, name, lines)
	}
	return nil, fmt.Errorf("haproxy: %s:%d: the SPOE file is not there: looked for %s", f.at.file, f.at.line, strings.Join(slices.Compact(candidates), ", "))
}
