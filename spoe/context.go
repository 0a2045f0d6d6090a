package spoe

import (
	"context"
	"sync"
	"time"
)

// deadlineCtx is a context with a deadline but without a timer: the engine ends it. Each
// connection and each message has one. A message's is used once, so that a handler that
// keeps it finds it ended for good; they are allocated by the chunk.
type deadlineCtx struct {
	context.Context // the parent

	mu       sync.Mutex // guards what follows
	deadline time.Time  // zero: the parent's
	err      error
	done     chan struct{}
	stop     func() bool          // no longer wait for the parent
	after    map[*func()]struct{} // functions called at the end
}

// contextChunk is how many a worker allocates at once.
const contextChunk = 32

func (w *worker) newContext(parent context.Context, deadline time.Time) *deadlineCtx {
	if len(w.contexts) == 0 {
		w.contexts = make([]deadlineCtx, contextChunk)
	}
	d := &w.contexts[0]
	w.contexts = w.contexts[1:]
	d.Context, d.deadline = parent, deadline
	return d
}

// Deadline returns the nearer of the parent's deadline and its own.
func (d *deadlineCtx) Deadline() (time.Time, bool) {
	d.mu.Lock()
	own := d.deadline
	d.mu.Unlock()
	if p, ok := d.Context.Deadline(); own.IsZero() || ok && p.Before(own) {
		return p, ok
	}
	return own, true
}

// setDeadline changes the deadline and returns the one before.
func (d *deadlineCtx) setDeadline(t time.Time) (before time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, d.deadline = d.deadline, t
	return before
}

// Done makes the channel on its first call; most handlers do without.
func (d *deadlineCtx) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done == nil {
		d.done = make(chan struct{})
		if d.err != nil {
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
	d.mu.Lock()
	err := d.err
	d.mu.Unlock()
	if err != nil {
		return err
	}
	if err = d.Context.Err(); err != nil {
		d.end(err) // Done is closed before Err says that it is
	}
	return err
}

// Package context looks for AfterFunc in a parent of another type: with it, a child needs
// no goroutine.
func (d *deadlineCtx) AfterFunc(f func()) (stop func() bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
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

// end ends the context, if it has not ended.
func (d *deadlineCtx) end(err error) {
	d.mu.Lock()
	if d.err != nil {
		d.mu.Unlock()
		return
	}
	d.err = err
	if d.done != nil {
		close(d.done)
	}
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
