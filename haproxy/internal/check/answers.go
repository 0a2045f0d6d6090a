package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
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
		for _, m := range c.agent.Messages {
			s := c.engine.Message(m.Name)
			if s == nil || !slices.ContainsFunc(m.Vars, func(v model.Var) bool { return v.Sets(r.scope, name) }) {
				continue
			}
			for _, at := range c.sendings(s) {
				if !elsewhere(at.proxy, r.in) && (first == nil || at.before(first)) {
					first, by = &at, m.Name
				}
			}
		}
		if first != nil && first.isAfter(r) && !c.setByRule(r) {
			c.findEarly(r, first, by)
		}
	}
}

// before reports whether one sending comes before another one.
func (s *sending) before(o *sending) bool {
	return s.stage < o.stage || s.stage == o.stage && s.proxy == o.proxy && s.rule < o.rule
}

// isAfter reports whether a message is sent after a rule.
func (s *sending) isAfter(rule occurrence) bool {
	at := syntax.RuleStage(rule.in, &rule.at)
	return s.stage > at || s.stage == at && s.proxy == rule.in && s.rule > rule.line
}

func (c *checker) findEarly(r occurrence, s *sending, message string) {
	c.find(VariableReadEarly, r.at,
		fmt.Sprintf("the variable %s.%s is read before the message %q, which sets it, is sent (%s:%d)", r.scope, r.name, message, s.at.File, s.at.Line),
		"It is not set yet: an \"if\" on it never matches, an \"unless\" always does, and a header with it is empty.",
		"Put this rule after the rule that sends the message, or into a later stage; or send the message earlier.")
}
