package spoe

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// deadlineCtx is what context.WithDeadline makes, without its timer: the engine
// ends it. A connection has one, and so has each deadline below that of the
// message. A message's own is handed out as a msgCtx.
type deadlineCtx struct {
	context.Context // the parent

	deadline atomic.Int64 // since epoch, or 0 for the parent's
	cause    atomic.Int32 // alive, or why it has ended
	// watched: Done or AfterFunc has been called, so that end has work to do.
	watched atomic.Bool
	// handle is the msgCtx that stands for this one now, if any.
	handle atomic.Pointer[msgCtx]

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

func newContext(parent context.Context, deadline int64) *deadlineCtx {
	d := &deadlineCtx{Context: parent}
	d.deadline.Store(deadline)
	return d
}

// Deadline returns the nearer of the parent's deadline and its own.
func (d *deadlineCtx) Deadline() (time.Time, bool) {
	ns := d.deadline.Load()
	own := epoch.Add(time.Duration(ns))
	if p, ok := d.Context.Deadline(); ns == 0 || ok && p.Before(own) {
		return p, ok
	}
	return own, true
}

// Done makes the channel on its first call; most handlers do without.
func (d *deadlineCtx) Done() <-chan struct{} {
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

func (d *deadlineCtx) watchParentLocked() {
	if d.stop == nil {
		d.stop = context.AfterFunc(d.Context, func() { d.end(d.Context.Err()) })
	}
}

func (d *deadlineCtx) Err() error {
	if d.cause.Load() == alive {
		err := d.Context.Err()
		if err == nil {
			return nil
		}
		d.end(err)
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

func (d *deadlineCtx) closeLocked() {
	if d.done != nil && !isClosed(d.done) {
		close(d.done)
	}
}

// AfterFunc is what package context looks for in a parent that is not its own:
// with it, a child needs no goroutine.
func (d *deadlineCtx) AfterFunc(f func()) (stop func() bool) {
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

// end ends the context, if it has not ended. It takes the lock only where Done or
// AfterFunc has been called: they look at cause after they have set watched, and
// end looks at watched after it has set cause.
func (d *deadlineCtx) end(err error) {
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
