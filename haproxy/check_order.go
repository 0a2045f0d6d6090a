package haproxy

import (
	"fmt"
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

// checkOrder tells which variables a message's condition or arguments read
// before a rule sets them.
func (c *checker) checkOrder(m *spoeMessage) {
	for _, s := range c.sendings(m) {
		lines := m.lines()
		if s.rule >= 0 {
			lines = append(lines, s.at) // its condition
		}
		for _, d := range lines {
			for _, v := range mentioned(&d) {
				if v.read {
					c.checkRead(m, s, v)
				}
			}
		}
	}
}

// checkRead tells whether all that set a variable come after it is read.
func (c *checker) checkRead(m *spoeMessage, s sending, v mention) {
	if c.setByAgents(v) {
		return
	}
	var later *directive
	early := false
	c.cfg.eachLine(func(in *section, d *directive) {
		for _, o := range mentioned(d) {
			if !o.set || o.scope != v.scope || o.name != v.name || elsewhere(s.proxy, in) {
				continue
			}
			if !c.after(s, in, d) {
				early = true
			} else if later == nil {
				later = d
			}
		}
	})
	if early || later == nil {
		return
	}
	effect := "Its condition does not see the variable: the message is sent, or not, as if it were not set."
	for _, a := range m.args {
		if a.at.line == v.at.line {
			effect = "HAProxy sends NULL for the argument, or what was set for an earlier request of the session."
		}
	}
	how := fmt.Sprintf("on %s, which comes before the rules", m.event)
	if s.rule >= 0 {
		how = "by a rule that comes earlier"
	}
	c.find(VariableSetLater, v.at,
		fmt.Sprintf("the message %q reads %s.%s, and is sent %s; it is set later, at %s:%d", m.name, v.scope, v.name, how, later.file, later.line),
		effect,
		"Send the message by a rule behind that one (a group, and \"http-request send-spoe-group\"), or set the variable earlier, such as by a tcp-request rule.")
}

// elsewhere tells whether a section's rules are for requests that another one's do
// not meet: each request has one frontend.
func elsewhere(proxy, in *section) bool {
	front := func(s *section) bool { return s.kind == "frontend" || s.kind == "listen" }
	return proxy != in && front(proxy) && front(in)
}

// after tells whether a rule comes after a sending.
func (c *checker) after(s sending, in *section, d *directive) bool {
	at := ruleStage(in, d)
	if at != s.stage || s.rule < 0 || in != s.proxy {
		return at > s.stage
	}
	return slices.IndexFunc(in.lines, func(o directive) bool { return o.file == d.file && o.line == d.line }) > s.rule
}

// setByAgents tells whether an engine's agent may set a variable: of those, the
// order is not looked at.
func (c *checker) setByAgents(v mention) bool {
	prefix := c.engine.prefix + "."
	return len(v.name) > len(prefix) && v.name[:len(prefix)] == prefix
}
