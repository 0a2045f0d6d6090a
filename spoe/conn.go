package spoe

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// conn is one connection from HAProxy. Its own goroutine, the reader, runs
// serve: it reads frames and queues a job for each NOTIFY. Workers take jobs
// from the queue, append the ACKs to out, and one of them writes what is there.
type conn struct {
	agent *Agent
	eng   *engine
	nc    net.Conn
	peer  net.Addr
	start time.Time

	ctx deadlineCtx // ends when the connection does

	// What the hello agreed on; set before the first job.
	engineID     string
	maxFrameSize int

	// The reader's own.
	r         reader
	batch     jobQueue // read, not yet dispatched
	fragments fragments

	// For the watchdog, in nanoseconds since epoch; see clock.go.
	watchdog   *time.Timer
	lastFrame  atomic.Int64 // when a frame was last read whole, or written
	frameSince atomic.Int64 // since when a frame is incomplete, or never
	writeSince atomic.Int64 // since when a write is under way, or never
	ready      atomic.Bool  // the hello is done
	applet     atomic.Bool  // HAProxy is 3.0 or earlier, see retireLater
	unread     atomic.Bool  // the reader has bytes that it has not handled
	assembling atomic.Bool  // fragments of a payload have come, and not all
	over       atomic.Bool  // nothing is written any more, or soon: reading ends
	retire     atomic.Bool  // to be closed as soon as nothing is in flight
	asked      atomic.Pointer[farewell]

	// deadlines has the jobs' deadlines kept.
	deadlines deadlines

	mu      sync.Mutex // guards what follows
	changed sync.Cond  // jobs, running or out went down, or flusher, last or failed changed; on mu
	waiting int        // how many wait on changed
	jobs    jobSet     // in flight
	queue   jobQueue   // those of jobs that no worker has taken
	coming  bool       // a worker has been woken and has not looked at queue yet
	running int        // jobs, late ones included, and the timer that acknowledges those
	acking  int        // late jobs, no longer in jobs, whose ACK is not in out yet
	out     *buffer    // what is to be written; nil if nothing
	outAcks int64      // the ACKs in out
	flusher bool       // somebody is writing
	last    bool       // out ends with the last frame ever; nothing follows
	failed  error      // of a write, or net.ErrClosed; nothing is written any more
	leaving retirement
}

func newConn(a *Agent, nc net.Conn) *conn {
	c := &conn{
		agent:        a,
		eng:          &a.eng,
		nc:           nc,
		peer:         nc.RemoteAddr(),
		start:        time.Now(),
		maxFrameSize: a.eng.maxFrameSize,
		leaving:      retirement{at: never},
	}
	c.changed.L = &c.mu
	c.ctx.Context = a.eng.ctx
	c.r.init(nc)
	c.frameSince.Store(never)
	c.writeSince.Store(never)
	c.deadlines.init(c)
	c.initWatchdog()
	return c
}

// serve runs the connection from its hello to its end, and returns when the
// last of its handlers has.
func (c *conn) serve() {
	c.setState(StateNew)
	err := c.handshake()
	if err == nil {
		c.setState(StateReady)
		err = c.readFrames()
	}
	c.settle(err)
	c.close()
}

// close ends the connection, and waits for its handlers unless the agent has
// given them up.
func (c *conn) close() {
	c.watchdog.Stop()
	c.cancel()
	if t, ok := c.nc.(*tls.Conn); ok && c.isDead() {
		t.NetConn().Close() // without TLS's goodbye, which would wait to be read
	}
	c.nc.Close()
	c.eng.counters.connections.Add(-1)
	c.eng.connSlots.Release(1)
	c.mu.Lock()
	c.failLocked(net.ErrClosed)
	c.changed.Broadcast()
	c.mu.Unlock()

	left := c.waitHandlers()
	if left > 0 {
		c.log(slog.LevelError, "handlers do not heed their context; ending without them", slog.Int("handlers", left))
	}
	c.deadlines.stop()
	c.r.release()
	c.setState(StateClosed)
}

// waitHandlers waits until all handlers have returned, or the agent gives them
// up; it returns how many are left.
func (c *conn) waitHandlers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == 0 && !c.flusher {
		return 0
	}
	done := make(chan struct{})
	defer close(done)
	go func() { // ends with waitHandlers
		select {
		case <-c.eng.abandoned:
			c.mu.Lock()
			c.changed.Broadcast()
			c.mu.Unlock()
		case <-done:
		}
	}()
	c.waiting++
	for (c.running > 0 || c.flusher) && !isClosed(c.eng.abandoned) {
		c.changed.Wait()
	}
	c.waiting--
	return c.running
}

// cancel tells the handlers that nobody waits for them any more.
func (c *conn) cancel() { c.ctx.end(context.Canceled) }

func (c *conn) setState(s ConnState) {
	f := c.agent.ConnState
	if f == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			c.log(slog.LevelError, "Agent.ConnState panicked", slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
		}
	}()
	f(c.nc, s)
}

// busyLocked tells whether a NOTIFY is in flight.
func (c *conn) busyLocked() bool { return c.jobs.n > 0 || c.acking > 0 }

// failLocked ends all writing. What is not written is lost.
func (c *conn) failLocked(err error) {
	if c.failed == nil {
		c.failed = err
	}
	c.over.Store(true)
	if !c.flusher {
		c.discardLocked()
	}
}

func addrString(a net.Addr) string {
	if a == nil {
		return ""
	}
	return strings.TrimRight(a.String(), "\x00") // an abstract socket's
}
