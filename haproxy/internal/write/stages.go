package write

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/router"
)

// ruleSet is a kind of rules in HAProxy's configuration.
type ruleSet struct {
	name    string // such as http-request
	refuse  string // the action that refuses a request without a verdict
	aborted string // the action for a client that left while HAProxy waited
}

var (
	tcpRequest   = &ruleSet{"tcp-request content", "reject", "reject"}
	tcpResponse  = &ruleSet{"tcp-response content", "reject", "reject"}
	httpRequest  = &ruleSet{"http-request", "deny deny_status 503", "deny deny_status 400"}
	httpResponse = &ruleSet{"http-response", "deny deny_status 502", "deny deny_status 400"}
)

// ruleSets has the rules that follow each event.
var ruleSets = map[router.Event]*ruleSet{
	router.OnClientSession:       tcpRequest,
	router.OnFrontendTCPRequest:  tcpRequest,
	router.OnBackendTCPRequest:   tcpRequest,
	router.OnFrontendHTTPRequest: httpRequest,
	router.OnBackendHTTPRequest:  httpRequest,
	router.OnServerSession:       tcpResponse,
	router.OnTCPResponse:         tcpResponse,
	router.OnHTTPResponse:        httpResponse,
}

// inBackend reports whether the rules that follow an event are in the site's backends,
// as tcp-response rules are.
func inBackend(e router.Event) bool {
	switch e {
	case router.OnBackendTCPRequest, router.OnBackendHTTPRequest, router.OnServerSession, router.OnTCPResponse:
		return true
	}
	return false
}

// sameRules reports whether the same rules follow two events.
func sameRules(a, b router.Event) bool {
	return ruleSets[a] == ruleSets[b] && inBackend(a) == inBackend(b)
}

// stages returns the events after which rules look for verdicts, and only the first of
// several events with the same rules.
func stages(a *model.Agent) []router.Event {
	var all []router.Event
	for _, e := range router.Events() {
		asked := slices.ContainsFunc(a.Messages, func(m model.Message) bool { return m.SetsVars() && m.On() == e })
		if asked && !slices.ContainsFunc(all, func(o router.Event) bool { return sameRules(o, e) }) {
			all = append(all, e)
		}
	}
	return all
}

// placeGroups returns the agent with the stage of each group: the stage of a member's
// event, or the stage at which HAProxy has the members' samples.
func placeGroups(a model.Agent) (model.Agent, error) {
	a.Messages = slices.Clone(a.Messages)
	for _, g := range a.Groups() {
		var stage router.Event
		for _, m := range a.Messages {
			e := router.Event(m.Event)
			switch {
			case m.Group != g || e == "":
			case stage == "" || sameRules(stage, e):
				stage = e
			default:
				return a, fmt.Errorf("haproxy: messages of the group %q have events of different rules, %s and %s: one rule sends a group; use two groups", g, stage, e)
			}
		}
		if stage == "" {
			stage = router.OnFrontendHTTPRequest
			if needsResponse(&a, g) {
				stage = router.OnHTTPResponse
			}
		}
		for i := range a.Messages {
			if a.Messages[i].Group == g {
				a.Messages[i].Stage = stage
			}
		}
	}
	return a, nil
}

// needsResponse reports whether HAProxy has a sample of a group only on responses.
func needsResponse(a *model.Agent, group string) bool {
	return model.AnyArg(a, func(m *model.Message, arg *model.Arg) bool {
		return m.Group == group && !arg.Shared && !samples.On(arg.Fetch, router.OnFrontendHTTPRequest) && samples.On(arg.Fetch, router.OnHTTPResponse)
	})
}
