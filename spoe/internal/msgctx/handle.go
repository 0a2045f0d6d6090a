package msgctx

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"
)

// Handle is the context of one message, as its handler gets it. A handler may keep it, and
// it must report its end for ever. So each message has a Handle of its own, while the
// state behind it serves one message after the other: a state for each message would be
// 96 bytes and a tenth of the cost of a NOTIFY. A Handle is one byte, its index in a chunk
// that points to the state.
type Handle uint8

// chunk is the Handles of a worker's messages. It fills 256 bytes.
type chunk struct {
	state   atomic.Pointer[state] // of the Handle that was handed out last
	handles [248]Handle
}

// state is a Ctx for one message after the other.
type state struct {
	Ctx
	conn connCtx
}

// connCtx is the parent of a state: the context of the message's connection.
type connCtx struct{ p atomic.Pointer[Ctx] }

// Source hands out the contexts of the messages that one worker handles, one after the
// other. The zero Source is ready. It is not for concurrent use.
type Source struct {
	state  *state
	chunk  *chunk
	handed int // of chunk's
}

// Begin returns the context of the next message, for its handler and for the engine.
func (s *Source) Begin(parent *Ctx, deadline int64) (*Handle, *Ctx) {
	st := s.state
	if st == nil {
		st = new(state)
		st.Context = &st.conn
		s.state = st
	}
	// An atomic store costs as much as ten loads.
	if st.conn.p.Load() != parent {
		st.conn.p.Store(parent)
	}
	if st.At() != deadline {
		st.SetAt(deadline)
	}
	if st.cause.Load() != alive {
		st.cause.Store(alive)
	}
	if s.chunk == nil || s.handed == len(s.chunk.handles) {
		s.chunk, s.handed = new(chunk), 0
	}
	if s.chunk.state.Load() != st {
		s.chunk.state.Store(st)
	}
	h := &s.chunk.handles[s.handed]
	*h = Handle(s.handed)
	s.handed++
	st.handle.Store(h)
	return h, &st.Ctx
}

// End ends the context of the last message. The next message gets its state, except
// after a call of Done or AfterFunc: they set watched and then read handle, and End sets
// handle and then reads watched.
func (s *Source) End() {
	st := s.state
	st.handle.Store(nil)
	if st.watched.Load() {
		st.Ctx.End(context.Canceled)
		s.state = nil
	}
}

// Drop leaves the contexts handed out so far as they are, so that they go on to report why
// they have ended.
func (s *Source) Drop() { s.state, s.chunk = nil, nil }

// Rest forgets the connection, which an idle worker must not keep in memory.
func (s *Source) Rest() {
	if s.state != nil {
		s.state.conn.p.Store(nil)
	}
}

// state returns the state behind h, or nil if h ended and the state has gone on to
// another message. Unless keep was called, it may do so at any time: the caller reads the
// state and then compares its handle with h again.
func (h *Handle) state() *state {
	start := -int(unsafe.Offsetof(chunk{}.handles)) - int(*h)
	s := (*chunk)(unsafe.Add(unsafe.Pointer(h), start)).state.Load()
	if s.handle.Load() != h {
		return nil
	}
	return s
}

// keep returns the state behind h, which from now on goes to no other message, or nil.
func (h *Handle) keep() *state {
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
func (h *Handle) Err() error {
	s := h.state()
	if s != nil && s.cause.Load() == alive && s.conn.Err() == nil && s.handle.Load() == h {
		return nil
	}
	if s = h.keep(); s == nil {
		return context.Canceled
	}
	return s.Ctx.Err()
}

// Done is closed when the message is settled.
func (h *Handle) Done() <-chan struct{} {
	if s := h.keep(); s != nil {
		return s.Ctx.Done()
	}
	return ended
}

// ended is closed.
var ended = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Deadline returns a time that has passed once the message is settled.
func (h *Handle) Deadline() (time.Time, bool) {
	s := h.state()
	if s == nil {
		return Epoch, true
	}
	at, ok := s.Ctx.Deadline()
	if s.handle.Load() != h {
		return Epoch, true
	}
	return at, ok
}

// Value returns nil: the engine's contexts have no values.
func (*Handle) Value(any) any { return nil }

// AfterFunc is the method that package context looks for; see Ctx.AfterFunc.
func (h *Handle) AfterFunc(f func()) (stop func() bool) {
	if s := h.keep(); s != nil {
		return s.Ctx.AfterFunc(f)
	}
	go f() // as context.AfterFunc does; f is package context's and ends at once
	return func() bool { return false }
}

// Is reports whether ctx is the Handle that stands for d.
func (d *Ctx) Is(ctx context.Context) bool {
	h, ok := ctx.(*Handle)
	return ok && d.handle.Load() == h
}

// Err returns nil while there is a connection that has not ended.
func (c *connCtx) Err() error {
	if p := c.p.Load(); p != nil {
		return p.Err()
	}
	return context.Canceled
}

// The methods below are called on a state that is kept, and so has its connection.

func (c *connCtx) Done() <-chan struct{}                   { return c.p.Load().Done() }
func (c *connCtx) AfterFunc(f func()) (stop func() bool)   { return c.p.Load().AfterFunc(f) }
func (c *connCtx) Value(key any) any                       { return nil }
func (c *connCtx) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }
