package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkSpoken finds server lines that do not speak SPOP on the agent's port.
func (c *checker) checkSpoken(b *syntax.Section, d syntax.Directive, words serverWords) {
	switch proxy := proxyWord(words); {
	case proxy == "":
	case c.agent.AcceptProxy && c.since(3, 4):
		c.find(NotSPOP, d,
			fmt.Sprintf("the server %s of backend %s has %q, which HAProxy 3.4 ignores, and the agent expects a PROXY header", d.Second(), b.Name, proxy),
			"The agent reads HAProxy's hello as a broken PROXY header and closes: no request gets an answer.",
			"Set Agent.AcceptProxy to false.")
	case !c.agent.AcceptProxy && !c.since(3, 4):
		c.find(NotSPOP, d,
			fmt.Sprintf("the server %s of backend %s has %q", d.Second(), b.Name, proxy),
			"HAProxy before 3.4 sends a PROXY header before its hello. The agent reads it as a frame that is too long and closes: no request gets an answer.",
			fmt.Sprintf("Remove %q, or set Agent.AcceptProxy.", proxy))
	}
	switch tls := c.agent.TLS; {
	case tls == nil:
	case words.has("ssl") && !*tls:
		c.find(NotSPOP, d,
			fmt.Sprintf("the server %s of backend %s has \"ssl\", and the agent does not speak TLS", d.Second(), b.Name),
			"The agent reads the TLS hello as a frame that is too long and closes: no request gets an answer.",
			"Remove \"ssl\", or give the agent a certificate (Agent.TLSConfig).")
	case !words.has("ssl") && *tls:
		c.find(NotSPOP, d,
			fmt.Sprintf("the server %s of backend %s has no \"ssl\", and the agent speaks only TLS", d.Second(), b.Name),
			"The agent reads HAProxy's hello as a broken TLS handshake and closes: no request gets an answer.",
			"Write \"ssl verify required ca-file FILE\" after the server's address.")
	}
}

// proxyWord returns the word for a PROXY header, or "".
func proxyWord(words serverWords) string {
	for _, word := range []string{"send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn"} {
		if words.has(word) {
			return word
		}
	}
	return ""
}

// checkProbe finds health checks on the agent's port that it does not answer.
func (c *checker) checkProbe(b *syntax.Section, d syntax.Directive, words serverWords) {
	if !words.has("check") || words.has("port") {
		return
	}
	probe, fix := "", "Write \"option spop-check\" instead"
	kinds := checkKinds(b)
	named := words["healthcheck"] // HAProxy 3.4
	if named != "" {
		kinds = c.kindsOf(named)
		fix = "Write \"type spop-check\" into the section \"healthcheck " + named + "\""
	}
	switch {
	case len(kinds) > 0 && !slices.ContainsFunc(kinds, func(kind string) bool { return !isForeign(kind) }):
		if kinds[0] == "httpchk" && c.connectsElsewhere(b, named) {
			return
		}
		probe = fmt.Sprintf("is of the kind %q", kinds[0])
		fix += "; or \"port N\" after the server's address, where N is a port of the agent that answers such checks."
	case words.has("check-send-proxy") && proxyWord(words) == "":
		probe, fix = "begins with a PROXY header (check-send-proxy)", "Remove \"check-send-proxy\"."
	case words.has("check-ssl") && !words.has("ssl"):
		probe, fix = "uses TLS (check-ssl), and its messages do not", "Remove \"check-ssl\"; or write \"ssl\" instead, if the agent speaks TLS."
	case words.has("no-check-ssl") && words.has("ssl"):
		probe, fix = "does not use TLS (no-check-ssl), and its messages do", "Remove \"no-check-ssl\"."
	default:
		return
	}
	c.find(NotSPOP, d,
		fmt.Sprintf("the health check of the server %s of backend %s, on the port for SPOP, %s", d.Second(), b.Name, probe),
		"The agent does not understand it: the check fails, HAProxy marks the server as down, and no request gets an answer.", fix)
}

// probes are the kinds of health checks that HAProxy has.
var probes = []string{"spop-check", "tcp-check", "external-check", "httpchk", "ssl-hello-chk", "redis-check", "smtpchk", "mysql-check", "pgsql-check", "ldap-check"}

// isForeign reports whether no agent speaks the protocol of a kind of health check.
func isForeign(kind string) bool { return slices.Index(probes, kind) > 2 }

// checkKinds returns the kinds of health checks that a backend may have: the last one
// of its lines and of its defaults section counts.
func checkKinds(s *syntax.Section) (kinds []string) {
	for _, d := range s.All() {
		if !d.Is("option") || len(d.Words) < 2 || !slices.Contains(probes, d.Words[1]) {
			continue
		}
		if !d.Maybe {
			kinds = nil
		}
		kinds = append(kinds, d.Words[1])
	}
	return kinds
}

// kindsOf returns the kinds of a healthcheck section, or none if there is no such
// section.
func (c *checker) kindsOf(name string) (kinds []string) {
	if s := c.cfg.Find(name, "healthcheck"); s != nil {
		for _, d := range s.Lines {
			if d.Is("type") && len(d.Words) > 1 {
				kinds = append(kinds, d.Words[1])
			}
		}
	}
	return kinds
}

// connectsElsewhere reports whether checks over HTTP go to another port.
func (c *checker) connectsElsewhere(b *syntax.Section, named string) bool {
	lines := b.All()
	if s := c.cfg.Find(named, "healthcheck"); s != nil {
		lines = s.Lines
	}
	return slices.ContainsFunc(lines, func(d syntax.Directive) bool {
		return d.Is("http-check", "connect") && strings.Contains(d.Text(), " port ")
	})
}
