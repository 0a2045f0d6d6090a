package spoe

import "time"

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
	// looked is the last time at which the clock checked whether HAProxy is gone.
	looked int64
}

// verdict is the event that is due on a connection.
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
	quiet               // retired, and the moment is quiet
	heldLong            // ACKs were held back for long enough
)

// lookForEnd is the time between two checks of the clock whether HAProxy is gone while a
// NOTIFY is in flight: the reader may miss it, see readRaw.
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
		if after(from, l.idle) {
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
