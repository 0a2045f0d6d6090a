package haproxy

import (
	"slices"
	"strings"

	"github.com/spoke-go/spoke/router"
)

// unanswered are the conditions under which a stage has no answer, one for each
// rule. A variable that each answer sets, and nothing else, is the surest sign;
// where one of the messages has none, or is not always sent, there are those of
// failures.
func (c *Config) unanswered(a Agent, e router.Event) []string {
	signs := c.signs(a, e)
	if signs == nil {
		condition := "if { var(" + c.fullName("txn", errorVar) + ") -m found }"
		if failure := c.failure(a, e); failure != "" {
			condition += " || { var(" + failure + ") -m found }"
		}
		return []string{condition}
	}
	var conditions []string
	for part := range slices.Chunk(signs, 8) { // HAProxy has up to 64 words in a line
		conditions = append(conditions, "unless "+strings.Join(part, " "))
	}
	return conditions
}

// signs are the variables of which each is found where a stage has its answers.
func (c *Config) signs(a Agent, e router.Event) []string {
	var signs []string
	for _, m := range a.Messages {
		if !m.asks() || rejecting[m.stage()] != rejecting[e] || inBackend(m.stage()) != inBackend(e) {
			continue
		}
		i := slices.IndexFunc(m.Vars, func(v Var) bool { return v.Always && lasts(v.Scope, e) && a.setters(v) == 1 })
		if i < 0 || m.Condition != "" {
			return nil
		}
		signs = append(signs, "{ var("+c.fullName(m.Vars[i].Scope, m.Vars[i].Name)+") -m found }")
	}
	return signs
}

// setters returns how many messages set a variable.
func (a *Agent) setters(v Var) (n int) {
	for _, m := range a.Messages {
		if slices.ContainsFunc(m.Vars, func(o Var) bool { return o.Scope == v.Scope && o.Name == v.Name }) {
			n++
		}
	}
	return n
}

// failure is the variable that says in a stage's rules that a handler failed, or
// empty.
func (c *Config) failure(a Agent, e router.Event) string {
	if scope, name, ok := strings.Cut(a.FailureVar, "."); ok && lasts(scope, e) {
		return c.fullName(scope, name)
	}
	return ""
}

// tellsFailures tells whether a stage's rules see that a handler failed.
func (c *Config) tellsFailures(a Agent, e router.Event) bool {
	return c.signs(a, e) != nil || c.failure(a, e) != ""
}

// lasts tells whether a variable that is set in a stage is there in the stage's
// rules, and not from an earlier request.
func lasts(scope string, e router.Event) bool {
	response := e == router.OnTCPResponse || e == router.OnHTTPResponse
	return scope == "txn" || scope == "res" && response || scope == "req" && !response && e != router.OnServerSession
}
