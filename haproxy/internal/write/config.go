package haproxy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// Config is what [Write] has to know and the routes do not say. A Config with an
// Engine works.
type Config struct {
	// Engine names the SPOE engine, its agent section, and the backend: letters,
	// digits, '-', '_', '.' and ':'. It must be set.
	Engine string
	// Prefix is behind the scope in the names of the variables: txn.<Prefix>.name.
	// Default: Engine, with '_' for what such names cannot have.
	Prefix string
	// Backend is the backend with the agents. Default: Engine with "-agents".
	Backend string
	// Agents are the agents' addresses as a server line of HAProxy's has them:
	// 127.0.0.1:9000, unix@/run/guard/spoa.sock, abns@guard. Default: 127.0.0.1:9000.
	Agents []string
	// ServerOptions stand behind each agent's address, such as
	// "ssl verify required ca-file /etc/haproxy/agents-ca.pem".
	ServerOptions string
	// SPOEFile is how the frontend's filter line names the SPOE file.
	// Default: spoe.conf.
	SPOEFile string
	// Processing is how long a request waits for its answer at most
	// (`timeout processing`). It must be longer than the longest deadline of the
	// routes. Default: twice that deadline, 100 ms at least; 500 ms where no
	// route has one.
	Processing time.Duration
	// FailClosed has requests refused that got no answer. Default: they pass; the
	// rule that refuses them is there, with a '#' in front.
	FailClosed bool
	// Version is the HAProxy that the files are for, such as "2.6" or "3.2".
	// Default: files that all versions take.
	Version string
}

// The names of the variables that HAProxy itself sets, behind txn.<Prefix>.
const (
	errorVar       = "error"
	processTimeVar = "process_time"
)

// complete fills in the defaults, or says what cannot be.
func (c Config) complete(a Agent) (Config, error) {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("haproxy: "+format, args...)) }
	if c.Engine == "" {
		wrong("Config.Engine is empty: name the SPOE engine, such as Engine: \"guard\"")
	}
	setDefault(&c.Prefix, strings.Map(func(r rune) rune {
		if isNameByte(r) {
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
		if r, ok := refused(f.name, "-:"); ok {
			wrong("Config.%s %q has the character %q: use letters, digits, '-', '_', '.' and ':'", f.field, f.name, r)
		}
	}
	if r, ok := refused(c.Prefix, ""); ok {
		wrong("Config.Prefix %q has the character %q: use letters, digits, '.' and '_', as names of variables have no others", c.Prefix, r)
	}
	if full := c.fullName("txn", processTimeVar); len(full) > codec.MaxVarName {
		wrong(tooLong, full, len(full), codec.MaxVarName)
	}
	for _, addr := range c.Agents {
		if w, err := oneWord(addr); err != nil || w == "" {
			wrong("Config.Agents: %q is no address of one word", addr)
		} else if !strings.ContainsAny(addr, ":@$/") {
			wrong("Config.Agents: %q has no port: write %s:9000", addr, addr)
		}
	}
	if checkOpen(c.ServerOptions) != nil {
		wrong("Config.ServerOptions: %q is not for one line", c.ServerOptions)
	}
	if w, err := oneWord(c.SPOEFile); err != nil || w == "" {
		wrong("Config.SPOEFile: %q is no name of one word as HAProxy's configuration has it", c.SPOEFile)
	}
	if c.Version != "" {
		if _, ok := parseVersion(c.Version); !ok {
			wrong("Config.Version: %q is no version: write one such as \"2.6\"", c.Version)
		}
	}
	deadline := time.Duration(0)
	for _, m := range a.Messages {
		deadline = max(deadline, time.Duration(m.Deadline))
	}
	switch {
	case max(c.Processing, deadline) > maxTime/2:
		wrong("a deadline of %v is too long for HAProxy: make Config.Processing %v at most, and the middleware's timeout shorter", max(c.Processing, deadline), maxTime/2)
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

// refused returns the first character of a name that is not in names of variables
// nor among others.
func refused(name, others string) (rune, bool) {
	for _, r := range name {
		if !isNameByte(r) && !strings.ContainsRune(others, r) {
			return r, true
		}
	}
	return 0, false
}

// isNameByte tells whether names of variables have r.
func isNameByte(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '.'
}

// muxed tells whether the files are for versions with a multiplexer for SPOP, and
// for no older ones.
func (c *Config) muxed() bool {
	v, ok := parseVersion(c.Version)
	return ok && v.atLeast(3, 1)
}

// unmuxed tells whether they are for older versions alone.
func (c *Config) unmuxed() bool { return c.Version != "" && !c.muxed() }
