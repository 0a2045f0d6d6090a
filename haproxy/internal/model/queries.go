package model

import (
	"slices"
	"strings"
	"time"

	"github.com/spoke-go/spoke/router"
)

// Where returns " (file:line)" of the registration, or "".
func (m *Message) Where() string {
	if m.Site == "" {
		return ""
	}
	return " (" + m.Site + ")"
}

// On returns the event at which HAProxy sends the message or, for one of a group,
// the event that precedes the rules of the same kind as its rule.
func (m *Message) On() router.Event {
	switch {
	case m.Stage != "":
		return m.Stage
	case m.Event != "":
		return router.Event(m.Event)
	}
	return router.OnFrontendHTTPRequest
}

// SetsVars reports whether the handler sets variables.
func (m *Message) SetsVars() bool { return len(m.Vars) > 0 || m.AnyVars }

// SetsVar reports whether a message's handler sets, or may set, the variable of that scope and name.
func SetsVar(m *Message, scope, name string) bool {
	return slices.ContainsFunc(m.Vars, func(v Var) bool { return v.Sets(scope, name) })
}

// Sets reports whether the variable is, or may be, the one of that scope and name.
func (v *Var) Sets(scope, name string) bool {
	return v.Scope == scope && (v.Name == name || v.Pattern && strings.HasPrefix(name, v.Beginning()))
}

// Beginning returns the name without a pattern's '*'.
func (v *Var) Beginning() string {
	if v.Pattern {
		return strings.TrimSuffix(v.Name, "*")
	}
	return v.Name
}

// AnyArg reports whether is holds for an argument of a message.
func AnyArg(a *Agent, is func(m *Message, arg *Arg) bool) bool {
	return slices.ContainsFunc(a.Messages, func(m Message) bool {
		return slices.ContainsFunc(m.Args, func(arg Arg) bool { return is(&m, &arg) })
	})
}

// LongestDeadline returns the longest deadline of the messages.
func LongestDeadline(a *Agent) (longest time.Duration) {
	for _, m := range a.Messages {
		longest = max(longest, time.Duration(m.Deadline))
	}
	return longest
}

// Groups returns the names of the groups, in the order in which they first occur.
func (a *Agent) Groups() []string {
	var names []string
	for _, m := range a.Messages {
		if m.Group != "" && !slices.Contains(names, m.Group) {
			names = append(names, m.Group)
		}
	}
	return names
}

// Members returns the names of the messages of a group or, for "", of those with
// an event.
func (a *Agent) Members(group string) []string {
	var names []string
	for _, m := range a.Messages {
		if m.Group == group {
			names = append(names, m.Name)
		}
	}
	return names
}
