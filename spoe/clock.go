package spoe

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// retirement is the wish to close a connection at a quiet moment: an
// AGENT-DISCONNECT with work in flight fails it.
type retirement struct {
	at    int64         // from when on, or never
	quiet time.Duration // how long nothing must have come, until force
	force int64         // from when on a moment without work in flight will do
}

const (
	// retireQuiet is how long a connection must have been quiet to be closed
	// for its age.
	retireQuiet = 20 * time.Millisecond
	// minWatch is the shortest time between two looks at a connection.
	minWatch = time.Millisecond
)

// retireLater plans the end of the connection by the way in which HAProxy uses
// it. Since 3.1 it turns from a server that is down, or takes another
// connection, and a quiet moment comes: quiet says how quiet, and force when not
// to wait for it any longer. Up to 3.0 (it offers async) an open connection is
// used as long as there is traffic, whatever health checks say, and the best
// moment is that of an ACK that leaves nothing in flight: the DISCONNECT goes in
// one write with it. With `max-waiting-frames 1` that loses nothing; otherwise
// HAProxy may have put further NOTIFYs into its buffer for this connection.
func (c *conn) retireLater(at time.Time, quiet time.Duration, force time.Time) {
	if c.applet.Load() {
		force = at
	}
	c.retireFrom(at, quiet, force)
}

// setMaxAge plans the end of the connection by Agent.MaxConnectionAge. One that
// is never quiet goes after twice its age.
func (c *conn) setMaxAge() {
	age := c.eng.maxAge
	if age == 0 {
		return
	}
	jittered := time.Duration((0.9 + 0.2*rand.Float64()) * float64(age))
	c.retireLater(c.start.Add(jittered), retireQuiet, c.start.Add(jittered+age))
}

// retireFrom plans the end of the connection, unless an earlier one is planned.
func (c *conn) retireFrom(at time.Time, quiet time.Duration, force time.Time) {
	c.mu.Lock()
	if since(at) < c.leaving.at {
		c.leaving = retirement{at: since(at), quiet: quiet, force: since(force)}
	}
	c.mu.Unlock()
	c.watchdog.Reset(0)
}

// farewell is a wish to end the connection, once the reader has found that
// nothing more has come.
type farewell struct {
	status codec.Status
	reason string
}

// lastLook is how long the reader waits for bytes before it grants a farewell.
const lastLook = 5 * time.Millisecond

// ask has the reader look whether anything has come that it has not got to, and
// end the connection if not: on a machine that is busy, a NOTIFY may have been
// there for long.
func (c *conn) ask(f farewell) {
	c.asked.Store(&f)
	c.setReadDeadline(time.Now())
}

// answerAsked is where the reader ends up when it has been asked. It returns
// nil if reading is to go on, or to end with errLast.
func (c *conn) answerAsked() error {
	f := c.asked.Swap(nil)
	if f == nil || !c.setReadDeadline(time.Now().Add(lastLook)) {
		return errLast // the deadline is that of endWrites or kill
	}
	err := c.r.fill()
	c.setReadDeadline(time.Time{})
	c.mu.Lock()
	quiet := !c.busyLocked()
	c.mu.Unlock()
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case quiet:
		c.disconnect(f.status, f.reason)
		return errLast
	}
	return nil
}

// reading tells whether part of a request has come, or something that the reader
// has not got to.
func (c *conn) reading() bool {
	return c.unread.Load() || c.frameSince.Load() != never || c.assembling.Load()
}

// setReadDeadline sets the reader's deadline, unless the connection is ending
// and has one for that.
func (c *conn) setReadDeadline(t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last || c.failed != nil {
		return false
	}
	c.nc.SetReadDeadline(t)
	return true
}

// initWatchdog has watch look after the connection. The hot path only notes
// times; deadlines on the socket would cost a timer for each read and write.
func (c *conn) initWatchdog() {
	c.mu.Lock() // which watch takes before it uses the field
	c.watchdog = time.AfterFunc(min(c.eng.hello, c.eng.write), c.watch)
	c.mu.Unlock()
}

// watch ends the connection if a timeout has passed, and otherwise comes back
// when the next one could have.
func (c *conn) watch() {
	c.mu.Lock()
	leaving, busy, dead := c.leaving, c.busyLocked() || c.out != nil, c.failed != nil
	c.mu.Unlock()
	if dead {
		return
	}
	t := now()
	l := &c.eng.limits
	if w := c.writeSince.Load(); t-w >= int64(l.write) && w != never {
		c.reset(fmt.Sprintf("HAProxy has not read what was written for %v (Agent.WriteTimeout)", l.write))
		return
	}
	due := t + int64(l.write) // a write may begin at any time
	if !c.ready.Load() {
		end := since(c.start) + int64(l.hello)
		if t >= end {
			c.timeout(slog.LevelInfo, fmt.Sprintf("no hello within %v", l.hello))
			return
		}
		if t >= leaving.at && t >= since(c.start)+int64(leaving.quiet) {
			c.kill() // nobody has a request on it
			return
		}
		c.watchAgain(t, min(due, end, max(leaving.at, since(c.start)+int64(leaving.quiet))))
		return
	}
	due = min(due, t+int64(l.read))
	if f := c.frameSince.Load(); f != never {
		if t-f >= int64(l.read) {
			c.timeout(slog.LevelWarn, fmt.Sprintf("a frame was not whole within %v", l.read))
			return
		}
		due = min(due, f+int64(l.read))
	}

	busy = busy || c.reading()
	if c.r.ended() {
		c.ask(farewell{codec.StatusNormal, ""}) // the reader has missed it, see readRaw
	}
	quietSince := c.lastFrame.Load()
	if !busy && t-quietSince >= int64(l.idle) {
		c.ask(farewell{codec.StatusTimeout, fmt.Sprintf("idle for %v", l.idle)})
	}
	due = min(due, max(quietSince+int64(l.idle), t+int64(lastLook)))
	if t < leaving.at {
		c.watchAgain(t, min(due, leaving.at))
		return
	}
	if !busy && t-quietSince >= int64(leaving.quiet) {
		c.ask(farewell{codec.StatusNormal, ""})
	}
	if t >= leaving.force {
		c.retire.Store(true) // the next ACK that leaves nothing in flight is the last
	}
	c.watchAgain(t, min(due, t+max(int64(leaving.quiet)/2, int64(minWatch))))
}

func (c *conn) watchAgain(t, due int64) {
	c.watchdog.Reset(time.Duration(max(due-t, int64(minWatch))))
}

// timeout ends a connection by a DISCONNECT with status 2, if the other side
// still reads, and by force if it does not.
func (c *conn) timeout(level slog.Level, reason string) {
	if c.isTLS() && !c.ready.Load() {
		c.reset(reason) // a frame would wait for the TLS handshake to end
		return
	}
	c.logSome(&c.eng.connLog, level, "connection timed out", slog.String("reason", reason))
	c.watchAgain(0, int64(c.eng.limits.write))
	c.disconnect(codec.StatusTimeout, reason)
}
