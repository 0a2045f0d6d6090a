package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkTimeouts compares the other timeouts that end a question with `timeout
// processing`. A timeout that is longer than the agent's deadline does no harm.
func (c *checker) checkTimeouts() {
	b := c.cfg.Find(c.engine.Backend, "backend", "listen")
	if b == nil {
		return
	}
	limit, name := c.limit()
	shorter := func(at syntax.Directive, t time.Duration, which, where, effect string) {
		c.find(TimeoutTooShort, at,
			fmt.Sprintf("\"timeout %s\" of %s is %v, and %s is %v", which, where, t, name, limit), effect,
			fmt.Sprintf("Make \"timeout %s\" of %s longer than %s, such as 3m.", which, where, name))
	}
	if t, at, ok := b.Timeout("server"); ok && t < limit {
		shorter(at, t, "server", "backend "+b.Name, fmt.Sprintf("HAProxy gives up after %v: a request that would wait longer gets no answer.", t))
	}
	if t := c.engine.Idle; t > 0 && t < limit && !c.since(3, 1) {
		shorter(c.engine.IdleAt, t, "idle", "the agent section", fmt.Sprintf("HAProxy up to 3.0 closes a connection after %v, even if it waits for an answer there (st=256).", t))
	}
	if t, at, ok := c.queueTimeout(b); ok && t < limit {
		which := at.Words[1]
		shorter(at, t, which, "backend "+b.Name, fmt.Sprintf("A server there has \"maxconn\": a request that waits %v for a connection gets no answer (st=257; up to HAProxy 3.0 mostly st=1).", t))
	}
	c.checkUnits(b)
	c.checkForgotten()
}

// checkForgotten finds timeouts of the site's backend that are shorter than `timeout
// processing`, if a message is sent once HAProxy has a connection to the site: HAProxy
// then forgets `timeout processing`, or ends the request.
func (c *checker) checkForgotten() {
	later := slices.ContainsFunc(c.engine.Messages, func(m *syntax.SPOEMessage) bool {
		return slices.ContainsFunc(c.sendings(m), func(s sending) bool { return s.stage >= syntax.StageServerSession })
	})
	if !later {
		return
	}
	for _, b := range c.cfg.Sections {
		if !c.serves(b) {
			continue
		}
		for _, which := range []string{"connect", "server"} {
			t, at, ok := b.Timeout(which)
			if !ok || t > c.engine.Processing || which == "connect" && c.since(3, 0) {
				continue
			}
			effect := fmt.Sprintf("If the agent does not answer, HAProxy before 3.0 forgets \"timeout processing\" after %v: a request waits for ever if its message comes after the connection to the site, for example with the event on-http-response.", t)
			if which == "server" {
				effect += " Later versions may end it without a response."
			}
			c.find(TimeoutTooShort, at,
				fmt.Sprintf("\"timeout %s\" of %s %s is %v, and \"timeout processing\" is %v", which, b.Kind, b.Name, t, c.engine.Processing), effect,
				fmt.Sprintf("Make \"timeout %s\" of %s longer than \"timeout processing\", or that one shorter.", which, b.Name))
		}
	}
}

// serves reports whether a section may have the site's servers of a request that has the
// engine's filter.
func (c *checker) serves(b *syntax.Section) bool {
	return slices.ContainsFunc(c.filters, func(f syntax.Filter) bool {
		return f.Proxy == b && b.Kind != "frontend" || routesTo(f.Proxy, b)
	})
}

// limit returns the longest time that an answer may take, and the name of that limit:
// the agent's deadline if all messages have one, else "timeout processing".
func (c *checker) limit() (t time.Duration, name string) {
	if longest, known := c.longestDeadline(); known || c.engine.Processing == 0 {
		return longest, "the agent's own deadline"
	}
	return c.engine.Processing, "\"timeout processing\""
}

// longestDeadline returns the longest deadline of the messages that are sent; known is
// false if one of them has no deadline.
func (c *checker) longestDeadline() (longest time.Duration, known bool) {
	known = !c.agent.Any
	for _, m := range c.agent.Messages {
		if c.sends(m.Name) {
			longest, known = max(longest, time.Duration(m.Deadline)), known && m.Deadline > 0
		}
	}
	return longest, known && longest > 0
}

// queueTimeout returns the time that a message may wait for a connection, if the number
// of connections is limited. The default is "timeout connect".
func (c *checker) queueTimeout(b *syntax.Section) (t time.Duration, at syntax.Directive, ok bool) {
	limited := slices.ContainsFunc(b.All(), func(d syntax.Directive) bool {
		return (d.Is("server") || d.Is("default-server") || d.Is("server-template")) && slices.Contains(d.Words, "maxconn")
	})
	if !limited {
		return 0, at, false
	}
	if t, at, ok = b.Timeout("queue"); !ok {
		t, at, ok = b.Timeout("connect")
	}
	return t, at, ok
}

// tooShort is the time below which a timeout is probably a number of seconds without
// its unit.
const tooShort = 10 * time.Millisecond

// checkUnits finds times of a few milliseconds that were probably meant as seconds.
func (c *checker) checkUnits(b *syntax.Section) {
	tell := func(at syntax.Directive, which string, t time.Duration) {
		c.find(TimeoutTooShort, at,
			fmt.Sprintf("\"timeout %s\" is %v", which, t),
			"If the agent or the network is slower once, a request gets no answer. A number without a unit means milliseconds.",
			fmt.Sprintf("Write \"timeout %s\" with a unit, such as 5s.", which))
	}
	if t, at, ok := b.Timeout("connect"); ok && t < tooShort {
		tell(at, "connect", t)
	}
	if t := c.engine.Hello; t > 0 && t < tooShort && !c.since(3, 1) {
		tell(c.engine.HelloAt, "hello", t)
	}
	// DeadlineTooLong reports a timeout below a deadline.
	if longest, _ := c.longestDeadline(); longest < c.engine.Processing && c.engine.Processing < tooShort {
		tell(c.engine.ProcessingAt, "processing", c.engine.Processing)
	}
}
