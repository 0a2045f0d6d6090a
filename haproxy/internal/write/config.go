package write

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// Settings is haproxy.Config, which documents the fields.
type Settings struct {
	Engine        string
	Prefix        string
	Backend       string
	Agents        []string
	ServerOptions string
	SPOEFile      string
	Processing    time.Duration
	FailClosed    bool
	Version       string
	Engines       map[string]Engine

	AgentCheckPort int
	Affinity       string
	Headers        map[string]string
	Rules          []string
	Pages          *Pages
}

// Config is the settings of one engine, or of the backend of one agent.
type Config struct {
	Settings
	own ownAgent // of an engine that split made
}

// The names of the variables that HAProxy itself sets, after txn.<Prefix>.
const (
	errorVar       = "error"
	processTimeVar = "process_time"
)

// complete sets the defaults that the engines share, and returns an error for each
// field that is wrong.
func (c Config) complete() (Config, error) {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("haproxy: "+format, args...)) }
	if c.Engine == "" {
		wrong("Config.Engine is empty: name the SPOE engine, such as Engine: \"guard\"")
	}
	setDefault(&c.Prefix, toPrefix(c.Engine))
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
	errs = append(errs, c.checkAddresses("Config.Agents", "9000", c.Agents), c.checkHeaders(), c.checkRules(), c.completePages())
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
	if c.AgentCheckPort < 0 || c.AgentCheckPort > 65535 {
		wrong("Config.AgentCheckPort is %d: write the port of spoe.Agent.AgentCheckAddr, or 0 for no agent-check", c.AgentCheckPort)
	}
	if c.Affinity != "" {
		if _, refused := syntax.Refused(c.Affinity, ""); refused {
			wrong("Config.Affinity: %q is no name of a variable: write the name alone, without scope and prefix", c.Affinity)
		}
	}
	return c, errors.Join(errs...)
}

// checkAddresses returns an error for each address that no server line can have; port
// is the port for a corrected address.
func (c *Config) checkAddresses(field, port string, addrs []string) error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("haproxy: "+field+": "+format, args...))
	}
	for _, addr := range addrs {
		if w, err := syntax.OneWord(addr); err != nil || w == "" {
			wrong("%q is no address of one word", addr)
		} else if !strings.ContainsAny(addr, ":@$/") {
			wrong("%q has no port: write %s:%s", addr, addr, port)
		} else if c.before(2, 6) && envDefault.MatchString(addr) {
			wrong("%s has a default, which HAProxy before 2.6 does not know: set the variable with presetenv in a global section, and write it without", addr)
		}
	}
	return errors.Join(errs...)
}

func setDefault(s *string, def string) {
	if *s == "" {
		*s = def
	}
}

// envDefault matches "${NAME-default}".
var envDefault = regexp.MustCompile(`\$\{\w+-`)

// before reports whether the files are for a version before this one.
func (c *Config) before(major, minor int) bool {
	v, ok := syntax.ParseVersion(c.Version)
	return ok && !v.AtLeast(major, minor)
}

// muxed reports whether the files are only for HAProxy 3.1 and later, which multiplexes
// SPOP.
func (c *Config) muxed() bool {
	v, ok := syntax.ParseVersion(c.Version)
	return ok && v.AtLeast(3, 1)
}

// unmuxed reports whether they are only for older versions.
func (c *Config) unmuxed() bool { return c.Version != "" && !c.muxed() }
