package haproxy

import (
	"fmt"
)

// checkBody tells whether HAProxy waits for a body before it sends it.
func (c *checker) checkBody(m *spoeMessage) {
	for _, a := range m.args {
		for _, side := range []struct{ name, rule string }{{"req.", "http-request"}, {"res.", "http-response"}} {
			if !fetchesBody(a.fetch, side.name) {
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

func (c *checker) findBody(m *spoeMessage, a sentArg, s sending, rule string) {
	effect := "The agent gets as much of the body as has come with the head, often nothing, and cannot tell."
	mend := fmt.Sprintf("Write \"option http-buffer-request\" into %s %s.", s.proxy.kind, s.proxy.name)
	switch {
	case rule == "http-response":
		mend = "Send the message by a rule: \"http-response wait-for-body time 1s\", and \"http-response send-spoe-group\" behind it. The event on-http-response comes before both."
	case s.stage < stageFrontendHTTP:
		mend = "Send the message on on-frontend-http-request. " + mend
	case s.stage >= stageServerSession:
		effect = "The agent gets nothing: HAProxy has sent the body on by then."
		mend = "Send the message on on-frontend-http-request or on-backend-http-request. " + mend
	case s.rule >= 0:
		mend += " Or write \"http-request wait-for-body time 1s\" before the rule that sends it."
	}
	c.find(BodyNotBuffered, a.at,
		fmt.Sprintf("the message %q has %s, for which %s %s does not wait", m.name, a.fetch, s.proxy.kind, s.proxy.name), effect, mend)
}

// buffers tells whether the body is there when a message is sent.
func (c *checker) buffers(s sending, rule string) bool {
	request := rule == "http-request"
	if request && (s.stage < stageFrontendHTTP || s.stage >= stageServerSession) {
		return false // it has not come, or is gone
	}
	for _, in := range c.cfg.sections {
		if !in.isProxy() || elsewhere(s.proxy, in) {
			continue
		}
		// A frontend waits before its own rules, a backend before those of its own.
		if request && in.has("http-buffer-request") && (in.kind != "backend" || s.stage >= stageBackendTCP) {
			return true
		}
		lines := in.all()
		for i, d := range lines {
			switch {
			case !d.is(rule, "wait-for-body"), ruleStage(in, &d) > s.stage:
			case in == s.proxy && s.rule >= 0 && ruleStage(in, &d) == s.stage && i > len(lines)-len(in.lines)+s.rule:
			default:
				return true
			}
		}
	}
	return false
}
