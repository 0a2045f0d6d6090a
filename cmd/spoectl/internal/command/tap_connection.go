package command

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/recording"
	"github.com/spoke-go/spoke/codec"
)

// tapped is one connection.
type tapped struct {
	*proxy
	n              int
	haproxy, agent net.Conn

	// mu guards the fields below, and keeps a NOTIFY from passing after the end.
	mu       sync.Mutex
	inFlight int
	ending   bool // it closes once nothing is in flight
}

// serve ends gracefully with ctx, at once with hard.
func (c *tapped) serve(ctx, hard context.Context) {
	defer c.haproxy.Close()
	agent, err := c.dial(ctx)
	if err != nil {
		c.ended("the agent cannot be reached: " + oneLine(err.Error()))
		reset(c.haproxy)
		return
	}
	c.agent = agent
	defer agent.Close()
	c.say("connected")
	defer context.AfterFunc(ctx, c.end)()
	defer context.AfterFunc(hard, c.close)()
	var wg sync.WaitGroup
	wg.Go(func() { c.pass(c.haproxy, c.agent, false) }) // ends with either side, or close
	wg.Go(func() { c.pass(c.agent, c.haproxy, true) })  // the same
	wg.Wait()
	c.ended("closed")
}

// say reports something else than a frame.
func (c *tapped) say(text string) {
	c.tell(event{Record: recording.Record{Conn: c.n}, text: text})
}

// ended reports the connection's end.
func (c *tapped) ended(text string) {
	c.tell(event{Record: recording.Record{Conn: c.n}, text: text, ended: true})
}

func (c *tapped) close() {
	c.haproxy.Close()
	c.agent.Close()
}

// end closes the connection once nothing is in flight.
func (c *tapped) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	if c.inFlight <= 0 {
		c.close()
	}
}

// pass copies from one side to the other, a write for a read: an AGENT-HELLO must arrive in
// one piece. If to accepts no more bytes, only this direction ends: bytes that to has sent
// before are still passed on, such as an ACK and the DISCONNECT of an agent that closes
// with NOTIFYs unread.
func (c *tapped) pass(from, to net.Conn, byAgent bool) {
	var s splitter
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			last := c.seen(&s, b[:n], byAgent)
			if _, err := to.Write(b[:n]); err != nil {
				c.broke(err, !byAgent)
				reset(from) // once serve closes it
				return
			}
			if last {
				c.end()
			}
		}
		if err != nil {
			c.finish(from, to, byAgent, err)
			return
		}
	}
}

// seen reports the frames that b ends, before they are passed on: a question is always
// reported before its answer. last is true if they leave no NOTIFY in flight and the
// connection should end.
func (c *tapped) seen(s *splitter, b []byte, byAgent bool) (last bool) {
	frames, problem := s.add(b)
	for _, f := range frames {
		c.tell(event{Record: recording.Record{Conn: c.n, ByAgent: byAgent, Frame: f}})
		if c.count(f, byAgent) {
			last = true
		}
	}
	if problem != "" {
		c.say(problem)
	}
	return last
}

// count keeps track of NOTIFYs in flight, from their first fragment on, unless they are
// aborted.
func (c *tapped) count(frame []byte, byAgent bool) (last bool) {
	if len(frame) < codec.LengthSize+codec.MinFrameLength {
		return false
	}
	typ, flags := codec.FrameType(frame[codec.LengthSize]), codec.Flags(frame[codec.LengthSize+4])
	fin, abort := flags&codec.FlagFIN != 0, flags&codec.FlagABORT != 0
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case byAgent && typ == codec.FrameAck:
		c.acks.Add(1)
		c.inFlight--
	case !byAgent && typ == codec.FrameUnset && abort:
		c.inFlight--
	case !byAgent && (typ == codec.FrameNotify || typ == codec.FrameUnset):
		if typ == codec.FrameNotify {
			c.inFlight++
		}
		if fin {
			c.notifies.Add(1)
		}
		return false
	default:
		return false
	}
	return c.ending && c.inFlight <= 0
}

// finish forwards the end of one direction, as a FIN or a reset.
func (c *tapped) finish(from, to net.Conn, byAgent bool, err error) {
	if errors.Is(err, io.EOF) {
		c.say(side(byAgent) + " closed")
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // where to is gone, its reader sees it
		}
		return
	}
	if errors.Is(err, syscall.ECONNRESET) {
		c.say(side(byAgent) + " reset the connection")
		reset(to)
	} else {
		c.broke(err, byAgent)
	}
	socket(to).Close()
	socket(from).Close()
}

// broke tells of an error that is more than the end of a connection, of which
// its reader tells.
func (c *tapped) broke(err error, byAgent bool) {
	for _, end := range []error{net.ErrClosed, syscall.EPIPE, syscall.ECONNRESET} {
		if errors.Is(err, end) {
			return
		}
	}
	c.say(side(byAgent) + ": " + oneLine(err.Error()))
}

func side(agent bool) string {
	if agent {
		return "the agent"
	}
	return "HAProxy"
}

// reset makes the next close of a TCP connection send RST.
func reset(c net.Conn) {
	if t, ok := socket(c).(*net.TCPConn); ok {
		_ = t.SetLinger(0) // it is about to be closed in any case
	}
}

// socket is the connection below TLS, which is closed without a TLS alert.
func socket(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}
