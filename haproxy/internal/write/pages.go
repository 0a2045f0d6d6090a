package write

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// Pages are HTTP servers that the agents have in addition to SPOP, and the condition
// for the requests that HAProxy sends there.
type Pages struct {
	// Servers are their addresses, as those in Config.Agents. At least one must be set.
	Servers []string
	// If is the condition under which a request goes there, such as
	// "{ var(txn.auth.decision) -m str page }". It must be set.
	If string
	// Backend is the backend's name. Default: Config.Engine with "-pages".
	Backend string
	// ServerOptions follow each address.
	ServerOptions string
	// Check is the path that a health check requests and that must answer 200. Default:
	// the check only connects.
	Check string
}

func (c *Config) checkRules() error {
	for _, line := range c.Rules {
		comment := strings.HasPrefix(line, "#")
		if strings.ContainsAny(line, "\r\n\x00") || !comment && syntax.CheckOpen(line) != nil {
			return fmt.Errorf("haproxy: Config.Rules: %q is not for one line", line)
		}
	}
	return nil
}

// completePages sets the defaults of Pages; the error names the wrong field.
func (c *Config) completePages() error {
	if c.Pages == nil {
		return nil
	}
	p := *c.Pages // the caller's stays unchanged
	c.Pages = &p
	setDefault(&p.Backend, c.Engine+"-pages")
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("haproxy: Config.Pages"+format, args...))
	}
	if len(p.Servers) == 0 {
		wrong(".Servers is empty: name the address of the HTTP server, such as 127.0.0.1:9080")
	}
	if strings.TrimSpace(p.If) == "" {
		wrong(".If is empty: write the condition under which requests go there, such as \"{ path_beg /login }\"")
	} else if err := syntax.CheckCondition("if " + p.If); err != nil {
		wrong(".If %q has %w", p.If, err)
	}
	if r, refused := syntax.Refused(p.Backend, "-:"); refused {
		wrong(".Backend %q has the character %q: use letters, digits, '-', '_', '.' and ':'", p.Backend, r)
	}
	if w, err := syntax.OneWord(p.Check); p.Check != "" && (err != nil || !strings.HasPrefix(w, "/")) {
		wrong(".Check: %q is no path of one word", p.Check)
	}
	if syntax.CheckOpen(p.ServerOptions) != nil {
		wrong(".ServerOptions: %q is not for one line", p.ServerOptions)
	}
	return errors.Join(append(errs, c.checkAddresses("Config.Pages.Servers", "9080", p.Servers))...)
}

// writePages writes the backend of Pages.
func (c *Config) writePages(t *text) {
	p := c.Pages
	if p == nil {
		return
	}
	t.line()
	t.comment("", "The agents' own pages. The frontend's use_backend line selects their requests.")
	t.line("backend", p.Backend)
	t.line("    mode http")
	t.line("    balance roundrobin")
	t.line("    timeout connect 5s")
	t.line("    timeout server 30s")
	t.comment("    ", "If a server refuses a connection, HAProxy tries the next at once, before the health check fails.")
	t.line("    option redispatch 1")
	t.line("    http-request set-header X-Forwarded-For %[src]")
	if p.Check != "" {
		t.line("    option httpchk GET", p.Check)
		t.line("    http-check expect status 200")
	}
	t.line("    default-server check inter 1s fall 3 rise 1")
	for i, addr := range p.Servers {
		t.line("    server", "pages"+strconv.Itoa(i+1), addr, p.ServerOptions)
	}
}

// writeRules writes Config.Rules.
func (c *Config) writeRules(t *text) {
	if len(c.Rules) == 0 {
		return
	}
	t.line()
	t.comment("    ", "Acts on the verdict.")
	for _, line := range c.Rules {
		t.line("    " + line)
	}
}

// writeUsePages writes the rule that sends requests to Pages.
func (c *Config) writeUsePages(t *text) {
	if c.Pages == nil {
		return
	}
	t.line()
	t.comment("    ", "Requests for the agents' own pages. Put this line after all http-request and http-response rules of the frontend, and before its own use_backend lines.")
	t.line("    use_backend", c.Pages.Backend, "if", c.Pages.If)
}
