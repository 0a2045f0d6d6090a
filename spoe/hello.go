package spoe

import (
	"fmt"
	"log/slog"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/safetext"
)

// maxHello is the longest HAPROXY-HELLO taken, in bytes; HAProxy's has some 150.
const maxHello = 16 << 10

// handshake reads the HAPROXY-HELLO and answers it (§3.2.4, §3.2.5).
func (c *conn) handshake() error {
	f, err := c.readHello()
	if err != nil {
		return err
	}
	if err := checkHello(f); err != nil {
		return err
	}
	h, err := codec.ParseHAProxyHello(f.Payload)
	if err != nil {
		return err
	}
	if h.Healthcheck {
		return c.answerCheck(h)
	}
	if err := c.takeSlot(); err != nil {
		return err
	}
	c.agree(h)
	t := now()
	c.clock.lastFrame.Store(t)
	c.mu.Lock()
	fine := c.setPhaseLocked(open)
	c.mu.Unlock()
	if !fine {
		return errLast // the hello came too late
	}
	c.clock.arm(t + int64(c.shared.idle))
	c.setMaxAge()
	c.log(slog.LevelDebug, "connected", slog.Int("max_frame_size", c.maxFrameSize), slog.String("capabilities", safetext.Clip(h.Capabilities, maxText)))
	c.sendHello(h, false)
	return nil
}

func (c *conn) readHello() (codec.Frame, error) {
	for {
		frame, ok, err := c.r.next(maxHello)
		if err != nil {
			return codec.Frame{}, c.explainHello(err)
		}
		if ok {
			c.clock.frameSince.Store(never)
			return codec.ParseFrame(frame)
		}
		if err := c.r.fill(); err != nil {
			return codec.Frame{}, err
		}
	}
}

// checkHello checks that the frame is a HAPROXY-HELLO as §3.2.4 defines it.
func checkHello(f codec.Frame) error {
	switch {
	case f.Type != codec.FrameHAProxyHello:
		return invalid("%s where a HAPROXY-HELLO was due", f.Type)
	case !f.FIN():
		return invalid("HAPROXY-HELLO without FIN; it cannot be fragmented")
	case f.StreamID != 0 || f.FrameID != 0:
		return invalid("HAPROXY-HELLO with stream-id %d and frame-id %d; both are 0", f.StreamID, f.FrameID)
	}
	return nil
}

// answerCheck answers a health check by a hello, or, so that HAProxy turns to
// other servers while the agent shuts down, by closing: HAProxy takes the
// payload of a DISCONNECT for that of a hello.
func (c *conn) answerCheck(h codec.HAProxyHello) error {
	if c.shared.checks.SeenHealth(c.haproxy.Load().peer, isClosed(c.shared.draining), isClosed(c.shared.settled)) {
		c.shared.counters.healthChecksFailed.Add(1)
		c.log(slog.LevelDebug, "health check failed: shutting down")
		return errClosed
	}
	c.shared.counters.healthChecks.Add(1)
	c.log(slog.LevelDebug, "health check")
	c.agree(h)
	c.sendHello(h, true)
	return errLast
}

// agree takes the lower of both frame sizes.
func (c *conn) agree(h codec.HAProxyHello) {
	c.maxFrameSize = int(min(int64(c.shared.maxFrameSize), int64(h.MaxFrameSize)))
	c.haproxy.Store(&haproxy{
		peer:         c.haproxy.Load().peer,
		engineID:     safetext.Clip(h.EngineID, maxText),
		maxFrameSize: c.maxFrameSize,
		applet:       h.Async(),
	})
}

// sendHello queues the AGENT-HELLO; it leaves in one write, as HAProxy 3.x
// needs it.
func (c *conn) sendHello(h codec.HAProxyHello, last bool) {
	caps := codec.CapFragmentation
	if h.Pipelining() {
		caps = codec.CapPipelining + "," + codec.CapFragmentation
	}
	hello := codec.AgentHello{Version: codec.Version, MaxFrameSize: uint32(c.maxFrameSize), Capabilities: caps}
	c.send(codec.Frame{Type: codec.FrameAgentHello, Flags: codec.FlagFIN, Payload: hello.Append(nil)}, last)
}

// invalid is a frame that gets status 4.
func invalid(format string, args ...any) error {
	return &codec.Error{Status: codec.StatusInvalid, Reason: fmt.Sprintf(format, args...)}
}

// tooBig is a frame that gets status 3.
func tooBig(n uint32, max int) error {
	return &codec.Error{Status: codec.StatusTooBig, Reason: fmt.Sprintf("frame of %d bytes, agreed are %d", n, max)}
}
