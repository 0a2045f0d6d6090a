package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkBackend reports whether HAProxy would notice that an agent is gone.
func (c *checker) checkBackend() {
	b := c.cfg.Find(c.engine.Backend, "backend", "listen")
	if b == nil {
		return // HAProxy refuses it
	}
	var def health
	for _, d := range b.All() {
		if d.Is("default-server") {
			def = def.with(d)
		}
	}
	spop := c.knowsAgents(b)
	servers := b.Servers()
	c.checkServers(b, servers)
	c.checkRefused(b)
	for _, d := range servers {
		h := def.with(d)
		fix := "Write \"check\" after its address, or \"default-server check inter 1s fall 3 rise 1\" into the backend."
		if !spop {
			fix += " Write \"option spop-check\" into it, too."
		}
		c.checkSpoken(b, d, h)
		c.checkProbe(b, d, h)
		switch {
		case !h.checked && !h.tracks:
			c.find(NoHealthCheck, d,
				fmt.Sprintf("the agent %s of backend %s has no health check", d.Second(), b.Name),
				"HAProxy keeps asking an agent that is gone: each request fails, or waits until the timeout. An agent that shuts down cannot make HAProxy use another one.",
				fix)
		case !spop && h.checked && h.named == "" && !slices.ContainsFunc(checkKinds(b), foreign):
			c.find(NoHealthCheck, b.Head,
				fmt.Sprintf("backend %s has no \"option spop-check\"", b.Name),
				"Its health checks only connect: an agent that is shutting down counts as up, and so does any other program on the port.",
				"Write \"option spop-check\" into the backend.")
		}
	}
}

// checkServers finds a backend without an agent that HAProxy can ask.
func (c *checker) checkServers(b *syntax.Section, servers []syntax.Directive) {
	problem, fix := fmt.Sprintf("backend %s, of the agents, has no server line", b.Name), "remove \"disabled\"."
	switch disabled := func(d syntax.Directive) bool { return !slices.Contains(d.Words, "disabled") || d.Maybe }; {
	case len(servers) == 0 && !slices.ContainsFunc(b.Lines, func(d syntax.Directive) bool { return d.Is("use-server") || d.Maybe }):
	case slices.ContainsFunc(b.All(), func(d syntax.Directive) bool { return d.Is("disabled") && !d.Maybe }):
		problem = fmt.Sprintf("backend %s, of the agents, is \"disabled\"", b.Name)
	case len(servers) > 0 && !slices.ContainsFunc(servers, disabled):
		problem = fmt.Sprintf("each server of backend %s, of the agents, is \"disabled\"", b.Name)
	case len(servers) > 0 && !slices.ContainsFunc(servers, func(d syntax.Directive) bool { return setting(b, d, "weight") != "0" || d.Maybe }):
		problem = fmt.Sprintf("each server of backend %s, of the agents, has the weight 0", b.Name)
		fix = "write a weight that is not 0."
	case len(servers) > 0 && !slices.ContainsFunc(servers, func(d syntax.Directive) bool { return !unresolved(b, d) || d.Maybe }):
		problem = fmt.Sprintf("the servers of backend %s, of the agents, have host names, and \"init-addr none\" without \"resolvers\"", b.Name)
		fix = "remove \"init-addr none\"."
	default:
		return
	}
	c.find(NoServer, b.Head, problem,
		"No request gets an answer: the error is 2 up to HAProxy 3.0, and 257 later.",
		"Write a line such as \"server agent1 127.0.0.1:9000 check\", with the agent's address, or "+fix)
}

// setting returns the word after another one on a server's line, or on a default-server
// line before it; or "".
func setting(b *syntax.Section, server syntax.Directive, word string) string {
	value := ""
	for _, d := range b.All() {
		here := d.Line == server.Line && d.File == server.File
		if i := slices.Index(d.Words, word); (here || d.Is("default-server")) && i >= 0 && i+1 < len(d.Words) {
			value = d.Words[i+1]
		}
		if here {
			break
		}
	}
	return value
}

// unresolved reports whether a server has a name that HAProxy looks up neither at its start
// nor later.
func unresolved(b *syntax.Section, server syntax.Directive) bool {
	if len(server.Words) < 3 || setting(b, server, "init-addr") != "none" || setting(b, server, "resolvers") != "" {
		return false
	}
	host, _, _ := strings.Cut(server.Words[2], ":")
	return host != "" && !strings.ContainsAny(host, "@/$*%[") && strings.Trim(host, "0123456789.") != ""
}

// knowsAgents reports whether a backend has health checks that an agent may understand:
// over SPOP, of its HTTP port, by a script, by tcp-check rules.
func (c *checker) knowsAgents(s *syntax.Section) bool {
	return slices.ContainsFunc(checkKinds(s), func(kind string) bool {
		switch kind {
		case "spop-check", "httpchk", "external-check":
			return true
		case "tcp-check":
			return slices.ContainsFunc(s.All(), func(d syntax.Directive) bool { return d.Is("tcp-check", "expect") })
		}
		return false
	})
}

// health is how a server is checked.
type health struct {
	checked bool
	tracks  bool   // another server's check
	named   string // the section that has the check (HAProxy 3.4)
	port    bool   // another port is checked
	proxy   string // the word for a PROXY header
	ssl     bool   // messages use TLS

	// Only for health checks; by default as for messages.
	checkProxy, checkSSL, checkPlain bool
}

// with returns h with the changes of a server line.
func (h health) with(d syntax.Directive) health {
	for i, w := range d.Words {
		if i < 3 && !d.Is("default-server") {
			continue // the server's name and address
		}
		switch w {
		case "check":
			h.checked = true
		case "no-check":
			h.checked = h.checked && d.Maybe
		case "track":
			h.tracks = true
		case "healthcheck":
			h.named = "?"
			if i+1 < len(d.Words) {
				h.named = d.Words[i+1]
			}
		case "port":
			h.port = true
		case "send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn":
			h.proxy = w
		case "no-send-proxy", "no-send-proxy-v2", "no-send-proxy-v2-ssl", "no-send-proxy-v2-ssl-cn":
			h.proxy = ""
		case "check-send-proxy":
			h.checkProxy = true
		case "no-check-send-proxy":
			h.checkProxy = false
		case "ssl":
			h.ssl = true
		case "no-ssl":
			h.ssl = false
		case "check-ssl":
			h.checkSSL = true
		case "no-check-ssl":
			h.checkSSL, h.checkPlain = false, true
		}
	}
	return h
}
