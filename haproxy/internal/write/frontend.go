package write

import (
	"slices"
	"strings"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/router"
)

func writeFrontend(a model.Agent, c Config) string {
	var t text
	t.comment("    ", "Asks the agents of "+c.Engine+". These lines are for the frontend, before its own rules; written by the agent itself (-print-config=frontend).")
	if agentFetchesBody(&a) {
		t.comment("    ", "Waits for the body, as far as it fits into a buffer, before anything is asked about it.")
		t.line("    option http-buffer-request")
	}
	t.line("    filter spoe engine", c.Engine, "config", c.SPOEFile)
	stages := askedOn(&a)
	c.writeRules(&t, a, stages, "tcp-request") // HAProxy wants these before others
	for _, g := range a.Groups() {
		t.line()
		t.comment("    ", "Asks "+strings.Join(a.Members(g), ", ")+", and waits for the answer. It may be behind other rules, and have a condition"+c.narrow(a)+".")
		t.line("    http-request send-spoe-group", c.Engine, g)
	}
	if vars := c.answers(a); len(vars) > 0 {
		t.line()
		t.comment("    ", "The answers, for rules that follow: "+strings.Join(vars, ", ")+".")
	}
	c.writeRules(&t, a, stages, "http-request")
	c.writeRules(&t, a, stages, "http-response")
	for _, e := range stages {
		if inBackend(e) {
			t.line()
			t.comment("    ", "What is asked behind the frontend's rules has its rule in the backends of the site. To FAIL CLOSED there:")
			for _, condition := range c.unanswered(a, e) {
				t.line("    #    "+rejecting[e], condition)
			}
		}
	}
	return t.String()
}

// narrow says what a condition of a group's rule asks for.
func (c *Config) narrow(a model.Agent) string {
	if c.signs(a, router.OnFrontendHTTPRequest) != nil {
		return "; the rule below about its answer then needs that, too: \"if COND !{ ... }\""
	}
	return ""
}

// answers are the variables that rules can read.
func (c *Config) answers(a model.Agent) []string {
	var vars []string
	for _, m := range a.Messages {
		for _, v := range m.Vars {
			if s := "var(" + c.fullName(v.Scope, v.Name) + ")"; !slices.Contains(vars, s) {
				vars = append(vars, s)
			}
		}
	}
	return vars
}

// askedOn returns the events that something is asked on, a group counting as one of the
// frontend's http-request rules; of those with the same rule and place the first.
// A message that sets nothing asks nothing.
func askedOn(a *model.Agent) []router.Event {
	used := map[router.Event]bool{}
	for _, m := range a.Messages {
		if m.SetsVars() {
			used[m.On()] = true
		}
	}
	var stages []router.Event
	for _, e := range router.Events() {
		if !used[e] {
			continue
		}
		if !slices.ContainsFunc(stages, func(o router.Event) bool {
			return rejecting[o] == rejecting[e] && inBackend(o) == inBackend(e)
		}) {
			stages = append(stages, e)
		}
	}
	return stages
}

// inBackend tells whether the rules behind an event are a backend's: those of
// responses in TCP are, too.
func inBackend(e router.Event) bool {
	switch e {
	case router.OnBackendTCPRequest, router.OnBackendHTTPRequest, router.OnServerSession, router.OnTCPResponse:
		return true
	}
	return false
}

// writeRules writes the rules of one kind that fail open or closed where messages
// have no answer.
func (c *Config) writeRules(t *text, a model.Agent, stages []router.Event, kind string) {
	for _, e := range stages {
		if inBackend(e) || !strings.HasPrefix(rejecting[e], kind+" ") {
			continue
		}
		t.line()
		why := "No answer: the agent is gone, slow, or failed on this request."
		if !c.tellsFailures(a, e) {
			why = "No answer: the agent is gone, or slow. That it failed on this request is not seen: it has no variable for that (Router.ErrorVar)."
		}
		conditions := c.unanswered(a, e)
		then, off := " Then it is refused: FAIL CLOSED.", ""
		if !c.FailClosed {
			lines := "line"
			if len(conditions) > 1 {
				lines = "lines"
			}
			then, off = " As it stands the request passes: FAIL OPEN. Take the '#' away from the next "+lines+" to FAIL CLOSED.", "#"
		}
		t.comment("    ", why+then)
		for _, condition := range conditions {
			t.line("    "+off+rejecting[e], condition)
		}
	}
}

// agentFetchesBody reports whether a message sends a request's body.
func agentFetchesBody(a *model.Agent) bool {
	return slices.ContainsFunc(a.Messages, func(m model.Message) bool {
		return slices.ContainsFunc(m.Args, func(arg model.Arg) bool { return samples.FetchesBody(samples.Unquoted(arg.Fetch), "req.") })
	})
}
