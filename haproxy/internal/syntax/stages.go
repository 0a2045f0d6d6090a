package haproxy

import (
	"slices"

	"github.com/spoke-go/spoke/router"
)

// stage is when something happens to a request or its response: a greater one
// later. Events come right before the rules of their own kind.
type stage int

const (
	stageConnection stage = iota // tcp-request connection and session rules
	stageClientSession
	stageFrontendTCP
	stageFrontendTCPRules
	stageFrontendHTTP
	stageFrontendHTTPRules
	stageBackendTCP
	stageBackendTCPRules
	stageBackendHTTP
	stageBackendHTTPRules
	stageServerSession
	stageTCPResponse
	stageTCPResponseRules
	stageHTTPResponse
	stageHTTPResponseRules
	stageAfterResponse
	stageUnknown stage = -1 // no rule, or one of which the time is not known
)

var eventStages = map[router.Event]stage{
	router.OnClientSession:       stageClientSession,
	router.OnFrontendTCPRequest:  stageFrontendTCP,
	router.OnFrontendHTTPRequest: stageFrontendHTTP,
	router.OnBackendTCPRequest:   stageBackendTCP,
	router.OnBackendHTTPRequest:  stageBackendHTTP,
	router.OnServerSession:       stageServerSession,
	router.OnTCPResponse:         stageTCPResponse,
	router.OnHTTPResponse:        stageHTTPResponse,
}

// eventStage returns when an event occurs for a proxy's filter, stageUnknown where
// it never does. In a listen section those of backends are those of frontends, as
// HAProxy has it.
func (c *configuration) eventStage(event string, in *section) stage {
	e := router.Event(event)
	if in.kind == "listen" {
		switch e {
		case router.OnBackendTCPRequest:
			e = router.OnFrontendTCPRequest
		case router.OnBackendHTTPRequest:
			e = router.OnFrontendHTTPRequest
		}
	}
	s, ok := eventStages[e]
	http := e == router.OnFrontendHTTPRequest || e == router.OnBackendHTTPRequest || e == router.OnHTTPResponse
	if !ok || http && !c.hasHTTP(in) || in.kind == "backend" && s <= stageFrontendHTTP {
		return stageUnknown
	}
	return s
}

// hasHTTP tells whether a proxy may have HTTP: in mode tcp what a backend of mode
// http makes it.
func (c *configuration) hasHTTP(s *section) bool {
	if s.mode() == "http" {
		return true
	}
	return slices.ContainsFunc(s.all(), func(d directive) bool {
		if !d.is("use_backend") && !d.is("default_backend") || len(d.words) < 2 {
			return false
		}
		b := c.find(d.words[1], "backend", "listen")
		return b == nil || b.mode() == "http" // by a name that rules make up, or in another file
	})
}

// ruleStage returns when a rule of a section is evaluated. A listen section's
// count as a frontend's, which is what they are first.
func ruleStage(s *section, d *directive) stage {
	back := s.kind == "backend"
	pick := func(front, behind stage) stage {
		if back {
			return behind
		}
		return front
	}
	switch {
	case d.is("tcp-request", "connection"), d.is("tcp-request", "session"):
		return stageConnection
	case d.is("tcp-request"):
		return pick(stageFrontendTCPRules, stageBackendTCPRules)
	case d.is("http-request"):
		return pick(stageFrontendHTTPRules, stageBackendHTTPRules)
	case d.is("tcp-response"):
		return stageTCPResponseRules
	case d.is("http-response"):
		return stageHTTPResponseRules
	case d.is("http-after-response"):
		return stageAfterResponse
	}
	return stageUnknown
}
