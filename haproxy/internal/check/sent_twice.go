package check

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkTwice finds a message that the filter lines of a frontend and of its backend both
// send, on one event.
func (c *checker) checkTwice(m *syntax.SPOEMessage) {
	sent := c.sendings(m)
	for i, s := range sent {
		for _, o := range sent[:i] {
			if s.rule >= 0 || o.rule >= 0 || s.stage != o.stage || !routesTo(o.proxy, s.proxy) && !routesTo(s.proxy, o.proxy) {
				continue
			}
			c.find(SentTwice, m.EventAt,
				fmt.Sprintf("the message %q is sent on %s, and both %s %s and %s %s load the engine %q", m.Name, m.Event, o.proxy.Kind, o.proxy.Name, s.proxy.Kind, s.proxy.Name, c.engine.ID()),
				"HAProxy sends it twice for each request, and the request waits twice.",
				"Remove one of the two filter lines.")
		}
	}
}

// routesTo reports whether a frontend names a backend for its requests.
func routesTo(front, back *syntax.Section) bool {
	return front.Kind == "frontend" && back.Kind == "backend" && slices.ContainsFunc(front.All(), func(d syntax.Directive) bool {
		return (d.Is("use_backend") || d.Is("default_backend")) && d.Second() == back.Name
	})
}
