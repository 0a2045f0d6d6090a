package check

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkSpoken finds what is sent to the agent's port and is not SPOP.
func (c *checker) checkSpoken(b *syntax.Section, d syntax.Directive, h health) {
	if h.proxy != "" {
		c.find(NotSPOP, d,
			fmt.Sprintf("the server %s of backend %s has %q", serverName(d), b.Name, h.proxy),
			"HAProxy sends a PROXY header before its hello. The agent takes it for a frame that is too long and closes: no question is answered.",
			fmt.Sprintf("Take %q out.", h.proxy))
	}
	elsewhere := func(d syntax.Directive) bool {
		return d.Is("http-check", "connect") && slices.Contains(d.Words, "port")
	}
	if h.checked && !h.port && !h.named && b.Has("httpchk") && !slices.ContainsFunc(b.All(), elsewhere) {
		c.find(NotSPOP, d,
			fmt.Sprintf("the health check of the server %s of backend %s is an HTTP request (option httpchk), on the port for SPOP", serverName(d), b.Name),
			"The agent does not speak HTTP there: the check fails, HAProxy has the server down, and no question is answered.",
			"Write \"option spop-check\" in place of \"option httpchk\"; or \"port N\" behind the server's address, where N is a port of the agent for HTTP.")
	}
}
