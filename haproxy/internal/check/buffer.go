package check

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/model"
	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// checkBuffer reports whether a handler gets the buffer that it asks for.
func (c *checker) checkBuffer(m *syntax.SPOEMessage, known *model.Message) {
	size, at, set := bufsize(c.cfg, nil)
	if !set {
		at = m.Head
	}
	if size < known.Buffer {
		c.find(BufferTooSmall, at,
			fmt.Sprintf("tune.bufsize is %d bytes, and the handler of %q asks for %d", size, m.Name, known.Buffer),
			"The agent sees only the beginning of a longer request.",
			fmt.Sprintf("Write \"tune.bufsize %d\" into a global section, or a smaller size into the route (Route.Buffer).", known.Buffer))
	} else {
		c.checkFrames(m, known, at)
	}
	// Four bytes of the buffer are the frame's length. HAProxy before 3.1 sends a
	// longer message in several frames.
	if f := c.engine.MaxFrameSize; f > 0 && f < min(size, known.Buffer)-4 && !c.before(3, 1) {
		c.find(BufferTooSmall, c.engine.MaxFrameSizeAt,
			fmt.Sprintf("max-frame-size is %d bytes, and the handler of %q asks for a buffer of %d", f, m.Name, known.Buffer),
			"HAProxy 3.1 and later do not send a longer message at all (st=3). Older versions send it in several frames.",
			"Remove \"max-frame-size\": a frame can then be as long as a buffer.")
	}
}

// checkLarge finds a body for which HAProxy 3.4 and later wait in a large buffer: it does
// not fit into a message.
func (c *checker) checkLarge(m *syntax.SPOEMessage) {
	regular, _, _ := bufsize(c.cfg, nil)
	for _, large := range c.cfg.GlobalsUntil(nil, "tune.bufsize.large") {
		if n, ok := syntax.ParseSize(large.Words[1]); !ok || n <= regular {
			continue
		}
		for _, side := range []struct{ name, rule string }{{"req.", "http-request"}, {"res.", "http-response"}} {
			i := slices.IndexFunc(m.Args, func(a syntax.SentArg) bool { return samples.Name(a.Fetch) == side.name+"body" })
			for _, s := range c.sendings(m) {
				at := slices.IndexFunc(s.proxy.All(), func(d syntax.Directive) bool {
					return d.Is(side.rule, "wait-for-body") && slices.Contains(d.Words, "use-large-buffer")
				})
				if i < 0 || at < 0 {
					continue
				}
				c.find(LargeBuffer, s.proxy.All()[at],
					fmt.Sprintf("this rule waits for a body in a large buffer, and the message %q has %s", m.Name, m.Args[i].Fetch),
					fmt.Sprintf("A message cannot be longer than tune.bufsize (%d): with a longer body HAProxy does not send it at all (st=3). Without \"use-large-buffer\" it would send the beginning of the body.", regular),
					fmt.Sprintf("Remove \"use-large-buffer\"; write \"tune.bufsize %s\" if the agent must see that much.", large.Words[1]))
			}
		}
	}
}

// checkFrames reports whether HAProxy knows the buffer when it reads the filter lines: from
// 3.1 on it then computes the longest message from the buffer.
func (c *checker) checkFrames(m *syntax.SPOEMessage, known *model.Message, at syntax.Directive) {
	for _, f := range c.filters {
		size, _, _ := bufsize(c.cfg, f.Proxy)
		if c.before(3, 1) || size >= known.Buffer {
			continue
		}
		c.find(BufferTooSmall, f.At,
			fmt.Sprintf("tune.bufsize is %d bytes where this line is read, and the handler of %q asks for %d; it is set later, at %s:%d", size, m.Name, known.Buffer, at.File, at.Line),
			"HAProxy 3.1 and later do not send a message that is longer than the buffer is here (st=3). Older versions send it in several frames.",
			"Load the file with \"tune.bufsize\" first: haproxy -f agents.cfg -f haproxy.cfg.")
	}
}

// bufsize returns tune.bufsize in bytes, and the line that sets it: the largest value that
// may be in force, for a section if until is not nil.
func bufsize(c *syntax.Configuration, until *syntax.Section) (size int, at syntax.Directive, set bool) {
	size = syntax.DefaultBufsize
	for _, d := range c.GlobalsUntil(until, "tune.bufsize") {
		if n, ok := syntax.ParseSize(d.Words[1]); ok && (!d.Maybe || n > size) {
			size, at, set = n, d, true
		}
	}
	return size, at, set
}
