package syntax

import (
	"slices"

	"github.com/spoke-go/spoke/router"
)

// Stage is a moment of a request or its response; a later moment is greater. Events
// come right before the rules of their own kind.
type Stage int

const (
	stageConnection Stage = iota // tcp-request connection and session rules
	stageClientSession
	stageFrontendTCP
	stageFrontendTCPRules
	StageFrontendHTTP
	stageFrontendHTTPRules
	stageFrontendEnd // redirect and use_backend lines
	StageBackendTCP
	stageBackendTCPRules
	stageBackendHTTP
	stageBackendHTTPRules
	stageBackendEnd // redirect, use-server and stick lines
	StageServerSession
	stageTCPResponse
	stageTCPResponseRules
	stageHTTPResponse
	stageHTTPResponseRules
	stageAfterResponse
	StageUnknown Stage = -1 // no rule, or a rule at an unknown time
)

var eventStages = map[router.Event]Stage{
	router.OnClientSession:       stageClientSession,
	router.OnFrontendTCPRequest:  stageFrontendTCP,
	router.OnFrontendHTTPRequest: StageFrontendHTTP,
	router.OnBackendTCPRequest:   StageBackendTCP,
	router.OnBackendHTTPRequest:  stageBackendHTTP,
	router.OnServerSession:       StageServerSession,
	router.OnTCPResponse:         stageTCPResponse,
	router.OnHTTPResponse:        stageHTTPResponse,
}

// EventStage returns the stage of an event for a proxy's filter, StageUnknown if it
// never occurs. In a listen section, events of backends occur with those of frontends,
// as in HAProxy.
func (c *Configuration) EventStage(event string, in *Section) Stage {
	e := router.Event(event)
	if in.Kind == "listen" {
		switch e {
		case router.OnBackendTCPRequest:
			e = router.OnFrontendTCPRequest
		case router.OnBackendHTTPRequest:
			e = router.OnFrontendHTTPRequest
		}
	}
	s, ok := eventStages[e]
	http := e == router.OnFrontendHTTPRequest || e == router.OnBackendHTTPRequest || e == router.OnHTTPResponse
	if !ok || http && !c.hasHTTP(in) || in.Kind == "backend" && s <= StageFrontendHTTP {
		return StageUnknown
	}
	return s
}

// hasHTTP reports whether a proxy may handle HTTP: a proxy of mode tcp does if its
// backend has mode http.
func (c *Configuration) hasHTTP(s *Section) bool {
	if s.Mode() == "http" {
		return true
	}
	return slices.ContainsFunc(s.All(), func(d Directive) bool {
		if !d.Is("use_backend") && !d.Is("default_backend") || len(d.Words) < 2 {
			return false
		}
		b := c.Find(d.Words[1], "backend", "listen")
		return b == nil || b.Mode() == "http" // its name may come from a rule, or it is in another file
	})
}

// RuleStage returns the stage of a rule of a section. Rules of a listen section count
// as a frontend's, because HAProxy evaluates them there first.
func RuleStage(s *Section, d *Directive) Stage {
	back := s.Kind == "backend"
	pick := func(front, behind Stage) Stage {
		if back {
			return behind
		}
		return front
	}
	switch {
	case d.Is("tcp-request", "connection"), d.Is("tcp-request", "session"):
		return stageConnection
	case d.Is("tcp-request"):
		return pick(stageFrontendTCPRules, stageBackendTCPRules)
	case d.Is("http-request"):
		return pick(stageFrontendHTTPRules, stageBackendHTTPRules)
	case d.Is("tcp-response"):
		return stageTCPResponseRules
	case d.Is("http-response"):
		return stageHTTPResponseRules
	case d.Is("http-after-response"):
		return stageAfterResponse
	case d.Is("use_backend"):
		return stageFrontendEnd
	case d.Is("redirect"):
		return pick(stageFrontendEnd, stageBackendEnd)
	case d.Is("use-server"), d.Is("stick", "on"), d.Is("stick", "match"), d.Is("stick", "store-request"):
		return stageBackendEnd
	}
	return StageUnknown
}
