package check

import (
	"fmt"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkAnswers finds rules that read an answer before its message is sent.
func (c *checker) checkAnswers() {
	if !c.knowsVars() || c.cfg.LoadsLua() {
		return // another message may set it before
	}
	for _, r := range c.reads() {
		// Variables of the session or the process may be an earlier request's.
		if !r.read || r.in == nil || r.scope == "sess" || r.scope == "proc" || syntax.RuleStage(r.in, &r.at) == syntax.StageUnknown {
			continue
		}
		name, own := strings.CutPrefix(r.name, c.engine.Prefix+".")
		if !own {
			continue
		}
		var first *sending
		by := ""
		for message, s := range c.setters(r.scope, name) {
			if !elsewhere(s.proxy, r.in) && (first == nil || s.place().before(first.place())) {
				first, by = &s, message
			}
		}
		if first != nil && r.place().before(first.place()) && !c.setByRule(r) {
			c.findEarly(r, first, by)
		}
	}
}

func (c *checker) findEarly(r occurrence, s *sending, message string) {
	c.find(VariableReadEarly, r.at,
		fmt.Sprintf("the variable %s.%s is read before the message %q, which sets it, is sent (%s:%d)", r.scope, r.name, message, s.at.File, s.at.Line),
		"It is not set yet: an \"if\" on it never matches, an \"unless\" always does, and a header with it is empty.",
		"Put this rule after the rule that sends the message, or into a later stage; or send the message earlier.")
}
