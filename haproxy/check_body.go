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

// buffers tells whether the body is there when a message is sent.
func (c *checker) buffers(s sending, rule string) bool {
	if rule == "http-request" && s.stage >= stageFrontendHTTP && s.proxy.has("http-buffer-request") {
		return true
	}
	for _, in := range c.cfg.sections {
		for i, d := range in.lines {
			switch {
			case !d.is(rule, "wait-for-body"):
			case in == s.proxy && s.rule >= 0 && i > s.rule && ruleStage(in, &d) == s.stage:
			case (in == s.proxy || in == s.proxy.defaults || in.kind == "frontend" && s.proxy.kind == "backend" || in.kind == "backend") && ruleStage(in, &d) <= s.stage:
				return true
			}
		}
	}
	return false
}

func (c *checker) findBody(m *spoeMessage, a sentArg, s sending, rule string) {
	mend := fmt.Sprintf("Write \"option http-buffer-request\" into %s %s.", s.proxy.kind, s.proxy.name)
	switch {
	case rule == "http-response":
		mend = "Send the message by a rule: \"http-response wait-for-body time 1s\", and \"http-response send-spoe-group\" behind it. The event on-http-response comes before both."
	case s.rule >= 0:
		mend += " Or write \"http-request wait-for-body time 1s\" before the rule that sends it."
	}
	c.find(BodyNotBuffered, a.at,
		fmt.Sprintf("the message %q has %s, for which %s %s does not wait", m.name, a.fetch, s.proxy.kind, s.proxy.name),
		"The agent gets as much of the body as has come with the head, often nothing, and cannot tell.", mend)
}

// defaultBufsize is HAProxy's tune.bufsize in bytes, where it is not set.
const defaultBufsize = 16384

// checkBuffer tells whether a handler gets the buffer that it asks for.
func (c *checker) checkBuffer(m *spoeMessage, known *Message) {
	if known.Buffer == 0 {
		return
	}
	size, at := defaultBufsize, m.head
	if v, d, ok := c.cfg.global("tune.bufsize"); ok {
		if n, ok := parseSize(v); ok {
			size, at = n, d
		}
	}
	what := "tune.bufsize"
	if f := c.engine.maxFrameSize; f > 0 && f < size-4 && f < known.Buffer-4 {
		size, at, what = f, c.engine.maxFrameSizeAt, "max-frame-size"
	} else if size >= known.Buffer {
		return
	}
	c.find(BufferTooSmall, at,
		fmt.Sprintf("%s is %d bytes, and the handler of %q asks for %d", what, size, m.name, known.Buffer),
		"Of a longer request the agent sees the beginning alone or, from HAProxy 3.1 on, where it does not fit into a frame, nothing at all (st=3).",
		fmt.Sprintf("Write \"tune.bufsize %d\" into a global section, or have the handler ask for less (Sending.Buffer).", known.Buffer))
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
