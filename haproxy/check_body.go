package haproxy

import (
	"fmt"
	"slices"
	"strconv"
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

// defaultBufsize is HAProxy's tune.bufsize in bytes, where it is not set.
const defaultBufsize = 16384

// checkBuffer tells whether a handler gets the buffer that it asks for.
func (c *checker) checkBuffer(m *spoeMessage, known *Message) {
	size, at, set := c.cfg.bufsize(nil)
	if !set {
		at = m.head
	}
	if size < known.Buffer {
		c.find(BufferTooSmall, at,
			fmt.Sprintf("tune.bufsize is %d bytes, and the handler of %q asks for %d", size, m.name, known.Buffer),
			"Of a longer request the agent sees the beginning alone.",
			fmt.Sprintf("Write \"tune.bufsize %d\" into a global section, or have the handler ask for less (Sending.Buffer).", known.Buffer))
	} else {
		c.checkFrames(m, known, at)
	}
	// Four bytes of the buffer are the frame's length. HAProxy before 3.1 sends what
	// is larger in several frames.
	if f := c.engine.maxFrameSize; f > 0 && f < min(size, known.Buffer)-4 && !c.fragments {
		c.find(BufferTooSmall, c.engine.maxFrameSizeAt,
			fmt.Sprintf("max-frame-size is %d bytes, and the handler of %q asks for a buffer of %d", f, m.name, known.Buffer),
			"HAProxy 3.1 and later do not send it a longer request at all (st=3). Older ones do, in several frames.",
			"Take \"max-frame-size\" out: a frame is then as long as a buffer.")
	}
}

// checkFrames tells whether the buffer is known where the filter lines are read:
// HAProxy 3.1 and later make the longest message of it there.
func (c *checker) checkFrames(m *spoeMessage, known *Message, at directive) {
	for _, f := range c.filters {
		size, _, _ := c.cfg.bufsize(f.proxy)
		if c.fragments || size >= known.Buffer {
			continue
		}
		c.find(BufferTooSmall, f.at,
			fmt.Sprintf("tune.bufsize is %d bytes where this line is read, and the handler of %q asks for %d; it is set later, at %s:%d", size, m.name, known.Buffer, at.file, at.line),
			"HAProxy 3.1 and later do not send it a message that is longer than the buffer was here (st=3). Older ones do, in several frames.",
			"Load the file that has \"tune.bufsize\" first: haproxy -f agents.cfg -f haproxy.cfg.")
	}
}

// bufsize returns tune.bufsize in bytes, and where it is set: the largest one of
// those that may be in force. With a section it is what counts there.
func (c *configuration) bufsize(until *section) (size int, at directive, set bool) {
	size = defaultBufsize
	for _, d := range c.globalsUntil(until, "tune.bufsize") {
		if n, ok := parseSize(d.words[1]); ok && (!d.maybe || n > size) {
			size, at, set = n, d, true
		}
	}
	return size, at, set
}

// parseSize reads a size as HAProxy's configuration has it.
func parseSize(s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	if s == "" {
		return 0, false
	}
	shift := slices.Index([]byte("kmg"), s[len(s)-1]|0x20)
	n, err := strconv.Atoi(s[:len(s)-1])
	return n << (10 * (shift + 1)), err == nil && shift >= 0
}
