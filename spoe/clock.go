package spoe

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// clock holds the times of a connection, in nanoseconds since epoch, and the one
// timer that looks at them and at the deadlines of handlers. The hot path only stores
// times and compares one number: deadlines on the socket would cost a timer for each
// read and write, and a deadline that is met costs nothing here.
type clock struct {
	start        int64
	lastFrame    atomic.Int64 // when a frame was last read whole, or written
	frameSince   atomic.Int64 // since when a frame is incomplete, or never
	payloadSince atomic.Int64 // when the last fragment of an unfinished payload came, or never
	writeSince   atomic.Int64 // since when a write is under way, or never
	looked       atomic.Int64 // when the clock last looked for HAProxy's end

	due   atomic.Int64 // when the timer runs, or never
	mu    sync.Mutex   // guards timer
	timer *time.Timer  // nil once stopped
}

func (k *clock) init(look func()) {
	k.start = now()
	k.lastFrame.Store(k.start)
	k.looked.Store(k.start)
	k.frameSince.Store(never)
	k.payloadSince.Store(never)
	k.writeSince.Store(never)
	k.due.Store(never)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(maxSpan, look)
}

// arm makes the timer run at the time at, or earlier.
func (k *clock) arm(at int64) {
	if k.due.Load() <= at {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.timer == nil || k.due.Load() <= at {
		return
	}
	k.due.Store(at)
	k.timer.Reset(time.Duration(max(at-now(), 0)))
}

func (k *clock) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
}

// times are a connection's times at one moment, for rule.
type times struct {
	start, lastFrame                     int64
	frameSince, payloadSince, writeSince int64
	// busy: a NOTIFY is in flight, or bytes wait to be handled or written.
	busy bool
	plan retirement
	// heldSince is since when ACKs are held back for the DISCONNECT.
	heldSince int64
	// awake: the reader does not rest, and can.
	awake bool
	// looked is when the clock last looked whether HAProxy has gone.
	looked int64
}

// verdict is the event that has become due on a connection.
type verdict int

const (
	keep        verdict = iota
	notReading          // HAProxy has not read written bytes within WriteTimeout
	noHello             // no HAPROXY-HELLO within HelloTimeout
	unused              // retired before its hello: nothing is lost by closing it
	slowFrame           // a frame has not come whole within ReadTimeout
	slowPayload         // the next fragment has not come within ReadTimeout
	tired               // nothing for lookForEnd: the reader should rest
	idle                // nothing for IdleTimeout
	quiet               // retired, and a quiet moment has come
	heldLong            // ACKs have been held back for long enough
)

// lookForEnd is how often the clock looks whether HAProxy has gone while a NOTIFY
// is in flight: the reader may have missed it, see readRaw.
const lookForEnd = 3 * time.Second

// nextLook returns when to look next for HAProxy's end, if it is looked for at the time t.
func (k *times) nextLook(t int64) int64 {
	if at := k.looked + int64(lookForEnd); at > t {
		return at
	}
	return t + int64(lookForEnd)
}

// rule decides what is due on a connection in phase p at the time t, and when to
// look again at the latest if nothing happens meanwhile. It is a pure function;
// everything that starts a time (a frame, a write, a fragment, a plan) arms the
// clock for it. A busy connection is neither idle nor quiet: the end of its work
// arms the clock again.
func (l *limits) rule(p phase, k times, t int64) (v verdict, next int64) {
	next = never
	after := func(since int64, d time.Duration) bool {
		if since == never {
			return false
		}
		next = min(next, since+int64(d))
		return t >= since+int64(d)
	}
	if p < closed && after(k.writeSince, l.write) {
		return notReading, next
	}
	switch p {
	case greeting:
		if after(k.start, l.hello) {
			return noHello, next
		}
		if k.plan.at != never && after(max(k.plan.at, k.start+int64(k.plan.quiet)), 0) {
			return unused, next
		}
	case open, retiring:
		if k.busy {
			next = min(next, k.nextLook(t))
		}
		if k.heldSince != never && (after(k.heldSince, holdMost) || after(max(k.heldSince, k.lastFrame), holdQuiet) && k.frameSince == never) {
			return heldLong, next
		}
		switch {
		case after(k.frameSince, l.read):
			return slowFrame, next
		case after(k.payloadSince, l.read):
			return slowPayload, next
		}
		pause := k.busy || k.frameSince != never || k.payloadSince != never
		from := k.lastFrame
		if pause {
			from = t // the earliest end of the pause
		}
		if after(from, l.idle) && !pause {
			return idle, next
		}
		if p == open && k.awake && !pause && after(k.lastFrame, lookForEnd) {
			return tired, next
		}
		if k.plan.at > t {
			next = min(next, k.plan.at)
			return keep, next
		}
		// From plan.force on an ACK may take the DISCONNECT along (retireLocked). It is no
		// reason to close a connection between two NOTIFYs: the next may be on its way.
		if !pause && after(max(k.plan.at, k.lastFrame+int64(k.plan.quiet)), 0) {
			return quiet, next
		}
	}
	return keep, next
}

// times takes the times for rule.
func (c *conn) times() times {
	k := &c.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	return times{
		start:        k.start,
		lastFrame:    k.lastFrame.Load(),
		frameSince:   k.frameSince.Load(),
		payloadSince: k.payloadSince.Load(),
		writeSince:   k.writeSince.Load(),
		busy:         c.busyLocked() || c.out != nil || c.unread.Load(),
		plan:         c.plan,
		heldSince:    c.heldSince,
		awake:        c.awake.Load(),
		looked:       k.looked.Load(),
	}
}

// look is called by the clock's timer. It marks the timer as unset first: a job that sets
// its deadline after its turn in takeLate finds it so, and arms it.
func (c *conn) look() {
	c.clock.due.Store(never)
	l, t := &c.eng.limits, now()
	late, next := c.takeLate(t)
	p, k := c.phase(), c.times()
	if t >= k.plan.at && p == open {
		c.mu.Lock()
		c.setPhaseLocked(retiring)
		c.mu.Unlock()
	}
	v, again := l.rule(p, k, t)
	if v == keep {
		next = min(next, again)
	}
	c.clock.arm(next) // before the rest, which may wait for HAProxy
	c.acknowledgeLate(late)
	switch v {
	case notReading:
		c.reset(fmt.Sprintf("HAProxy has not read what was written for %v (Agent.WriteTimeout)", l.write))
	case noHello:
		if c.crowded.Load() {
			c.timeout(slog.LevelWarn, fullReason(l.maxConnections))
			c.cancel() // ends takeSlot
		} else {
			c.timeout(slog.LevelInfo, fmt.Sprintf("no hello within %v (Agent.HelloTimeout)", l.hello))
		}
	case unused:
		c.kill()
	case slowFrame:
		c.timeout(slog.LevelWarn, fmt.Sprintf("a frame was not whole within %v (Agent.ReadTimeout)", l.read))
	case slowPayload:
		c.timeout(slog.LevelWarn, fmt.Sprintf("the next fragment of a payload did not come within %v (Agent.ReadTimeout)", l.read))
	case idle:
		c.askReader(&farewell{codec.StatusTimeout, fmt.Sprintf("idle for %v", l.idle)})
	case heldLong:
		c.release()
	case quiet:
		c.askReader(&farewell{codec.StatusNormal, ""})
	case tired:
		c.awake.Store(false)
		c.askReader(toRest)
	case keep:
		if t < k.looked+int64(lookForEnd) {
			break
		}
		c.clock.looked.Store(t)
		if p == open && c.r.ended() {
			c.askReader(&farewell{codec.StatusNormal, ""})
		}
	}
}

// retire plans the end of the connection, unless an earlier one is planned.
func (c *conn) retire(r retirement) {
	c.mu.Lock()
	if r.at < c.plan.at {
		c.plan = r
	}
	c.mu.Unlock()
	c.clock.arm(r.at)
}

// ageQuiet is how long a connection must have been quiet to be closed for its
// age; appletQuiet is the same for a HAProxy up to 3.0.
const ageQuiet = 250 * time.Millisecond

// setMaxAge plans the end of the connection by Agent.MaxConnectionAge. It is
// never forced: a NOTIFY that crosses the DISCONNECT is lost, and a moment of
// quiet makes that unlikely.
func (c *conn) setMaxAge() {
	age := c.eng.maxAge
	if age == 0 {
		return
	}
	at := c.clock.start + int64((0.9+0.2*rand.Float64())*float64(age))
	q := ageQuiet
	if c.haproxy.Load().applet {
		q = appletQuiet
	}
	c.retire(retirement{at: at, quiet: q, force: never})
}

// timeout ends a connection by a DISCONNECT with status 2, if the other side
// still reads, and by force if it does not.
func (c *conn) timeout(level slog.Level, reason string) {
	if c.isTLS() && c.phase() == greeting {
		c.reset(reason) // a frame would wait for the TLS handshake to end
		return
	}
	c.logSome(&c.eng.connLog, level, "connection timed out", slog.String("reason", reason))
	c.disconnect(codec.StatusTimeout, reason)
}

// reset ends the connection and drops what the kernel has not sent: the other
// side does not read.
func (c *conn) reset(reason string) {
	c.complain("connection closed", slog.String("reason", reason))
	if tcp, ok := c.nc.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.kill()
}
