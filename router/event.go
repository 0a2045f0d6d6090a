package router

import (
	"slices"
	"strings"
)

// Event is the moment at which HAProxy sends a message (SPOE.txt §2.3 and §3.3), as its
// spoe-message section names it. Each comes before the rules of its own stage:
// on-frontend-http-request before the frontend's http-request rules.
type Event string

// The events, in the order in which they come.
const (
	OnClientSession       Event = "on-client-session" // also with each later request of the connection
	OnFrontendTCPRequest  Event = "on-frontend-tcp-request"
	OnFrontendHTTPRequest Event = "on-frontend-http-request"
	OnBackendTCPRequest   Event = "on-backend-tcp-request"
	OnBackendHTTPRequest  Event = "on-backend-http-request"
	OnServerSession       Event = "on-server-session"
	OnTCPResponse         Event = "on-tcp-response"
	OnHTTPResponse        Event = "on-http-response"
)

var events = []Event{
	OnClientSession, OnFrontendTCPRequest, OnFrontendHTTPRequest, OnBackendTCPRequest,
	OnBackendHTTPRequest, OnServerSession, OnTCPResponse, OnHTTPResponse,
}

// Events returns all events, in the order in which they come.
func Events() []Event { return slices.Clone(events) }

func eventList() string {
	var names []string
	for _, e := range events {
		names = append(names, string(e))
	}
	return strings.Join(names, ", ")
}
