package spoe

import (
	"time"

	"github.com/spoke-go/spoke/codec"
)

// retirement is the plan to close a connection at a quiet moment: an
// AGENT-DISCONNECT with work in flight fails that work.
type retirement struct {
	at    int64         // from when on, or never
	quiet time.Duration // how long the connection must have been quiet, until force
	force int64         // from when on an ACK that leaves nothing in flight takes the DISCONNECT along, or never
}

const (
	// fullWindow is how many NOTIFYs HAProxy up to 3.0 has in flight on a connection
	// at most, by its max-waiting-frames.
	fullWindow = 20
	// holdQuiet is for how long nothing must have come while ACKs are held back.
	holdQuiet = 20 * time.Millisecond
	// holdMost is how long an ACK is held back at most.
	holdMost = 40 * time.Millisecond
	// holdTry is for how long a connection that is never quiet is tried to be closed
	// with a full window. Then the DISCONNECT goes with any ACKs.
	holdTry = 4 * time.Second
)

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

// release ends the holding back of ACKs: without a DISCONNECT up to holdTry.
func (c *conn) release() {
	c.mu.Lock()
	if c.phase() == retiring && c.heldSince != never {
		c.heldSince = never
		late := now() >= c.plan.force+int64(holdTry)
		if late && !c.busyLocked() && !c.reading() && !c.r.pending() {
			c.appendDisconnectLocked(codec.StatusNormal, "")
		} else {
			c.clock.arm(now() + int64(c.plan.quiet))
		}
	}
	mine := c.becomeFlusherLocked()
	c.mu.Unlock()
	if mine {
		c.flush()
	}
}

// holdingLocked reports whether ACKs are held back.
func (c *conn) holdingLocked() bool { return c.heldSince != never && c.phase() == retiring }
