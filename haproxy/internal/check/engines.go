package check

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// loadedEngine is an engine with the filter lines that load it.
type loadedEngine struct {
	engine  *syntax.Engine
	filters []syntax.Filter
}

// chooseEngines returns the engines, and which of them ask the agent.
func chooseEngines(a *model.Agent, cfg *syntax.Configuration, s Sources, r *syntax.Reader) (engines []loadedEngine, chosen []int, err error) {
	all := cfg.Filters()
	if len(all) == 0 {
		return nil, nil, errNoSPOE
	}
	var refused error
	for _, f := range all {
		e, err := loadEngine(cfg, f, s, r)
		if err != nil {
			switch {
			case s.Engine != "" && f.Engine != "" && f.Engine != s.Engine: // its file may be elsewhere
			case s.SPOE == "":
				return nil, nil, err
			default: // it may be in another file
				refused = err
			}
			continue
		}
		i := slices.IndexFunc(engines, func(o loadedEngine) bool { return o.engine.Name == e.Name && o.engine.File == e.File })
		if i < 0 {
			engines = append(engines, loadedEngine{engine: e})
			i = len(engines) - 1
		}
		engines[i].filters = append(engines[i].filters, f)
	}
	best := 0
	switch {
	case s.Engine != "":
		best = slices.IndexFunc(engines, func(u loadedEngine) bool { return u.engine.ID() == s.Engine })
		if best < 0 && refused == nil {
			refused = fmt.Errorf("haproxy: no filter line has the engine %q", s.Engine)
		}
	case len(engines) > 1:
		best = mostKnown(a, engines)
		for i, u := range engines {
			if i == best || knowsAll(a, u.engine) {
				chosen = append(chosen, i)
			}
		}
		if len(chosen) > 0 {
			return engines, chosen, nil
		}
		var names []string
		for _, u := range engines {
			names = append(names, u.engine.ID())
		}
		refused = fmt.Errorf("haproxy: there are several engines, and any of them may ask this agent: name one of %v", names)
	case len(engines) == 0:
		best = -1
	}
	if best < 0 {
		return nil, nil, refused
	}
	chosen = []int{best}
	for i, u := range engines { // the agent's routes may name other engines, too
		if i != best && slices.ContainsFunc(a.Messages, func(m model.Message) bool { return m.Engine != "" && m.Engine == u.engine.ID() }) ||
			i != best && u.engine.ID() == s.Engine+"-groups" { // as Write names it before HAProxy 2.5
			chosen = append(chosen, i)
		}
	}
	slices.Sort(chosen)
	return engines, chosen, nil
}

// knowsAll reports whether an agent handles each message of an engine.
func knowsAll(a *model.Agent, e *syntax.Engine) bool {
	for _, m := range e.Messages {
		if a.Message(m.Name) == nil {
			return false
		}
	}
	return len(e.Messages) > 0
}

// mostKnown returns which engine sends the most messages that the agent handles,
// or -1 if there is none, or more than one.
func mostKnown(a *model.Agent, engines []loadedEngine) int {
	best, most := -1, 0
	for i, u := range engines {
		known := 0
		for _, m := range u.engine.Messages {
			if a.Message(m.Name) != nil {
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
func loadEngine(cfg *syntax.Configuration, f syntax.Filter, s Sources, r *syntax.Reader) (*syntax.Engine, error) {
	candidates := []string{s.SPOE}
	if s.SPOE == "" {
		candidates = cfg.Candidates(f)
	}
	for _, name := range candidates {
		if _, err := os.Stat(name); err != nil {
			continue
		}
		lines, err := r.Read(name)
		if err != nil {
			return nil, err
		}
		return syntax.ParseEngine(f.Engine, name, lines)
	}
	return nil, fmt.Errorf("haproxy: %s:%d: the SPOE file does not exist: %s", f.At.File, f.At.Line, strings.Join(slices.Compact(candidates), ", "))
}
