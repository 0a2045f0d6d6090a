package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkWaiting looks at messages that are sent before HAProxy reads HTTP: it reports
// whether HAProxy waits for content, and whether it reaches the rule.
func (c *checker) checkWaiting(m *syntax.SPOEMessage) {
	for _, s := range c.sendings(m) {
		if s.rule < 0 {
			c.checkContent(m, s)
			continue
		}
		c.checkReached(m, s)
		for _, side := range []string{"tcp-request", "tcp-response"} {
			if !s.at.Is(side, "content") {
				continue
			}
			if delay, at, ok := s.proxy.InspectDelay(side); ok {
				c.checkDelay(m, s, delay, at)
				continue
			}
			c.find(NoInspectDelay, s.at,
				fmt.Sprintf("this rule sends the message %q, and %s %s has no \"%s inspect-delay\"", m.Name, s.proxy.Kind, s.proxy.Name, side),
				"HAProxy does not wait: it goes on without an answer, often before it has sent the message.",
				fmt.Sprintf("Write \"%s inspect-delay 5s\" before this rule, longer than \"timeout processing\".", side))
		}
	}
}

// checkDelay finds a delay that ends before the question does.
func (c *checker) checkDelay(m *syntax.SPOEMessage, s sending, delay time.Duration, at syntax.Directive) {
	limit, name := c.limit()
	if delay >= limit || at.Maybe {
		return
	}
	c.find(TimeoutTooShort, at,
		fmt.Sprintf("\"%s inspect-delay\" of %s %s is %v, and %s is %v", at.Words[0], s.proxy.Kind, s.proxy.Name, delay, name, limit),
		fmt.Sprintf("HAProxy goes on after %v without the answer to %q (error 5 up to HAProxy 3.0, 4 later).", delay, m.Name),
		fmt.Sprintf("Make it longer than %s, such as 5s.", name))
}

// checkContent finds arguments that read content on TCP events, which come before any
// content.
func (c *checker) checkContent(m *syntax.SPOEMessage, s sending) {
	tcp := slices.Contains([]string{"on-client-session", "on-frontend-tcp-request", "on-backend-tcp-request", "on-server-session", "on-tcp-response"}, m.Event)
	if !tcp || s.proxy.Mode() == "http" && s.stage >= syntax.StageFrontendHTTP {
		return
	}
	for _, a := range m.Args {
		if !samples.OfContent(a.Fetch) {
			continue
		}
		side, condition := "tcp-request", "{ req.len gt 0 }"
		switch {
		case strings.HasPrefix(a.Fetch, "res."):
			side, condition = "tcp-response", "{ res.len gt 0 }"
		case strings.HasPrefix(a.Fetch, "req.ssl_"):
			condition = "{ req.ssl_hello_type 1 }"
		}
		c.find(ContentTooEarly, a.At,
			fmt.Sprintf("the message %q has %s, and is sent on %s", m.Name, a.Fetch, m.Event),
			"The event does not wait for content: the argument has only the bytes that have come by then, mostly none.",
			fmt.Sprintf("Put the message into a group, and write \"%s inspect-delay 5s\" and \"%[1]s content send-spoe-group %s GROUP if %s\".", side, c.engine.ID(), condition))
	}
}

// endingActions lists the actions that end the rules of their kind.
var endingActions = []string{"accept", "allow", "reject", "deny", "tarpit", "silent-drop", "return", "redirect"}

// checkReached finds a rule that ends the rules before the rule that sends a message,
// whenever that rule would apply.
func (c *checker) checkReached(m *syntax.SPOEMessage, s sending) {
	d, action := ended(s.proxy, s.rule)
	if action == "" {
		return
	}
	c.find(RuleNotReached, s.at,
		fmt.Sprintf("this rule sends the message %q, but %q before it (%s:%d) ends the rules whenever this one would apply", m.Name, action, d.File, d.Line),
		"HAProxy does not reach this rule: the message is never sent.",
		"Move this rule before that one.")
}

// ended returns an earlier rule that ends the rules whenever the rule of that line
// would apply, and its action; or "".
func ended(in *syntax.Section, line int) (d syntax.Directive, action string) {
	at := in.Lines[line]
	if syntax.RuleStage(in, &at) == syntax.StageUnknown || !strings.Contains(at.Words[0], "-re") {
		return d, "" // no rule of http-request, tcp-response and the like
	}
	kind := 2 // "http-request deny"; "tcp-request content accept"
	if strings.HasPrefix(at.Words[0], "tcp-") {
		kind = 3
	}
	for _, d := range in.Lines[:line] {
		if len(d.Words) < kind || d.Maybe || !slices.Equal(d.Words[:kind-1], at.Words[:kind-1]) || !slices.Contains(endingActions, d.Words[kind-1]) {
			continue
		}
		if cond := condition(in, d); cond == "" || cond == condition(in, at) || implied(condition(in, at), cond) {
			return d, strings.Join(d.Words[:kind], " ")
		}
	}
	return d, ""
}

// implied reports whether a condition holds whenever another one does, because its
// terms are some of the other's.
func implied(of, cond string) bool {
	for _, s := range []string{of, cond} {
		if !strings.HasPrefix(s, "if ") || strings.Contains(s, " || ") || strings.Contains(s, " or ") {
			return false
		}
	}
	return strings.Contains(strings.TrimPrefix(of, "if")+" ", strings.TrimPrefix(cond, "if")+" ")
}

// condition returns a rule's condition, or "": a named ACL is replaced by its test.
func condition(in *syntax.Section, d syntax.Directive) string {
	i := slices.IndexFunc(d.Words, func(w string) bool { return w == "if" || w == "unless" })
	if i < 0 {
		return ""
	}
	words := slices.Clone(d.Words[i:])
	acls := namedIn(d, in.All())
	for j, w := range words {
		for _, acl := range acls {
			// Several lines of one name are alternatives.
			if acl.Second() == strings.TrimLeft(w, "!") && !slices.ContainsFunc(acls, func(o syntax.Directive) bool { return o.Second() == acl.Second() && o.Line != acl.Line }) {
				words[j] = strings.Repeat("!", len(w)-len(acl.Second())) + "{ " + strings.Join(acl.Words[2:], " ") + " }"
			}
		}
	}
	return strings.Join(words, " ")
}
