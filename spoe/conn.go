package spoe

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spoke-go/spoke/internal/proxyheader"
	"github.com/spoke-go/spoke/spoe/internal/msgctx"
)

// conn is one connection from HAProxy. Its own goroutine, the reader, runs
// serve: it reads frames and queues a job for each NOTIFY. Workers take jobs
// from the queue, append the ACKs to out, and one of them writes what is there.
type conn struct {
	agent  *Agent
	shared *agentState
	group  *errgroup.Group // of Run, which waits for the connection's goroutines
	nc     net.Conn
	slot   bool // the connection is one of MaxConnections, not on the waitlist

	ctx msgctx.Ctx // ends when the connection does

	// haproxy is the other side. maxFrameSize is set before the first job and
	// does not change afterwards.
	haproxy      atomic.Pointer[haproxy]
	maxFrameSize int
	ended        chan struct{} // closed when the connection is out of the agent's list

	// The reader's own.
	r         reader
	spare     *job     // a chain of jobs to use
	lastName  string   // of a message
	batch     jobQueue // read, not yet dispatched
	batched   int      // bytes of payloads in batch that are not held yet
	growing   int      // held for a frame that is longer than readSize, or 0
	fragments fragments

	w       writer // the flusher's own
	clock   clock
	unread  atomic.Bool // the reader has bytes that it has not handled
	current atomic.Int32
	asked   atomic.Pointer[farewell]
	awake   atomic.Bool // the reader can rest
	crowded atomic.Bool // the hello waits for a slot

	fragmentsSeen atomic.Uint64

	mu        sync.Mutex    // guards what follows, and changes of current
	changed   sync.Cond     // jobs, running or out went down, or flusher or the phase changed; on mu
	waiting   int           // how many wait on changed
	plan      retirement    // when and how to close the connection
	heldSince int64         // since when ACKs are held back for the DISCONNECT, or never
	jobs      jobSet        // in flight
	queue     jobQueue      // jobs that no worker took yet
	coming    bool          // a worker is on its way to queue
	running   int           // jobs, late ones included
	acking    int           // late jobs, no longer in jobs, whose ACK is not in out yet
	held      int           // bytes of payloads and ACKs in memory, see budget.go
	granted   int           // bytes of the agent's budget that this connection has
	reserved  int           // of these, bytes that the reader is about to hold
	stop      chan struct{} // while the reader waits for the budget: ends the wait
	out       *buffer       // bytes to write; nil if there are none
	outAcks   int64         // the ACKs in out
	outHeld   int           // bytes of out that are counted in held
	flusher   bool          // a goroutine is writing
	slow      int           // batches of slow handlers, see paceLocked
}

// haproxy is the other side, as the PROXY header and the hello describe it.
type haproxy struct {
	peer         net.Addr
	engineID     string
	maxFrameSize int
	applet       bool // HAProxy is 3.0 or earlier: it offers async
}

func newConn(a *Agent, g *errgroup.Group, nc net.Conn) *conn {
	c := &conn{
		agent:        a,
		shared:       &a.shared,
		group:        g,
		nc:           nc,
		maxFrameSize: a.shared.maxFrameSize,
		plan:         noRetirement,
		heldSince:    never,
		ended:        make(chan struct{}),
	}
	c.changed.L = &c.mu
	c.ctx.Context = a.shared.ctx
	c.haproxy.Store(&haproxy{peer: nc.RemoteAddr()})
	c.r.init(nc)
	c.w.init(c.r.raw)
	c.clock.init(c.look)
	return c
}

// serve begins the connection and goes on with read.
func (c *conn) serve() {
	c.clock.arm(c.clock.start + int64(c.shared.hello))
	c.read(c.begin(), true)
}

// read reads frames until the connection ends, and returns after its last handler. err
// is the error of the last read. If the connection is quiet, read leaves the waiting to
// rest; with once, it does so after the bytes of the last read.
func (c *conn) read(err error, once bool) {
	if once && err == nil {
		err = c.onRead()
	}
	once = once && err == nil && c.r.raw != nil && !c.r.partial()
	if !once {
		c.awake.Store(c.r.raw != nil)
		err = c.readFrames(err)
	}
	if once || err == errRest {
		c.spawn(c.rest)
		return
	}
	c.end(err)
	c.close()
	c.shared.removeConn(c)
}

// rest waits for bytes on a new goroutine, and then reads on another. A stack that has
// grown to 4 KiB does not shrink while its goroutine waits; a new one has 2 KiB. Bytes
// that come after a long rest are expected to be followed by another.
func (c *conn) rest() {
	start := now()
	err := c.r.fill()
	once := now()-start >= int64(longRest)
	c.spawn(func() { c.read(err, once) })
}

// longRest is shorter than lookForEnd, after which a connection rests.
const longRest = time.Second

// spawn runs f on a goroutine that Run waits for.
func (c *conn) spawn(f func()) {
	c.group.Go(func() error {
		f()
		return nil
	})
}

// begin reads all bytes before the first NOTIFY.
func (c *conn) begin() error {
	if c.agent.AcceptProxy {
		if err := c.acceptProxy(); err != nil {
			return err
		}
	}
	return c.handshake()
}

// acceptProxy reads the PROXY header that a balancer sends first, before TLS,
// and takes the address in it for the connection's peer.
func (c *conn) acceptProxy() error {
	nc := c.nc
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	peer, err := proxyheader.Read(nc)
	if err == nil && peer != nil {
		h := *c.haproxy.Load()
		h.peer = peer
		c.haproxy.Store(&h)
	}
	return err
}

// close closes the socket, and waits for the handlers unless the agent has given
// them up.
func (c *conn) close() {
	if t, ok := c.nc.(*tls.Conn); ok && c.phase() == closed {
		t.NetConn().Close() // without TLS's close_notify, which would wait to be read
	}
	c.mu.Lock()
	c.breakLocked()
	c.mu.Unlock()
	c.cancel()
	c.nc.Close()
	c.shared.counters.connections.Add(-1)
	c.shared.giveSlot(c)

	left := c.waitHandlers()
	if left > 0 {
		c.log(slog.LevelError, "handlers do not heed their context; ending without them", slog.Int("handlers", left))
	}
	c.clock.stop()
	c.r.release()
	c.mu.Lock()
	c.fragments = nil
	c.held, c.reserved = 0, 0
	c.giveBackLocked()
	c.mu.Unlock()
}

// waitHandlers waits until all handlers have returned, or the agent gives them
// up; it returns how many are left.
func (c *conn) waitHandlers() int {
	c.await(c.shared.abandoned, func() bool { return c.running == 0 && !c.flusher })
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running
}

// waitQuiet waits until nothing is in flight, or for d.
func (c *conn) waitQuiet(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	c.await(ctx, func() bool { return !c.busyLocked() || c.phase() >= closing })
}

// await waits until done, which is called with c.mu held, returns true, or ctx ends.
func (c *conn) await(ctx context.Context, done func() bool) {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		c.changed.Broadcast()
		c.mu.Unlock()
	})
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
	for !done() && ctx.Err() == nil {
		c.changed.Wait()
	}
	c.waiting--
}

// cancel ends the handlers' contexts: HAProxy no longer waits for them.
func (c *conn) cancel() { c.ctx.End(context.Canceled) }

// busyLocked reports whether a NOTIFY is in flight.
func (c *conn) busyLocked() bool { return c.jobs.n > 0 || c.acking > 0 }

func (c *conn) isBusy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busyLocked()
}

// wakeLocked makes the goroutines that wait on changed look again.
func (c *conn) wakeLocked() {
	if c.waiting > 0 {
		c.changed.Broadcast()
	}
}

// breakLocked ends all writing. Bytes that are not written are lost.
func (c *conn) breakLocked() {
	c.setPhaseLocked(closed)
	if !c.flusher {
		c.discardLocked()
	}
}

// kill ends the connection at once. The reader finds its deadline passed and
// closes the socket: see reader.each.
func (c *conn) kill() {
	c.mu.Lock()
	c.breakLocked()
	c.mu.Unlock()
	c.cancel()
	c.nc.SetDeadline(time.Now())
}

func (c *conn) isTLS() bool {
	_, ok := c.nc.(*tls.Conn)
	return ok
}

func addrString(a net.Addr) string {
	if a == nil {
		return ""
	}
	return strings.TrimRight(a.String(), "\x00") // an abstract socket's
}
