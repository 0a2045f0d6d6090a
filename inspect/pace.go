package inspect

import (
	"sync/atomic"
	"time"
)

// A pace bounds the number of events in a second. After a quiet second that many may
// happen at once; then it spreads them evenly, so that the samples of a busy agent are
// not all from one millisecond.
type pace struct {
	due atomic.Int64 // the time at which all events so far were due at an even pace, in ns
}

// allows reports whether one more event may happen now.
func (p *pace) allows(now time.Duration, perSecond int) bool {
	return time.Duration(p.due.Load())-now <= time.Second-time.Second/time.Duration(perSecond)
}

// take reports whether one more event may happen now, and counts it if so.
func (p *pace) take(now time.Duration, perSecond int) bool {
	for {
		due := p.due.Load()
		if time.Duration(due)-now > time.Second-time.Second/time.Duration(perSecond) {
			return false
		}
		if p.due.CompareAndSwap(due, max(due, int64(now))+int64(time.Second)/int64(perSecond)) {
			return true
		}
	}
}
