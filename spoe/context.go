package spoe

import (
	"context"
	"sync"
	"time"
)

// deadlineCtx is what context.WithTimeout makes, without its timer: the
// connection's deadlines end it. Each is used for one handler and never again,
// so that whoever keeps one sees it ended; they are allocated by the chunk.
type deadlineCtx struct {
	context.Context // the parent
	deadline        time.Time

	mu   sync.Mutex // guards what follows
	done chan struct{}
	err  error
	stop func() bool // no longer wait for the parent
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
	if p, ok := d.Context.Deadline(); ok && p.Before(d.deadline) {
		return p, true
	}
	return d.deadline, true
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
			d.stop = context.AfterFunc(d.Context, func() { d.end(d.Context.Err()) })
		}
	}
	return d.done
}

func (d *deadlineCtx) Err() error {
	d.mu.Lock()
	err := d.err
	d.mu.Unlock()
	if err == nil {
		return d.Context.Err()
	}
	return err
}

// end ends the context, if it has not ended.
func (d *deadlineCtx) end(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return
	}
	d.err = err
	if d.done != nil {
		close(d.done)
		d.stop()
	}
}
