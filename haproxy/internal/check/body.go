package check

import (
	"fmt"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkBody reports whether HAProxy waits for a body before it sends it.
func (c *checker) checkBody(m *syntax.SPOEMessage) {
	for _, a := range m.Args {
		for _, side := range []struct{ name, rule string }{{"req.", "http-request"}, {"res.", "http-response"}} {
			if !samples.FetchesBody(a.Fetch, side.name) {
				continue
			}
			for _, s := range c.sendings(m) {
				if !c.buffers(s, side.rule) {
					c.findBody(m, a, s, side.rule)
				}
			}
		}
	}
}

func (c *checker) findBody(m *syntax.SPOEMessage, a syntax.SentArg, s sending, rule string) {
	effect := "The agent gets only the part of the body that came with the headers, often none, and cannot tell."
	fix := fmt.Sprintf("Write \"option http-buffer-request\" into %s %s.", s.proxy.Kind, s.proxy.Name)
	switch {
	case rule == "http-response":
		fix = "Send the message by a rule: \"http-response wait-for-body time 1s\", then \"http-response send-spoe-group\". The event on-http-response comes before both."
	case s.stage < syntax.StageFrontendHTTP:
		fix = "Send the message on on-frontend-http-request. " + fix
	case s.stage >= syntax.StageServerSession:
		effect = "The agent gets an empty body: HAProxy has passed the body on before."
		fix = "Send the message on on-frontend-http-request or on-backend-http-request. " + fix
	case s.rule >= 0:
		fix += " Or write \"http-request wait-for-body time 1s\" before the rule that sends it."
	}
	c.find(BodyNotBuffered, a.At,
		fmt.Sprintf("the message %q has %s, for which %s %s does not wait", m.Name, a.Fetch, s.proxy.Kind, s.proxy.Name), effect, fix)
}

// buffers reports whether the body is there when a message is sent.
func (c *checker) buffers(s sending, rule string) bool {
	request := rule == "http-request"
	if request && (s.stage < syntax.StageFrontendHTTP || s.stage >= syntax.StageServerSession) {
		return false // no body is in the buffer at that point
	}
	for _, in := range c.cfg.Sections {
		if !in.IsProxy() || elsewhere(s.proxy, in) {
			continue
		}
		// A frontend waits before its rules, a backend before its own rules.
		if request && in.Has("http-buffer-request") && (in.Kind != "backend" || s.stage >= syntax.StageBackendTCP) {
			return true
		}
		lines := in.All()
		for i, d := range lines {
			switch {
			case !d.Is(rule, "wait-for-body"), syntax.RuleStage(in, &d) > s.stage:
			case in == s.proxy && s.rule >= 0 && syntax.RuleStage(in, &d) == s.stage && i > len(lines)-len(in.Lines)+s.rule:
			default:
				return true
			}
		}
	}
	return false
}
