package spoetest

import (
	"sync"
	"time"
)

// deadline is one direction's deadline of an in-memory connection: a channel
// that is closed when it has passed.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	passed chan struct{}
}

func newDeadline() *deadline { return &deadline{passed: make(chan struct{})} }

// wait returns the channel. It is replaced when a deadline that has passed is moved, so
// each wait asks for it again.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed
}

// set moves the deadline; the zero time means none.
func (d *deadline) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	gone := isClosed(d.passed)
	if at.IsZero() || time.Until(at) > 0 {
		if gone {
			d.passed = make(chan struct{})
		}
		if !at.IsZero() {
			// A timer that fires while it is being replaced closes the channel it
			// was made for; the pointer tells it that it is too late.
			var t *time.Timer
			passed := d.passed
			t = time.AfterFunc(time.Until(at), func() {
				d.mu.Lock()
				defer d.mu.Unlock()
				if d.timer == t {
					d.timer = nil
					close(passed)
				}
			})
			d.timer = t
		}
		return
	}
	if !gone {
		close(d.passed)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
