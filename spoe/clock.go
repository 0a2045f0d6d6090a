package spoe

import (
	"fmt"
	"log/slog"
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

// look is called by the clock's timer. It marks the timer as unset first: a job that sets
// its deadline after its turn in takeLate finds it so, and arms it.
func (c *conn) look() {
	c.clock.due.Store(never)
	l, t := &c.shared.limits, now()
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
