package haproxy

import (
	"fmt"
	"slices"
	"strconv"
)

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
			fmt.Sprintf("Write \"tune.bufsize %d\" into a global section, or have the handler ask for less (Route.Buffer).", known.Buffer))
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
