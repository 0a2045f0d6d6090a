package haproxy

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
)

// The kinds of findings, as Finding.Code has them.
const (
	MessageUnhandled    = "message-unhandled"     // a message that nobody handles
	MessageUncalled     = "message-uncalled"      // a handler whose message is never sent
	EventAndGroup       = "event-and-group"       // a message with an event, in a group
	ArgumentMissing     = "argument-missing"      // required, but not sent
	ArgumentUnknown     = "argument-unknown"      // sent, but not read
	ArgumentType        = "argument-type"         // sent as what cannot be bound
	VariableUnknown     = "variable-unknown"      // set by the agent, but nowhere in the configuration
	VariableNeverSet    = "variable-never-set"    // read by a rule, but nobody sets it
	VariableTooLong     = "variable-too-long"     // over 63 bytes with scope and prefix
	VariableSetLater    = "variable-set-later"    // read by an event, but set by a rule that comes later
	DeadlineTooLong     = "deadline-too-long"     // the agent's deadline is not below timeout processing
	NoProcessingTimeout = "no-processing-timeout" // no timeout processing
	BodyNotBuffered     = "body-not-buffered"     // a body is sent that HAProxy has not waited for
	BufferTooSmall      = "buffer-too-small"      // tune.bufsize is less than a handler asks for
	NoHealthCheck       = "no-health-check"       // the agents' servers are not checked, or not over SPOP
	NoSetOnError        = "no-set-on-error"       // no variable says that no answer came
)

// Check compares HAProxy's configuration with an agent and returns what does not
// fit, in the order of files and lines. What HAProxy itself refuses or warns of is
// left to `haproxy -c`. The error is about files that cannot be read.
//
// A configuration with several engines is checked for the one that sends messages
// of the agent's; several filter lines of that engine are all checked.
func Check(a Agent, s Sources) ([]Finding, error) {
	r, err := newReader(s)
	if err != nil {
		return nil, err
	}
	if len(s.Configs) == 0 {
		return nil, errors.New("haproxy: there is no haproxy.cfg to check: name one")
	}
	var cfg configuration
	for _, name := range s.Configs {
		names, err := files(name)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			lines, err := r.read(name)
			if err != nil {
				return nil, err
			}
			cfg.parse(lines)
		}
	}
	filters, e, err := chooseEngine(&a, &cfg, s, r)
	if err != nil {
		return nil, err
	}
	c := &checker{agent: &a, cfg: &cfg, engine: e, filters: filters}
	c.check()
	slices.SortStableFunc(c.findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
	return c.findings, nil
}

// chooseEngine returns the engine that asks the agent, and its filter lines.
func chooseEngine(a *Agent, cfg *configuration, s Sources, r *reader) ([]filter, *engine, error) {
	all := cfg.filters()
	if len(all) == 0 {
		return nil, nil, errNoSPOE
	}
	var engines []*engine
	var of [][]filter
	for _, f := range all {
		if s.Engine != "" && f.engine != s.Engine && f.engine != "" {
			continue
		}
		e, err := loadEngine(cfg, f, s, r)
		if err != nil {
			return nil, nil, err
		}
		if s.Engine != "" && f.engine == "" && e.head.after("spoe-agent") != s.Engine {
			continue // an engine without a name has its agent's
		}
		i := slices.IndexFunc(engines, func(o *engine) bool { return o.name == e.name && o.file == e.file })
		if i < 0 {
			engines, of = append(engines, e), append(of, nil)
			i = len(engines) - 1
		}
		of[i] = append(of[i], f)
	}
	switch {
	case len(engines) == 0:
		return nil, nil, fmt.Errorf("haproxy: no filter line has the engine %q", s.Engine)
	case len(engines) == 1:
		return of[0], engines[0], nil
	}
	var names []string
	best, most := -1, 0
	for i, e := range engines {
		names = append(names, e.name)
		known := 0
		for _, m := range e.messages {
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
	if best < 0 {
		return nil, nil, fmt.Errorf("haproxy: there are several engines, and it is not clear which one asks this agent: name one of %v", names)
	}
	return of[best], engines[best], nil
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
	return nil, fmt.Errorf("haproxy: %s:%d: the SPOE file is not there: %v", f.at.file, f.at.line, candidates)
}

// checker has what the checks need. Each check is a method in a file of its own.
type checker struct {
	agent    *Agent
	cfg      *configuration
	engine   *engine
	filters  []filter
	findings []Finding
}

func (c *checker) check() {
	c.checkAgent()
	c.checkMessages()
	for _, m := range c.engine.messages {
		known := c.agent.message(m.name)
		if known == nil || len(c.sendings(m)) == 0 {
			continue
		}
		c.checkArgs(m, known)
		c.checkOrder(m)
		c.checkBody(m)
		c.checkBuffer(m, known)
	}
	c.checkVars()
	c.checkBackend()
}

// find adds a finding, once: an engine may be loaded by several filter lines.
func (c *checker) find(code string, at directive, problem, effect, mend string) {
	f := Finding{Code: code, File: at.file, Line: at.line, Problem: problem, Effect: effect, Mend: mend}
	if !slices.Contains(c.findings, f) {
		c.findings = append(c.findings, f)
	}
}
