package spoe

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/spoke-go/spoke/codec"
)

// A wait on a connection ends with its condition, or with its context.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := insideConn(t, &Agent{})
		defer c.clock.stop()
		ok := false
		ended := make(chan struct{})
		go func() { c.await(context.Background(), func() bool { return ok }); close(ended) }()
		synctest.Wait()
		assert.False(t, isClosed(ended))
		c.mu.Lock()
		assert.Equal(t, 1, c.waiting)
		c.wakeLocked()
		c.mu.Unlock()
		synctest.Wait()
		assert.False(t, isClosed(ended))
		c.mu.Lock()
		ok = true
		c.wakeLocked()
		c.mu.Unlock()
		<-ended
		assert.Zero(t, c.waiting)

		start := time.Now()
		c.jobs.add(new(job))
		c.waitQuiet(time.Second)
		assert.Equal(t, time.Second, time.Since(start), "a NOTIFY is in flight")
		go func() {
			time.Sleep(time.Second)
			c.mu.Lock()
			c.jobs, c.acking = jobSet{}, 1
			c.wakeLocked()
			c.mu.Unlock()
			time.Sleep(time.Second)
			c.mu.Lock()
			c.acking = 0
			c.wakeLocked()
			c.mu.Unlock()
		}()
		c.waitQuiet(time.Hour)
		assert.Equal(t, 3*time.Second, time.Since(start))
		c.acking = 1
		go func() {
			time.Sleep(time.Second)
			c.mu.Lock()
			c.setPhaseLocked(closing)
			c.mu.Unlock()
		}()
		c.waitQuiet(time.Hour)
		assert.Equal(t, 4*time.Second, time.Since(start), "the end of the connection ends the wait")
		c.waitQuiet(time.Hour)
		assert.Equal(t, 4*time.Second, time.Since(start))

		go func() {
			time.Sleep(time.Second)
			c.mu.Lock()
			c.running = 0
			c.wakeLocked()
			c.mu.Unlock()
			time.Sleep(time.Second)
			c.mu.Lock()
			c.flusher = false
			c.wakeLocked()
			c.mu.Unlock()
		}()
		c.running, c.flusher = 2, true
		assert.Zero(t, c.waitHandlers())
		assert.Equal(t, 6*time.Second, time.Since(start))
		c.running = 2
		c.shared.abandon()
		assert.Equal(t, 2, c.waitHandlers())
	})
}

// The end of a connection gives back all that it has: its socket, its place, its bytes, its
// buffer and its timer.
func TestConnClose(t *testing.T) {
	c, peer := insideConn(t, &Agent{MaxConnections: 1})
	c.shared.admit(c)
	assert.True(t, c.slot)
	assert.False(t, c.shared.connSlots.TryAcquire(1))
	require.True(t, c.reserve(100))
	c.hold(50)
	c.fragments = fragments{{1, 1}: new(fragmented)}
	c.r.buf = &buffer{make([]byte, 10)}
	c.close()
	assert.Equal(t, closed, c.phase())
	assert.Equal(t, context.Canceled, c.ctx.Err())
	_, err := peer.Read(make([]byte, 1))
	assert.Error(t, err)
	assert.Zero(t, c.shared.counters.connections.Load())
	assert.True(t, c.shared.connSlots.TryAcquire(1))
	assert.Equal(t, budgetAccount{}, accountOf(c))
	assert.Empty(t, c.fragments)
	assert.Nil(t, c.r.buf)
	assert.Nil(t, c.clock.timer)
}

// A handler that does not heed its context is logged when the agent gives it up.
func TestConnCloseLogsHandlers(t *testing.T) {
	for running, want := range map[int]string{0: "", 1: "handlers do not heed their context; ending without them\" handlers=1"} {
		c, _ := insideConn(t, &Agent{})
		log := logged(c)
		c.running = running
		c.shared.abandon()
		c.close()
		if want == "" {
			assert.NotContains(t, log(), "handlers")
		} else {
			assert.Contains(t, log(), "level=ERROR")
			assert.Contains(t, log(), want)
		}
	}
}

// A connection's phase grows. HAProxy's state and the waits follow it.
func TestSetPhase(t *testing.T) {
	states := make(chan ConnState, 10)
	c, _ := insideConn(t, &Agent{ConnState: func(_ net.Conn, s ConnState) { states <- s }})
	set := func(p phase) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.setPhaseLocked(p)
	}
	assert.Equal(t, StateNew, <-states)
	assert.Equal(t, StateReady, <-states)
	assert.False(t, set(open))
	assert.False(t, set(greeting))
	stop := make(chan struct{})
	c.stop = stop
	assert.True(t, set(retiring))
	assert.NotNil(t, c.stop)
	assert.True(t, set(closing))
	assert.True(t, isClosed(stop))
	assert.Nil(t, c.stop)
	assert.Equal(t, StateClosing, <-states)
	assert.True(t, set(closed))
	assert.Equal(t, StateClosed, <-states)
	assert.False(t, set(closed))
	assert.Equal(t, closed, c.phase())
	c.shared.states.Wait(30 * time.Second)
	assert.Empty(t, states, "a retiring connection is as ready as before")
	for p, want := range map[phase]string{greeting: "greeting", open: "open", retiring: "retiring", closing: "closing", closed: "closed"} {
		assert.Equal(t, want, p.String())
	}
}

// kill ends a connection from any goroutine: its reader finds its deadline passed.
func TestKill(t *testing.T) {
	haproxy, agent := sockets(t)
	c := insideConnOn(t, &Agent{}, agent)
	ended := make(chan error, 1)
	go func() { ended <- c.r.fill() }()
	c.kill()
	assert.Error(t, <-ended)
	assert.Equal(t, closed, c.phase())
	assert.Equal(t, context.Canceled, c.ctx.Err())
	haproxy.Close()
}

// A socket that ended its rest has a reader again; the reader of a whole frame leaves the
// waiting to rest at once.
func TestReadRests(t *testing.T) {
	haproxy, agent := sockets(t)
	var group errgroup.Group
	a := &Agent{}
	c := insideConnOn(t, a, agent)
	c.group = &group
	noWorkers(c)
	notify := codec.AppendFrame(nil, codec.Frame{Type: codec.FrameNotify, Flags: codec.FlagFIN, StreamID: 1, FrameID: 1, Payload: messages(1)})
	c.r.buf = &buffer{append([]byte(nil), notify...)}
	c.r.to = len(notify)
	c.read(nil, true)
	assert.Equal(t, 1, c.info().InFlight)
	assert.False(t, c.awake.Load())
	assert.Equal(t, open, c.phase(), "rest has the connection now")
	_, err := haproxy.Write(notify)
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return c.info().InFlight == 2 }, 30*time.Second, time.Millisecond)
	c.mu.Lock()
	c.running = 0
	c.mu.Unlock()
	haproxy.Close()
	require.NoError(t, group.Wait())
	assert.Equal(t, closed, c.phase())
	assert.True(t, isClosed(c.ended))
	assert.Empty(t, a.Connections())
}

// restingConn reads what a script says, and notes who reads.
type restingConn struct {
	syscall.RawConn
	c     *conn
	waits []time.Duration // before each NOTIFY; then the stream ends
	once  []bool          // rest was waiting
}

func (r *restingConn) Read(func(uintptr) bool) error {
	r.once = append(r.once, r.c.r.once)
	if len(r.waits) == 0 {
		return io.EOF
	}
	time.Sleep(r.waits[0])
	r.waits = r.waits[1:]
	b := codec.AppendFrame(nil, codec.Frame{Type: codec.FrameNotify, Flags: codec.FlagFIN, StreamID: 1, FrameID: 1, Payload: messages(1)})
	r.c.r.buf, r.c.r.from, r.c.r.to = &buffer{b}, 0, len(b)
	if !r.c.r.once {
		return r.c.r.data()
	}
	return nil
}

// After a long rest the next one begins at once; after a short one the reader goes on.
func TestRest(t *testing.T) {
	for wait, want := range map[time.Duration][]bool{longRest: {true, true}, longRest - 1: {true, false}} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := insideConn(t, &Agent{NotifyTimeout: time.Hour})
			noWorkers(c)
			raw := &restingConn{c: c, waits: []time.Duration{wait}}
			c.r.raw = raw
			c.spawn(c.rest)
			time.Sleep(time.Minute)
			c.mu.Lock()
			c.running = 0 // the handler returns
			c.wakeLocked()
			c.mu.Unlock()
			require.NoError(t, c.group.Wait())
			assert.Equal(t, want, raw.once)
			assert.Equal(t, 1, c.jobs.n)
		})
	}
}

// An error before the first frame ends the connection, and no frame is read.
func TestReadEnds(t *testing.T) {
	_, agent := sockets(t)
	a := &Agent{}
	c := insideConnOn(t, a, agent)
	c.r.buf, c.r.to = &buffer{make([]byte, 10)}, 10
	c.read(errClosed, true)
	assert.Equal(t, closed, c.phase())
	assert.Empty(t, a.Connections())
}

func TestAddrString(t *testing.T) {
	assert.Empty(t, addrString(nil))
	assert.Equal(t, "@a", addrString(&net.UnixAddr{Name: "@a\x00\x00"}))
	assert.Equal(t, "127.0.0.1:1", addrString(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}))
}

// Connections tells of each connection what it is doing.
func TestConnInfo(t *testing.T) {
	peer := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}
	a := &Agent{}
	c, _ := insideConn(t, a)
	c.haproxy.Store(&haproxy{peer: peer, engineID: "e", maxFrameSize: 1000, applet: true})
	c.jobs.add(new(job))
	c.acking = 2
	c.held = 5
	c.fragmentsSeen.Store(6)
	s := a.Stats()
	assert.EqualValues(t, 1, s.ConnectionsTotal)
	assert.EqualValues(t, 1, s.Connections)
	assert.Equal(t, []ConnInfo{{
		Peer: peer, EngineID: "e", Applet: true, Phase: "open", Since: epoch.Add(time.Duration(c.clock.start)),
		MaxFrameSize: 1000, InFlight: 3, Buffered: 5, Fragments: 6,
	}}, a.Connections())
	c.shared.removeConn(c)
	assert.Empty(t, a.Connections())
}

// The reason for which reading ended decides what HAProxy gets and what is logged.
func TestEnd(t *testing.T) {
	malformed := &codec.Error{Status: codec.StatusInvalid, Reason: "test"}
	for _, tt := range []struct {
		name   string
		err    error
		set    func(c *conn)
		sent   int
		log    string
		level  string
		lacks  string
		drains bool
	}{
		{name: "malformed", err: malformed, sent: 1, log: `reason="spop: test`, level: "WARN", drains: true},
		{name: "last", err: errLast, lacks: "msg", drains: true},
		{name: "closing", err: errors.New("x"), set: func(c *conn) { c.current.Store(int32(closing)) }, lacks: "msg", drains: true},
		{name: "closed", err: errors.New("x"), set: func(c *conn) { c.current.Store(int32(closed)) }, log: "connection ended", level: "DEBUG"},
		{name: "no error", log: "connection ended", level: "DEBUG"},
		{name: "health check", err: errClosed, log: "connection ended", level: "DEBUG"},
		{name: "end", err: net.ErrClosed, log: "connection ended", level: "DEBUG"},
		{name: "end with NOTIFYs", err: net.ErrClosed, set: func(c *conn) { c.jobs.add(new(job)); c.acking = 1 }, log: "in_flight=2", level: "WARN"},
		{name: "end with NOTIFYs, while shutting down", err: net.ErrClosed, set: func(c *conn) { c.acking = 1; c.shared.stopListening() }, log: "connection ended", level: "DEBUG"},
		{name: "broken", err: errors.New("x"), log: `msg="spoe: connection broke" error=x`, level: "WARN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peer, nc := net.Pipe()
			rec := &recorded{Conn: nc}
			c := insideConnOn(t, &Agent{}, rec)
			log := logged(c)
			if tt.set != nil {
				tt.set(c)
			}
			c.r.buf, c.r.to = &buffer{make([]byte, 10)}, 10
			drained := make(chan bool, 1)
			go func() { // HAProxy sends bytes and closes
				_, err := peer.Write(make([]byte, 20))
				drained <- err == nil
				peer.Close()
			}()
			c.end(tt.err)
			nc.Close()
			assert.Equal(t, tt.drains, <-drained)
			assert.Len(t, rec.writes, tt.sent)
			assert.Contains(t, log(), tt.log)
			assert.Contains(t, log(), "level="[:min(6, 6*len(tt.level))]+tt.level)
			if tt.lacks != "" {
				assert.NotContains(t, log(), tt.lacks)
			}
		})
	}
}
