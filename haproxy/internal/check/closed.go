package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// refusals are the actions that end a request without the site.
var refusals = []string{"deny", "reject", "silent-drop", "tarpit", "return", "redirect", "auth"}

// rulesOfKind are the kinds of rules that a visitor can get past: their words, the rule
// that refuses a request without an answer, and the sendings that a closing visitor
// interrupts while the request goes on. A message of a tcp-request content rule ends
// with the connection.
var rulesOfKind = []struct {
	words  []string
	refuse string
	passes func(s sending) bool
}{
	{[]string{"http-request"}, "http-request deny deny_status 400", func(s sending) bool { return true }},
	{[]string{"tcp-request", "content"}, "tcp-request content reject", func(s sending) bool {
		return s.rule < 0 && s.stage <= syntax.StageBackendTCP && s.proxy.Mode() != "http"
	}},
	{[]string{"http-response"}, "http-response deny deny_status 400", func(s sending) bool { return s.stage > syntax.StageServerSession }},
}

// The numbers of set-on-error that a visitor can cause.
var (
	interrupted = []int{4, 5}
	tooLong     = []int{3}
)

// checkClosed finds rules on the agent's answer that a visitor can get past: by
// half-closing the connection, because HAProxy then interrupts the question if option
// abortonclose is on, or by a request that is too long for a message.
func (c *checker) checkClosed() {
	if c.engine.OnError == "" || c.cfg.LoadsLua() {
		return // NoSetOnError reports it; a script may refuse
	}
	errorVar := c.engine.FullName("txn", c.engine.OnError)
	read := slices.ContainsFunc(c.occurrences, func(m occurrence) bool { return m.read && m.scope+"."+m.name == errorVar })
	for _, f := range c.filters {
		for _, kind := range rulesOfKind {
			first, closed := c.refusing(f.Proxy, kind.words, errorVar)
			if first == nil || !c.sendsTo(f.Proxy, kind.passes) {
				continue
			}
			if kind.words[0] == "tcp-request" && c.before(3, 1) {
				continue // the connection ends with the question
			}
			fix := fmt.Sprintf("Write \"%s if { var(%s) -m int 3 4 5 }\" before this rule: 4 and 5 are interrupted questions, 3 are requests that are too long for a message.", kind.refuse, errorVar)
			at := *first
			switch long := c.tooLong(f.Proxy); {
			case !closed(interrupted) && c.abortsOnClose(f.Proxy) && !read:
				c.find(ErrorUnread, at,
					fmt.Sprintf("this rule refuses requests by the agent's answer, but no rule or log line reads %s, the error if there is none", errorVar),
					"Without an answer the request passes. A visitor can cause that: with option abortonclose, HAProxy interrupts the question if the visitor closes its sending side after the request.", fix)
			case !closed(interrupted) && c.abortsOnClose(f.Proxy):
				c.find(InterruptedPasses, at,
					fmt.Sprintf("this rule refuses requests by the agent's answer, but no rule refuses a request whose question was interrupted (%s)", errorVar),
					"A visitor that closes its sending side after the request passes: with option abortonclose, HAProxy then interrupts the question.", fix)
			case long != "" && kind.words[0] != "http-response" && !closed(tooLong):
				c.find(TooLongPasses, at,
					fmt.Sprintf("this rule refuses requests by the agent's answer, but no rule refuses a request that is too long for a message (%s is 3)", errorVar),
					"A visitor that sends a long request passes: "+long, fix)
			}
		}
	}
}

// sendsTo reports whether one of a kind's sendings sends a message about the requests
// or responses to which a proxy's rules apply.
func (c *checker) sendsTo(in *syntax.Section, is func(s sending) bool) bool {
	return slices.ContainsFunc(c.engine.Messages, func(m *syntax.SPOEMessage) bool {
		return slices.ContainsFunc(c.sendings(m), func(s sending) bool { return is(s) && !elsewhere(s.proxy, in) })
	})
}

// refusing returns the first rule of a kind that refuses by an answer. closed reports
// whether rules refuse requests without an answer: for all of these numbers, or for any
// reason.
func (c *checker) refusing(in *syntax.Section, kind []string, errorVar string) (first *syntax.Directive, closed func(numbers []int) bool) {
	absent := false
	var errors []func(n int) bool
	for i := range in.Lines {
		d := &in.Lines[i]
		if !d.Is(kind...) || len(d.Words) <= len(kind) || !slices.Contains(refusals, d.Words[len(kind)]) {
			continue
		}
		tests := []syntax.Directive{*d}
		tests = append(tests, namedIn(*d, in.All())...)
		negated := slices.Contains(d.Words, "unless") || strings.Contains(d.Text(), "!")
		for _, test := range tests {
			switch text := test.Text(); {
			case strings.Contains(text, "var("+errorVar+")"):
				errors = append(errors, func(n int) bool { return negated || matchesNumber(test, errorVar, n) })
			case !c.readsAnswer(text) && !c.copied(text):
			case negated:
				absent = true
			case first == nil && slices.Contains(d.Words, "if"):
				first = d
			}
		}
	}
	return first, func(numbers []int) bool {
		return absent || !slices.ContainsFunc(numbers, func(n int) bool {
			return !slices.ContainsFunc(errors, func(matches func(int) bool) bool { return matches(n) })
		})
	}
}

// matchesNumber reports whether a test of a variable holds for a number, or may.
func matchesNumber(d syntax.Directive, variable string, n int) bool {
	i := slices.IndexFunc(d.Words, func(w string) bool { return strings.Contains(w, "var("+variable+")") })
	if i < 0 {
		return true
	}
	words := d.Words[i:]
	if end := slices.Index(words, "}"); end >= 0 {
		words = words[:end]
	}
	m := slices.Index(words, "-m")
	if m < 0 || m+1 >= len(words) || words[m+1] != "int" && words[m+1] != "str" || strings.Contains(words[0], ",") {
		return true
	}
	op := "eq"
	for _, w := range words[m+2:] {
		if slices.Contains([]string{"eq", "ge", "gt", "le", "lt"}, w) {
			op = w
			continue
		}
		low, high, ranged := strings.Cut(w, ":")
		from, err := strconv.Atoi(low)
		if err != nil && low != "" || ranged && strings.Contains(high, ":") {
			continue // a flag, or text that does not equal a number
		}
		to, err := strconv.Atoi(high)
		switch {
		case ranged && n >= from && (err != nil || n <= to):
			return true
		case ranged:
		case op == "eq" && n == from, op == "ge" && n >= from, op == "gt" && n > from, op == "le" && n <= from, op == "lt" && n < from:
			return true
		}
	}
	return false
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

// copied reports whether a condition reads a variable that a rule computes from an
// answer.
func (c *checker) copied(text string) bool {
	return slices.ContainsFunc(c.occurrences, func(m occurrence) bool {
		return m.set && m.in != nil && strings.Contains(text, "var("+m.scope+"."+m.name+")") && strings.Contains(m.at.Text(), "var("+m.scope+"."+c.engine.Prefix+".")
	})
}

// abortsOnClose reports whether HAProxy interrupts, or may interrupt, a question if the
// visitor half-closes. From 3.3 on it does by default.
func (c *checker) abortsOnClose(s *syntax.Section) bool {
	if slices.ContainsFunc(s.All(), func(d syntax.Directive) bool { return d.Is("no", "option", "abortonclose") && !d.Maybe }) && !s.Has("abortonclose") {
		return false
	}
	return s.Has("abortonclose") || c.anyVersion || c.since(3, 3)
}
