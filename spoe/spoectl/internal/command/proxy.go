package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// event is a frame that went by, or something else that a connection did.
type event struct {
	at      time.Duration
	conn    int
	byAgent bool
	frame   []byte // nil: text
	text    string
	ended   bool // the connection's last event
}

// proxy passes bytes on between HAProxy and an agent.
type proxy struct {
	dial   func(ctx context.Context) (net.Conn, error)
	begin  time.Time
	events chan event

	notifies, acks atomic.Uint64
	conns          int // of serve alone
}

// drain is how long NOTIFYs in flight are waited for at the end.
const drain = 5 * time.Second

// serve accepts connections until ctx ends, and returns when all have ended.
func (p *proxy) serve(ctx context.Context, ln net.Listener) error {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	var wg sync.WaitGroup
	var acceptErr error
	for {
		haproxy, err := ln.Accept()
		if err != nil {
			if ctx.Err() == nil {
				acceptErr = err
			}
			break
		}
		p.conns++
		c := &tapped{proxy: p, n: p.conns, haproxy: haproxy}
		wg.Go(func() { c.serve(ctx, hard) }) // ends with either side, or drain after ctx
	}
	ln.Close()
	timer := time.AfterFunc(drain, cancel)
	defer timer.Stop()
	wg.Wait()
	return acceptErr
}

func (p *proxy) tell(e event) {
	e.at = time.Since(p.begin)
	p.events <- e
}

// tapped is one connection.
type tapped struct {
	*proxy
	n              int
	haproxy, agent net.Conn

	// mu guards what follows, and that no NOTIFY passes behind the end.
	mu       sync.Mutex
	inFlight int
	ending   bool // it closes once nothing is in flight
}

// serve ends gracefully with ctx, at once with hard.
func (c *tapped) serve(ctx, hard context.Context) {
	defer c.haproxy.Close()
	agent, err := c.dial(ctx)
	if err != nil {
		c.tell(event{conn: c.n, text: "the agent cannot be reached: " + oneLine(err.Error()), ended: true})
		reset(c.haproxy)
		return
	}
	c.agent = agent
	defer agent.Close()
	c.tell(event{conn: c.n, text: "connected"})
	defer context.AfterFunc(ctx, c.end)()
	defer context.AfterFunc(hard, c.close)()
	var wg sync.WaitGroup
	wg.Go(func() { c.pass(c.haproxy, c.agent, false) })
	wg.Go(func() { c.pass(c.agent, c.haproxy, true) })
	wg.Wait()
	c.tell(event{conn: c.n, text: "closed", ended: true})
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

// pass copies from one side to the other, a write for a read: an AGENT-HELLO
// must arrive in one piece.
func (c *tapped) pass(from, to net.Conn, byAgent bool) {
	var s splitter
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			last := c.seen(&s, b[:n], byAgent)
			if _, werr := to.Write(b[:n]); werr != nil {
				err = werr
			}
			if last {
				c.end()
			}
		}
		if err == nil {
			continue
		}
		c.finish(from, to, byAgent, err)
		return
	}
}

// seen tells of the frames that b ends, before they are passed on: an answer
// never comes before what it answers. last is true where they leave nothing in
// flight and the connection is to end.
func (c *tapped) seen(s *splitter, b []byte, byAgent bool) (last bool) {
	frames, problem := s.add(b)
	for _, f := range frames {
		c.tell(event{conn: c.n, byAgent: byAgent, frame: f})
		if c.count(f, byAgent) {
			last = true
		}
	}
	if problem != "" {
		c.tell(event{conn: c.n, text: problem})
	}
	return last
}

func (c *tapped) count(frame []byte, byAgent bool) (last bool) {
	if len(frame) < codec.LengthSize+codec.MinFrameLength {
		return false
	}
	typ, fin := codec.FrameType(frame[codec.LengthSize]), frame[codec.LengthSize+4]&byte(codec.FlagFIN) != 0
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !byAgent && fin && (typ == codec.FrameNotify || typ == codec.FrameUnset):
		c.notifies.Add(1)
		c.inFlight++
	case byAgent && typ == codec.FrameAck:
		c.acks.Add(1)
		c.inFlight--
		return c.ending && c.inFlight <= 0
	}
	return false
}

// finish passes the end of one direction on as it came.
func (c *tapped) finish(from, to net.Conn, byAgent bool, err error) {
	side := map[bool]string{false: "HAProxy", true: "the agent"}[byAgent]
	switch {
	case errors.Is(err, io.EOF):
		c.tell(event{conn: c.n, text: side + " closed"})
		if half, ok := to.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			return
		}
	case errors.Is(err, syscall.ECONNRESET):
		c.tell(event{conn: c.n, text: side + " reset the connection"})
		reset(to)
	case !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.EPIPE):
		c.tell(event{conn: c.n, text: fmt.Sprintf("%s: %v", side, err)})
	}
	to.Close()
	from.Close()
}

// reset has the next close end the connection by RST where it is TCP.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // it is about to be closed in any case
	}
}
