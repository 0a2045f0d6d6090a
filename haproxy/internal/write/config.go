package write

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// Config is haproxy.Config, which documents the fields.
type Config struct {
	Engine        string
	Prefix        string
	Backend       string
	Agents        []string
	ServerOptions string
	SPOEFile      string
	Processing    time.Duration
	FailClosed    bool
	Version       string
}

// The names of the variables that HAProxy itself sets, behind txn.<Prefix>.
const (
	errorVar       = "error"
	processTimeVar = "process_time"
)

// complete fills in the defaults, or says what cannot be.
func (c Config) complete(a model.Agent) (Config, error) {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("haproxy: "+format, args...)) }
	if c.Engine == "" {
		wrong("Config.Engine is empty: name the SPOE engine, such as Engine: \"guard\"")
	}
	setDefault(&c.Prefix, strings.Map(func(r rune) rune {
		if syntax.IsNameByte(r) {
			return r
		}
		return '_'
	}, c.Engine))
	setDefault(&c.Backend, c.Engine+"-agents")
	setDefault(&c.SPOEFile, "spoe.conf")
	if len(c.Agents) == 0 {
		c.Agents = []string{"127.0.0.1:9000"}
	}
	for _, f := range []struct{ field, name string }{{"Engine", c.Engine}, {"Backend", c.Backend}} {
		if r, ok := syntax.Refused(f.name, "-:"); ok {
			wrong("Config.%s %q has the character %q: use letters, digits, '-', '_', '.' and ':'", f.field, f.name, r)
		}
	}
	if r, ok := syntax.Refused(c.Prefix, ""); ok {
		wrong("Config.Prefix %q has the character %q: use letters, digits, '.' and '_', as names of variables have no others", c.Prefix, r)
	}
	if full := c.fullName("txn", processTimeVar); len(full) > codec.MaxVarName {
		wrong(tooLong, full, len(full), codec.MaxVarName)
	}
	for _, addr := range c.Agents {
		if w, err := syntax.OneWord(addr); err != nil || w == "" {
			wrong("Config.Agents: %q is no address of one word", addr)
		} else if !strings.ContainsAny(addr, ":@$/") {
			wrong("Config.Agents: %q has no port: write %s:9000", addr, addr)
		}
	}
	if syntax.CheckOpen(c.ServerOptions) != nil {
		wrong("Config.ServerOptions: %q is not for one line", c.ServerOptions)
	}
	if w, err := syntax.OneWord(c.SPOEFile); err != nil || w == "" {
		wrong("Config.SPOEFile: %q is no name of one word as HAProxy's configuration has it", c.SPOEFile)
	}
	if c.Version != "" {
		if _, ok := syntax.ParseVersion(c.Version); !ok {
			wrong("Config.Version: %q is no version: write one such as \"2.6\"", c.Version)
		}
	}
	deadline := time.Duration(0)
	for _, m := range a.Messages {
		deadline = max(deadline, time.Duration(m.Deadline))
	}
	switch {
	case max(c.Processing, deadline) > syntax.MaxTime/2:
		wrong("a deadline of %v is too long for HAProxy: make Config.Processing %v at most, and the middleware's timeout shorter", max(c.Processing, deadline), syntax.MaxTime/2)
	case c.Processing < 0 || c.Processing > 0 && c.Processing <= deadline:
		wrong("Config.Processing is %v, and a handler may take %v: HAProxy would give up first; make it longer, or the middleware's timeout shorter", c.Processing, deadline)
	case c.Processing == 0 && deadline == 0:
		c.Processing = 500 * time.Millisecond
	case c.Processing == 0:
		c.Processing = max(2*deadline, 100*time.Millisecond)
	}
	return c, errors.Join(errs...)
}

func setDefault(s *string, def string) {
	if *s == "" {
		*s = def
	}
}

// muxed tells whether the files are for versions with a multiplexer for SPOP, and
// for no older ones.
func (c *Config) muxed() bool {
	v, ok := syntax.ParseVersion(c.Version)
	return ok && v.AtLeast(3, 1)
}

// unmuxed tells whether they are for older versions alone.
func (c *Config) unmuxed() bool { return c.Version != "" && !c.muxed() }
