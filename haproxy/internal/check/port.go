package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkSpoken finds questions that reach the agent's port as something else than SPOP.
func (c *checker) checkSpoken(b *syntax.Section, d syntax.Directive, h health) {
	switch {
	case h.proxy == "":
	case c.agent.AcceptProxy && c.noProxy:
		c.find(NotSPOP, d,
			fmt.Sprintf("the server %s of backend %s has %q, which HAProxy 3.4 ignores, and the agent expects a PROXY header", d.Second(), b.Name, h.proxy),
			"The agent takes HAProxy's hello for a PROXY header that is broken and closes: no question is answered.",
			"Let the agent expect no such header (Agent.AcceptProxy).")
	case !c.agent.AcceptProxy && !c.noProxy:
		c.find(NotSPOP, d,
			fmt.Sprintf("the server %s of backend %s has %q", d.Second(), b.Name, h.proxy),
			"HAProxy before 3.4 sends a PROXY header before its hello. The agent takes it for a frame that is too long and closes: no question is answered.",
			fmt.Sprintf("Take %q out; or have the agent expect such a header (Agent.AcceptProxy).", h.proxy))
	}
	switch tls := c.agent.TLS; {
	case tls == nil:
	case h.ssl && !*tls:
		c.find(NotSPOP, d,
			fmt.Sprintf("the server %s of backend %s has \"ssl\", and the agent does not speak TLS", d.Second(), b.Name),
			"The agent takes the TLS hello for a frame that is too long and closes: no question is answered.",
			"Take \"ssl\" out, or give the agent a certificate (Agent.TLSConfig).")
	case !h.ssl && *tls:
		c.find(NotSPOP, d,
			fmt.Sprintf("the server %s of backend %s has no \"ssl\", and the agent speaks TLS alone", d.Second(), b.Name),
			"The agent takes HAProxy's hello for a TLS handshake that is broken and closes: no question is answered.",
			"Write \"ssl verify required ca-file FILE\" behind the server's address.")
	}
}

// checkProbe finds health checks on the agent's port that it does not answer.
func (c *checker) checkProbe(b *syntax.Section, d syntax.Directive, h health) {
	if !h.checked || h.port {
		return
	}
	probe, mend := "", "Write \"option spop-check\" in place of it"
	kinds := checkKinds(b)
	if h.named != "" {
		kinds = c.kindsOf(h.named)
		mend = "Write \"type spop-check\" into the section \"healthcheck " + h.named + "\""
	}
	switch {
	case len(kinds) > 0 && !slices.ContainsFunc(kinds, func(kind string) bool { return !foreign(kind) }):
		if kinds[0] == "httpchk" && c.connectsElsewhere(b, h.named) {
			return
		}
		probe = fmt.Sprintf("is of the kind %q", kinds[0])
		mend += "; or \"port N\" behind the server's address, where N is a port of the agent that answers such checks."
	case h.checkProxy && h.proxy == "":
		probe, mend = "begins with a PROXY header (check-send-proxy)", "Take \"check-send-proxy\" out."
	case h.checkSSL && !h.ssl:
		probe, mend = "is over TLS (check-ssl), and its questions are not", "Take \"check-ssl\" out; or write \"ssl\" in place of it, if the agent speaks TLS."
	case h.checkPlain && h.ssl:
		probe, mend = "is not over TLS (no-check-ssl), and its questions are", "Take \"no-check-ssl\" out."
	default:
		return
	}
	c.find(NotSPOP, d,
		fmt.Sprintf("the health check of the server %s of backend %s, on the port for SPOP, %s", d.Second(), b.Name, probe),
		"The agent does not understand it: the check fails, HAProxy has the server down, and no question is answered.", mend)
}

// probes are the kinds of health checks that HAProxy has.
var probes = []string{"spop-check", "tcp-check", "external-check", "httpchk", "ssl-hello-chk", "redis-check", "smtpchk", "mysql-check", "pgsql-check", "ldap-check"}

// foreign reports whether a kind of health check is of a protocol that no agent speaks.
func foreign(kind string) bool { return slices.Index(probes, kind) > 2 }

// checkKinds returns the kinds of health checks that a backend may have: the last one
// counts, of its own lines and of its defaults.
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

// kindsOf returns the kind that a section for health checks has; none if that section
// is not there.
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
