package write

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/router"
)

// verdicts are the rules' conditions under which a stage lacks a verdict.
type verdicts struct {
	// missing are conditions, one for each rule: "unless { … }" or "if …".
	missing []string
	// unseen are the messages for which no condition can be made.
	unseen []unseen
}

// unseen is a message whose missing verdict no rule can see.
type unseen struct {
	message model.Message
	reason  error
}

// verdicts returns the conditions of a stage. A verdict is missing, whatever the
// reason, if a variable that each answer sets does not exist.
func (c *Config) verdicts(a model.Agent, e router.Event) (v verdicts) {
	var always []string // tests that hold for each verdict
	for _, m := range a.Messages {
		if !m.SetsVars() || !sameRules(m.On(), e) {
			continue
		}
		sure, err := c.answerVar(a, m, e)
		if err != nil {
			v.unseen = append(v.unseen, unseen{m, err})
			continue
		}
		found := "{ var(" + c.fullName(sure.Scope, sure.Name) + ") -m found }"
		switch alts, ok := c.parseCondition(m.Condition); {
		case m.Condition == "" && m.Group != "": // the user's own condition may join it
			v.missing = append(v.missing, "if !"+found)
		case m.Condition == "":
			always = append(always, found)
		case !ok:
			v.unseen = append(v.unseen, unseen{m, fmt.Errorf("no rule can repeat the condition %q, because it may have another result then: use a condition on the request alone", m.Condition)})
		default:
			for _, terms := range alts {
				line := "if"
				for _, t := range terms {
					line += " " + t.String()
				}
				v.missing = append(v.missing, line+" !"+found)
			}
		}
	}
	for part := range slices.Chunk(always, 8) { // a line has up to 64 words
		v.missing = append(v.missing, "unless "+strings.Join(part, " "))
	}
	return v
}

// answerVar returns a variable that each answer to a message sets and no other message sets.
func (c *Config) answerVar(a model.Agent, m model.Message, e router.Event) (model.Var, error) {
	var shared string
	for _, v := range m.Vars {
		switch {
		case !v.Always || !lasts(v.Scope, e):
		case setters(&a, v) > 1:
			shared = v.Name
		default:
			return v, nil
		}
	}
	if shared != "" {
		return model.Var{}, fmt.Errorf("other messages set %s too, so no rule can see which answer is missing: give each message a variable of its own", shared)
	}
	return model.Var{}, fmt.Errorf("no variable is set with each answer, so no rule can see that one is missing: register it with Handle and return a struct that has a field without omitempty, in the scope txn")
}

// setters returns how many messages set a variable.
func setters(a *model.Agent, v model.Var) (n int) {
	for _, m := range a.Messages {
		if slices.ContainsFunc(m.Vars, func(o model.Var) bool { return o.Sets(v.Scope, v.Name) }) {
			n++
		}
	}
	return n
}

// unanswered returns a condition that holds if HAProxy got no answer or the handler
// failed. It does not hold if the agent does not know the message.
func (c *Config) unanswered(a model.Agent, e router.Event) string {
	condition := "if { var(" + c.fullName("txn", errorVar) + ") -m found }"
	if scope, name, ok := strings.Cut(a.FailureVar, "."); ok && lasts(scope, e) {
		condition += " || { var(" + c.fullName(scope, name) + ") -m found }"
	}
	return condition
}

// lasts reports whether a variable that is set in a stage exists in the stage's rules,
// and cannot be from an earlier request.
func lasts(scope string, e router.Event) bool {
	response := e == router.OnTCPResponse || e == router.OnHTTPResponse
	return scope == "txn" || scope == "res" && response || scope == "req" && !response && e != router.OnServerSession
}
