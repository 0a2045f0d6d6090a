package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkVerdicts finds rules that read an answer but never see one: an earlier rule ends
// the rules, or unsets the variable.
func (c *checker) checkVerdicts() {
	for _, r := range c.reads() {
		if !r.read || r.in == nil || syntax.RuleStage(r.in, &r.at) == syntax.StageUnknown || !c.ofAnswer(r) {
			continue
		}
		if d, action := ended(r.in, r.line); action != "" && slices.ContainsFunc(r.at.Words, func(w string) bool { return slices.Contains(endingActions, w) }) {
			c.find(RuleNotReached, r.at,
				fmt.Sprintf("this rule depends on the agent's answer (%s.%s), but %q before it (%s:%d) ends the rules whenever this one would apply", r.scope, r.name, action, d.File, d.Line),
				"HAProxy does not reach this rule: the answer has no effect.",
				"Move this rule before that one.")
		}
		if o := c.setBefore(r); o != nil {
			c.find(VariableOverwritten, r.at,
				fmt.Sprintf("the variable %s.%s is read here, but a rule overwrites it after its message is sent (%s:%d)", r.scope, r.name, o.at.File, o.at.Line),
				"This line reads the rule's value instead of the agent's answer.",
				"Put the message into a group, and \"http-request send-spoe-group\" after the rule that sets the variable.")
		}
		if u := c.unsetBefore(r); u != nil {
			c.find(VariableReadEarly, r.at,
				fmt.Sprintf("the variable %s.%s is read here, but a rule unsets it after its message is sent (%s:%d)", r.scope, r.name, u.at.File, u.at.Line),
				"It is no longer set: an \"if\" on it never matches, an \"unless\" always does, and a header with it is empty.",
				"Put the message into a group, and \"http-request send-spoe-group\" after the rule that unsets the variable.")
		}
	}
}

// ofAnswer reports whether a variable is one that the agent sets.
func (c *checker) ofAnswer(m occurrence) bool {
	name, own := strings.CutPrefix(m.name, c.engine.Prefix+".")
	return own && c.knowsVars() && c.setsItself(m.scope, name) && !slices.Contains(c.engine.OwnVars, name)
}

// unsetBefore returns a rule without a condition that unsets a variable before it is
// read, and after each message that sets it; or nil.
func (c *checker) unsetBefore(r occurrence) *occurrence {
	name := strings.TrimPrefix(r.name, c.engine.Prefix+".")
	i := slices.IndexFunc(c.occurrences, func(u occurrence) bool {
		return u.in == r.in && u.line < r.line && u.at.Is(r.at.Words[0]) && u.scope == r.scope && u.name == r.name &&
			strings.Contains(u.at.Text(), "unset-var(") && condition(u.in, u.at) == "" && !u.at.Maybe
	})
	if i < 0 || c.setByRule(r) || c.cfg.LoadsLua() || !c.onlyBefore(r.scope, name, c.occurrences[i]) {
		return nil
	}
	return &c.occurrences[i]
}

// onlyBefore reports whether each message that sets a variable is sent before a rule.
func (c *checker) onlyBefore(scope, name string, rule occurrence) bool {
	for _, s := range c.setters(scope, name) {
		if rule.place().before(s.place()) {
			return false
		}
	}
	return true
}

// setBefore returns a rule without a condition that overwrites a variable before it is
// read, and after each message that sets it; or nil.
func (c *checker) setBefore(r occurrence) *occurrence {
	name := strings.TrimPrefix(r.name, c.engine.Prefix+".")
	full := r.scope + "." + r.name
	for i := range c.occurrences {
		o := &c.occurrences[i]
		switch {
		case !o.set || o.in != r.in || o.place().stage == syntax.StageUnknown || o.scope != r.scope || o.name != r.name || condition(o.in, o.at) != "" || o.at.Maybe:
		case strings.Contains(o.at.Text(), "("+full+",") || strings.Contains(o.at.Text(), "var("+full+")") && strings.Count(o.at.Text(), full) > 1:
			// it depends on the variable, or is computed from it
		case !o.place().before(r.place()) || !c.onlyBefore(r.scope, name, *o):
		default:
			return o
		}
	}
	return nil
}
