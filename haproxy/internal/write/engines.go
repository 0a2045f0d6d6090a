package write

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// Engine overrides Config for one of several engines.
type Engine struct {
	// Prefix follows the scope in the names of the engine's variables. Default: the
	// engine's name, with '_' for characters that such names cannot have.
	Prefix string
	// Processing is the engine's `timeout processing`. Default: as in Config, from
	// the deadlines of the engine's own messages.
	Processing time.Duration
	// FailOpen lets requests pass that this engine's agent did not answer, although
	// Config.FailClosed is set.
	FailOpen bool
}

// engine is an SPOE engine: its messages, and the Config with its own values.
type engine struct {
	agent  model.Agent
	config Config
}

// inFrontend reports whether the frontend loads the engine. Backends load an engine
// that only their rules use.
func (e *engine) inFrontend() bool {
	return !slices.ContainsFunc(e.agent.Messages, func(m model.Message) bool { return m.Group != "" && inBackend(m.On()) })
}

// engines returns the engines that the routes name, that of Config first. Up to HAProxy
// 2.4.0 an engine that has events and groups asks in an endless loop, so the groups
// then have a separate engine.
func (c Config) engines(a model.Agent) ([]engine, error) {
	var all []engine
	var errs []error
	keepApart := c.before(2, 5)
	find := func(name, prefixOf string) *engine {
		i := slices.IndexFunc(all, func(e engine) bool { return e.config.Engine == name })
		if i >= 0 {
			return &all[i]
		}
		e := engine{agent: model.Agent{Any: a.Any, FailureVar: a.FailureVar}, config: c}
		e.config.Engine = name
		own, ok := c.Engines[prefixOf]
		switch {
		case own.Prefix != "":
			e.config.Prefix = own.Prefix
		case prefixOf != c.Engine:
			e.config.Prefix = toPrefix(prefixOf)
		}
		if ok {
			e.config.FailClosed = c.FailClosed && !own.FailOpen
			if own.Processing != 0 {
				e.config.Processing = own.Processing
			}
		}
		all = append(all, e)
		return &all[len(all)-1]
	}
	for _, m := range a.Messages {
		name := m.Engine
		setDefault(&name, c.Engine)
		engineOf := name
		if keepApart && m.Group != "" && slices.ContainsFunc(a.Messages, func(o model.Message) bool {
			return (o.Engine == m.Engine || o.Engine == name) && o.Group == ""
		}) {
			name += "-groups"
		}
		e := find(name, engineOf)
		e.agent.Messages = append(e.agent.Messages, m)
	}
	if i := slices.IndexFunc(all, func(e engine) bool { return e.config.Engine == c.Engine }); i > 0 {
		first := all[i]
		all = slices.Insert(slices.Delete(all, i, i+1), 0, first)
	}
	for name := range c.Engines {
		if !slices.ContainsFunc(a.Messages, func(m model.Message) bool { return m.Engine == name || m.Engine == "" && name == c.Engine }) {
			errs = append(errs, fmt.Errorf("haproxy: Config.Engines has %q, which no route names", name))
		}
	}
	for i := range all {
		errs = append(errs, all[i].complete(len(all) > 1))
	}
	slices.SortFunc(errs, func(x, y error) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	return all, errors.Join(errs...)
}

// complete sets the engine's times; the error names the wrong one.
func (e *engine) complete(several bool) error {
	c := &e.config
	var errs []error
	where := ""
	if several {
		where = fmt.Sprintf(" for the engine %q", c.Engine)
	}
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("haproxy: "+format, args...)) }
	if r, ok := syntax.Refused(c.Prefix, ""); ok {
		wrong("Config.Prefix %q has the character %q: use letters, digits, '.' and '_', as names of variables have no others", c.Prefix, r)
	}
	if full := c.fullName("txn", processTimeVar); len(full) > codec.MaxVarName {
		wrong(tooLong, full, len(full), codec.MaxVarName)
	}
	deadline := model.LongestDeadline(&e.agent)
	switch {
	case max(c.Processing, deadline) > syntax.MaxTime/2:
		wrong("a deadline of %v is too long for HAProxy: make Config.Processing %v at most, and the middleware's timeout shorter", max(c.Processing, deadline), syntax.MaxTime/2)
	case c.Processing < 0 || c.Processing > 0 && c.Processing <= deadline:
		wrong("Config.Processing is %v%s, and a handler may take %v: HAProxy would give up first; make it longer, or the middleware's timeout shorter", c.Processing, where, deadline)
	case c.Processing == 0 && deadline == 0:
		c.Processing = 500 * time.Millisecond
	case c.Processing == 0:
		c.Processing = max(2*deadline, 100*time.Millisecond)
	}
	return errors.Join(errs...)
}

// toPrefix returns an engine's name without characters that names of variables cannot
// have.
func toPrefix(engine string) string {
	return strings.Map(func(r rune) rune {
		if syntax.IsNameByte(r) {
			return r
		}
		return '_'
	}, engine)
}
