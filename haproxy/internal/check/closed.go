package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// refusals are the actions that end a request without the site.
var refusals = []string{"deny", "reject", "silent-drop", "tarpit", "return", "redirect", "auth"}

// checkClosed reports whether a visitor who half-closes a connection passes the rules
// that go by the agent's answers: HAProxy then interrupts the question, where
// option abortonclose holds, and goes on with its rules.
func (c *checker) checkClosed() {
	if c.engine.OnError == "" || c.cfg.LoadsLua() {
		return // told by NoSetOnError; a script may refuse
	}
	errorVar := c.engine.FullName("txn", c.engine.OnError)
	for _, f := range c.filters {
		first, closed, read := c.refusing(f.Proxy, errorVar)
		switch {
		case first == nil || closed || !c.abortsOnClose(f.Proxy):
		case !read:
			c.find(ErrorUnread, *first,
				fmt.Sprintf("this rule refuses by an answer of the agent, and no rule or log line reads %s, which says that no answer came", errorVar),
				"Where no answer comes, the request passes. It does so, too, where the visitor closes its sending side behind the request: with option abortonclose, HAProxy then interrupts the question.",
				fmt.Sprintf("Write \"http-request deny deny_status 400 if { var(%s) -m int 4 5 }\" before this rule: 4 and 5 are interrupted questions.", errorVar))
		default:
			c.find(InterruptedPasses, *first,
				fmt.Sprintf("this rule refuses by an answer of the agent, and no rule refuses a request whose question was interrupted (%s)", errorVar),
				"A visitor that closes its sending side behind the request passes: with option abortonclose, HAProxy then interrupts the question.",
				fmt.Sprintf("Write \"http-request deny deny_status 400 if { var(%s) -m int 4 5 }\" before this rule: 4 and 5 are interrupted questions.", errorVar))
		}
	}
}

// refusing returns the first rule of a proxy that refuses requests by an answer, and
// reports whether another one refuses those without, and whether errorVar is read.
func (c *checker) refusing(in *syntax.Section, errorVar string) (first *syntax.Directive, closed, read bool) {
	read = slices.ContainsFunc(c.mentions, func(m mention) bool { return m.read && m.scope+"."+m.name == errorVar })
	for i := range in.Lines {
		d := &in.Lines[i]
		if !d.Is("http-request") || len(d.Words) < 3 || !slices.Contains(refusals, d.Words[1]) {
			continue
		}
		texts := []string{d.Text()}
		for _, acl := range namedIn(*d, in.All()) {
			texts = append(texts, acl.Text())
		}
		for _, text := range texts {
			switch {
			case strings.Contains(text, "var("+errorVar+")"):
				closed = true
			case !c.readsAnswer(text) && !c.copied(text):
			case slices.Contains(d.Words, "unless"), strings.Contains(d.Text(), "!"):
				closed = true
			case first == nil && slices.Contains(d.Words, "if"):
				first = d
			}
		}
	}
	return first, closed, read
}

// readsAnswer reports whether a condition reads a variable that the agent sets.
func (c *checker) readsAnswer(text string) bool {
	for _, m := range varName.FindAllStringSubmatch(text, -1) {
		name, own := strings.CutPrefix(m[3], c.engine.Prefix+".")
		if own && (!c.knowsVars() || c.setsItself(m[2], name)) {
			return true
		}
	}
	return false
}

// copied reports whether a condition reads a variable that a rule has made of an
// answer.
func (c *checker) copied(text string) bool {
	return slices.ContainsFunc(c.mentions, func(m mention) bool {
		return m.set && m.in != nil && strings.Contains(text, "var("+m.scope+"."+m.name+")") && strings.Contains(m.at.Text(), "var("+m.scope+"."+c.engine.Prefix+".")
	})
}

// abortsOnClose reports whether HAProxy interrupts a question where a visitor
// half-closes, or may: its default from 3.3 on.
func (c *checker) abortsOnClose(s *syntax.Section) bool {
	if slices.ContainsFunc(s.All(), func(d syntax.Directive) bool { return d.Is("no", "option", "abortonclose") && !d.Maybe }) && !s.Has("abortonclose") {
		return false
	}
	return s.Has("abortonclose") || c.anyVersion || c.interrupts
}
