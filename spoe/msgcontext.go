package spoe

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"
)

// msgCtx is the context of a message, as its handler gets it. A handler may keep
// it, and it must then say for ever that it has ended. So each message has a
// msgCtx of its own, while the msgState behind it serves one message after the
// other: one for each message would be 96 bytes and a tenth of what a NOTIFY
// costs. A msgCtx is one byte: its place in a chunk of them that knows the msgState.
type msgCtx uint8

// msgChunk is the contexts of the messages that one worker handles, one after the
// other. It fills 256 bytes.
type msgChunk struct {
	state   atomic.Pointer[msgState] // of the last one handed out
	handles [248]msgCtx
}

// msgState is a deadlineCtx for one message after the other. It belongs to a job.
type msgState struct {
	deadlineCtx
	conn connCtx
}

// connCtx is the context of the connection that a job belongs to, the parent of a
// msgState.
type connCtx struct{ p atomic.Pointer[deadlineCtx] }

// newCtx returns a context for the next message of j, which w handles.
func (w *worker) newCtx(j *job, deadline int64) *msgCtx {
	s := j.ctx.release()
	if s == nil {
		s = new(msgState)
		s.Context = &s.conn
	}
	s.conn.p.Store(&j.c.ctx)
	s.deadline.Store(deadline)
	s.cause.Store(alive)
	if w.chunk == nil || w.handed == len(w.chunk.handles) {
		w.chunk, w.handed = new(msgChunk), 0
	}
	h := &w.chunk.handles[w.handed]
	*h = msgCtx(w.handed)
	w.handed++
	s.handle.Store(h)
	w.chunk.state.Store(s)
	j.ctx = s
	return h
}

// release takes s from the message that had it. It returns nil where somebody may
// go on to use s, who has called Done or AfterFunc: they set watched and then look
// at handle, and release sets handle and then looks at watched.
func (s *msgState) release() *msgState {
	if s == nil {
		return nil
	}
	s.handle.Store(nil)
	if s.watched.Load() {
		return nil
	}
	s.conn.p.Store(nil)
	return s
}

// state returns the state behind h, or nil if h has ended and the state has gone
// on to another message. Unless it is kept, it may do so at any time: the caller
// reads it and then compares its handle with h again.
func (h *msgCtx) state() *msgState {
	start := -int(unsafe.Offsetof(msgChunk{}.handles)) - int(*h)
	s := (*msgChunk)(unsafe.Add(unsafe.Pointer(h), start)).state.Load()
	if s.handle.Load() != h {
		return nil
	}
	return s
}

// keep returns the state behind h, which from now on goes to no other message, or
// nil.
func (h *msgCtx) keep() *msgState {
	s := h.state()
	if s != nil {
		s.watched.Store(true)
		if s.handle.Load() != h {
			return nil
		}
	}
	return s
}

// Err returns nil until the message is settled.
func (h *msgCtx) Err() error {
	s := h.state()
	if s != nil && s.cause.Load() == alive && s.conn.Err() == nil && s.handle.Load() == h {
		return nil
	}
	if s = h.keep(); s == nil {
		return context.Canceled
	}
	return s.deadlineCtx.Err()
}

// Done is closed when the message is settled.
func (h *msgCtx) Done() <-chan struct{} {
	if s := h.keep(); s != nil {
		return s.deadlineCtx.Done()
	}
	return ended
}

// ended is closed.
var ended = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Deadline returns a time that has passed where the message is settled.
func (h *msgCtx) Deadline() (time.Time, bool) {
	s := h.state()
	if s == nil {
		return epoch, true
	}
	at, ok := s.deadlineCtx.Deadline()
	if s.handle.Load() != h {
		return epoch, true
	}
	return at, ok
}

// Value returns nil: the engine's contexts have no values.
func (*msgCtx) Value(any) any { return nil }

// AfterFunc is what package context looks for, see deadlineCtx.
func (h *msgCtx) AfterFunc(f func()) (stop func() bool) {
	if s := h.keep(); s != nil {
		return s.deadlineCtx.AfterFunc(f)
	}
	go f() // as context.AfterFunc does; f is package context's and ends at once
	return func() bool { return false }
}

// is reports whether ctx is d, or stands for it.
func (d *deadlineCtx) is(ctx context.Context) bool {
	if h, ok := ctx.(*msgCtx); ok {
		return d.handle.Load() == h
	}
	return ctx == context.Context(d)
}

// Err returns nil while there is a connection that has not ended.
func (c *connCtx) Err() error {
	if p := c.p.Load(); p != nil {
		return p.Err()
	}
	return context.Canceled
}

// The rest is called on a state that is kept, and so has its connection.

func (c *connCtx) Done() <-chan struct{}                   { return c.p.Load().Done() }
func (c *connCtx) AfterFunc(f func()) (stop func() bool)   { return c.p.Load().AfterFunc(f) }
func (c *connCtx) Value(key any) any                       { return nil }
func (c *connCtx) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }
