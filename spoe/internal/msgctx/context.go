package msgctx

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Epoch is the time from which deadlines are counted.
var Epoch = time.Now()

// Ctx is like a context of context.WithDeadline, without a timer: the engine calls End.
// All methods may be called concurrently.
type Ctx struct {
	context.Context // the parent

	deadline atomic.Int64 // nanoseconds since Epoch, or 0 for the parent's
	cause    atomic.Int32 // alive, or why it ended
	// watched: somebody called Done or AfterFunc, so End has work to do.
	watched atomic.Bool
	// handle is the Handle that stands for this context now, if any.
	handle atomic.Pointer[Handle]

	mu    sync.Mutex // guards what follows
	done  chan struct{}
	stop  func() bool          // no longer wait for the parent
	after map[*func()]struct{} // to be called at the end
}

// The causes of a context's end.
const (
	alive int32 = iota
	canceled
	deadlineExceeded
)

// New returns a context below parent. The deadline is in nanoseconds since Epoch; 0 means
// the parent's.
func New(parent context.Context, deadline int64) *Ctx {
	d := &Ctx{Context: parent}
	d.deadline.Store(deadline)
	return d
}

// At returns the deadline in nanoseconds since Epoch.
func (d *Ctx) At() int64 { return d.deadline.Load() }

// SetAt changes the deadline. It ends nothing.
func (d *Ctx) SetAt(deadline int64) { d.deadline.Store(deadline) }

// Deadline returns the nearer of the parent's deadline and its own.
func (d *Ctx) Deadline() (time.Time, bool) {
	ns := d.deadline.Load()
	own := Epoch.Add(time.Duration(ns))
	if p, ok := d.Context.Deadline(); ns == 0 || ok && p.Before(own) {
		return p, ok
	}
	return own, true
}

// Done makes the channel on its first call; most handlers do without.
func (d *Ctx) Done() <-chan struct{} {
	d.watched.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done == nil {
		d.done = make(chan struct{})
		if d.cause.Load() != alive {
			close(d.done)
		} else {
			d.watchParentLocked()
		}
	}
	return d.done
}

func (d *Ctx) watchParentLocked() {
	if d.stop == nil {
		d.stop = context.AfterFunc(d.Context, func() { d.End(d.Context.Err()) })
	}
}

func (d *Ctx) Err() error {
	if d.cause.Load() == alive {
		err := d.Context.Err()
		if err == nil {
			return nil
		}
		d.End(err)
	}
	if d.watched.Load() {
		d.mu.Lock()
		d.closeLocked() // Done is closed before Err says that it is
		d.mu.Unlock()
	}
	if d.cause.Load() == deadlineExceeded {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

func (d *Ctx) closeLocked() {
	if d.done == nil {
		return
	}
	select {
	case <-d.done:
	default:
		close(d.done)
	}
}

// AfterFunc is the method that package context looks for in a parent that is not its
// own: with it, a child needs no goroutine.
func (d *Ctx) AfterFunc(f func()) (stop func() bool) {
	d.watched.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cause.Load() != alive {
		go f() // as context.AfterFunc does; f is package context's and ends at once
		return func() bool { return false }
	}
	d.watchParentLocked()
	if d.after == nil {
		d.after = make(map[*func()]struct{})
	}
	key := &f
	d.after[key] = struct{}{}
	return func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		_, ok := d.after[key]
		delete(d.after, key)
		return ok
	}
}

// End ends the context, unless it ended before: its Err is context.DeadlineExceeded if err is
// that, and context.Canceled otherwise. It takes the lock only after a call of Done or
// AfterFunc: they set watched and then read cause, and End sets cause and then reads watched.
func (d *Ctx) End(err error) {
	cause := canceled
	if err == context.DeadlineExceeded {
		cause = deadlineExceeded
	}
	if !d.cause.CompareAndSwap(alive, cause) || !d.watched.Load() {
		return
	}
	d.mu.Lock()
	d.closeLocked()
	after, stop := d.after, d.stop
	d.after = nil
	d.mu.Unlock()
	if stop != nil {
		stop()
	}
	for f := range after { // children end, in no order
		(*f)()
	}
}
