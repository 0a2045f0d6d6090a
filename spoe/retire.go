package spoe

import (
	"math/rand/v2"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// retirement is the plan to close a connection at a quiet moment: an
// AGENT-DISCONNECT with work in flight fails that work.
type retirement struct {
	at    int64         // from when on, or never
	quiet time.Duration // how long the connection must be quiet
	force int64         // from when on an ACK that leaves nothing in flight takes the DISCONNECT along, or never
	late  int64         // from when on it does so for HAProxy up to 3.0 without a full window, or never
}

// noRetirement is the plan of a connection that has none.
var noRetirement = retirement{at: never, force: never, late: never}

const (
	// fullWindow is the maximum number of NOTIFYs that HAProxy up to 3.0 has in flight
	// on a connection, its max-waiting-frames.
	fullWindow = 20
	// holdQuiet is for how long nothing must have come while ACKs are held back.
	holdQuiet = 20 * time.Millisecond
	// holdMost is the longest time for which an ACK is held back.
	holdMost = 40 * time.Millisecond
	// holdTry is the longest time for which a connection is tried to be closed with a full
	// window. Then the DISCONNECT goes with any ACKs.
	holdTry = 8 * time.Second
)

// retire plans the end of the connection. The earlier times of two plans count: one by its
// age must not keep Shutdown from ending a connection that is never quiet.
func (c *conn) retire(r retirement) {
	c.mu.Lock()
	p := &c.plan
	p.at, p.quiet = min(p.at, r.at), r.quiet
	p.force, p.late = min(p.force, r.force), min(p.late, r.late)
	c.mu.Unlock()
	c.clock.arm(r.at)
}

// ageQuiet is the time for which a connection must be quiet to be closed for its
// age, unless its HAProxy is one up to 3.0, see appletQuiet.
const ageQuiet = 250 * time.Millisecond

// setMaxAge plans the end of the connection by Agent.MaxConnectionAge. It is
// never forced: a NOTIFY that crosses the DISCONNECT is lost, and a moment of
// quiet makes that unlikely.
func (c *conn) setMaxAge() {
	age := c.shared.maxAge
	if age == 0 {
		return
	}
	at := c.clock.start + int64((0.9+0.2*rand.Float64())*float64(age))
	q := ageQuiet
	if c.haproxy.Load().applet {
		q = appletQuiet
	}
	c.retire(retirement{at: at, quiet: q, force: never, late: never})
}

// retireLocked is called for each ACK on a connection that will be closed. Up to
// plan.force the clock waits for a quiet moment. From then on the ACKs take the
// DISCONNECT along, at a moment when no NOTIFY crosses it: HAProxy 3.1 and later
// gets it with the ACK that leaves nothing in flight. Up to 3.0, ACKs are held back
// until HAProxy's window is full, so that it cannot send.
func (c *conn) retireLocked() {
	t := now()
	switch calm := !c.busyLocked(); {
	case t < c.plan.force && calm:
		c.clock.arm(t + int64(c.plan.quiet))
	case t < c.plan.force:
	case !c.haproxy.Load().applet:
		if calm && !c.reading() && !c.r.pending() {
			c.appendDisconnectLocked(codec.StatusNormal, "")
		}
	case c.heldSince == never:
		c.heldSince = t
		c.clock.arm(t + int64(holdQuiet))
	case calm && c.outAcks >= fullWindow && !c.reading() && !c.r.pending():
		c.appendDisconnectLocked(codec.StatusNormal, "")
	}
}

// release ends the holding back of ACKs: without a DISCONNECT up to plan.late.
func (c *conn) release() {
	c.mu.Lock()
	if c.phase() == retiring && c.heldSince != never {
		c.heldSince = never
		if now() >= c.plan.late && !c.busyLocked() && !c.reading() && !c.r.pending() {
			c.appendDisconnectLocked(codec.StatusNormal, "")
		} else {
			c.clock.arm(now() + int64(c.plan.quiet))
		}
	}
	c.unlockAndFlush()
}

// holdingLocked reports whether ACKs are held back.
func (c *conn) holdingLocked() bool { return c.heldSince != never && c.phase() == retiring }

// reading reports whether part of a request has come, or bytes that the reader
// has not got to.
func (c *conn) reading() bool {
	return c.unread.Load() || c.clock.frameSince.Load() != never || c.clock.payloadSince.Load() != never
}
