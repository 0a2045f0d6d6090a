package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkScopes finds variables of the scopes req and res that are set, or read, after
// their scope ends or before it begins. The scope req ends when HAProxy connects to a
// server; res begins then.
func (c *checker) checkScopes() {
	for i := range c.agent.Messages {
		known := &c.agent.Messages[i]
		m := c.engine.Message(known.Name)
		if m == nil {
			continue
		}
		sent := c.sendings(m)
		for _, v := range known.Vars {
			ofResponse := v.Scope == "res"
			if len(sent) == 0 || v.Scope != "req" && !ofResponse || v.Pattern {
				continue
			}
			full := c.engine.FullName(v.Scope, v.Name)
			if !slices.ContainsFunc(sent, func(s sending) bool { return (s.stage >= syntax.StageServerSession) == ofResponse }) {
				c.find(VariableGone, sent[0].at,
					fmt.Sprintf("the handler of %q sets %s, and its message is sent %s", m.Name, full, responseTime(!ofResponse)),
					fmt.Sprintf("At that time there are no variables of the scope %s: HAProxy ignores the action, and still logs st=0.", v.Scope),
					"Let the handler set a variable of the scope txn.")
				continue
			}
			for _, r := range c.reads() {
				if r.read && r.in != nil && r.scope+"."+r.name == full && !ofResponse && isAfterResponse(r) && !c.setByRule(r) {
					c.find(VariableGone, r.at,
						fmt.Sprintf("the variable %s is read here, %s", full, responseTime(true)),
						"Variables of the scope req end when HAProxy connects to a server: an \"if\" on it never matches, an \"unless\" always does, and a header or log field with it is empty.",
						"Let the handler set a variable of the scope txn.")
				}
			}
		}
	}
}

// responseTime returns the time of a scope's end, for a text.
func responseTime(response bool) string {
	if response {
		return "after the response has come"
	}
	return "before there is a response"
}

// isAfterResponse reports whether HAProxy evaluates a line after the response arrives.
func isAfterResponse(r occurrence) bool {
	return strings.HasPrefix(r.at.Words[0], "log-format") || syntax.RuleStage(r.in, &r.at) >= syntax.StageServerSession
}
