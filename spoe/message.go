package spoe

import (
	"bytes"
	"context"
	"errors"
	"net"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/bridge"
)

// Message is one message of a NOTIFY (§3.3). The agent's messages are valid
// until the handler returns; [Message.Clone] makes one that is safe to keep.
type Message struct {
	// Name is the message's name in HAProxy's spoe-message section; it is safe
	// to keep.
	Name string
	// Args are its arguments.
	Args *Args

	streamID, frameID uint64
	engineID          string
	peer              net.Addr
	received          time.Time
	job               *job          // nil once cloned
	shared            *agentState   // of the agent that received it, or nil
	hooks             *failureHooks // of OnFailure; nil: they are the job's
}

func init() {
	bridge.NewMessage = func(name string, args codec.Args) any { return newMessage(name, args) }
}

// newMessage returns a message that no agent received.
func newMessage(name string, raw codec.Args) *Message {
	args := newArgs(raw)
	return &Message{Name: name, Args: &args, received: time.Now(), hooks: new(failureHooks)}
}

// StreamID returns the stream-id of the NOTIFY (§3.2). HAProxy up to 3.0
// counts from 0 and reuses them.
func (m *Message) StreamID() uint64 { return m.streamID }

// FrameID returns the frame-id of the NOTIFY within its stream (§3.2).
func (m *Message) FrameID() uint64 { return m.frameID }

// EngineID returns the id of HAProxy's engine, which may be empty (§3.2.4).
// HAProxy up to 3.0 has one per thread.
func (m *Message) EngineID() string { return m.engineID }

// Peer returns HAProxy's address; nil for a message that no agent received.
func (m *Message) Peer() net.Addr { return m.peer }

// ReceivedAt returns when the NOTIFY arrived.
func (m *Message) ReceivedAt() time.Time { return m.received }

// Clone returns a copy that stays valid after the handler has returned, with all arguments
// unread. The agent does not call functions given to the copy's OnFailure; code that passes
// the copy to a handler calls [Message.FailureHook].
func (m *Message) Clone() *Message {
	c := *m
	c.job = nil
	c.hooks = new(failureHooks)
	raw := m.Args.all
	args := newArgs(codec.NewArgs(bytes.Clone(raw.Raw()), raw.Len()))
	c.Args = &args
	return &c
}

// Fork returns a message that is valid as long as m is, and shares its arguments
// and its deadline. It keeps the functions that are given to its OnFailure, for
// middleware that has to hand them on; see [Message.FailureHook].
func (m *Message) Fork() *Message {
	f := &struct {
		Message
		hooks failureHooks
	}{Message: *m}
	f.Message.hooks = &f.hooks
	return &f.Message
}

// OnFailure registers f to be called if this message fails: its handler returns
// an error or panics, misses its deadline, or sets more than an ACK can hold. f
// gets the reason, whose methods can be called without fear of a panic, and the
// actions that go into the ACK instead of the handler's. That lets HAProxy fail
// closed.
//
// Several are called in the order of the calls. A function that panics or sets more than
// the ACK can hold loses its own actions only. f must not block and must not use the
// message: at a deadline it is called while the handler still runs. Where several messages
// share one call of the handler, as with middleware.Coalesce, f is called for each that
// fails, and at the same time.
func (m *Message) OnFailure(f func(err error, acts *Actions)) {
	switch {
	case m.hooks != nil:
		m.hooks.add(f)
	case m.job != nil:
		m.job.setOnFailure(f)
	}
}

// FailureHook returns a function that calls, in order, the functions that
// OnFailure of this message got so far, or nil if there are none. It
// is for a [Message.Clone], a [Message.Fork] and a message of [NewMessage]; for
// the agent's own messages, whose functions the agent calls, it returns nil.
func (m *Message) FailureHook() func(err error, acts *Actions) {
	if m.hooks == nil {
		return nil
	}
	return m.hooks.snapshot()
}

// ServeWithin calls next with a context that ends d after the message's arrival. If next
// has not returned by then, even if it ignores its context, the agent acknowledges the
// NOTIFY at that time, with the actions of earlier messages and of OnFailure. Later actions
// of next are dropped, and the NOTIFY's later messages are not handled.
//
// It is called from the goroutine of the handler. It returns what next returned,
// or an error that is an [ErrTimeout] if that was too late. Nested calls end at the earliest of their deadlines. Outside an
// agent, d counts from the call.
func (m *Message) ServeWithin(ctx context.Context, d time.Duration, next Handler, acts *Actions) error {
	if m.job != nil {
		return m.job.serveWithin(ctx, d, next, m, acts)
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := next.ServeSPOE(ctx, m, acts)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return timeoutError(d, err)
	}
	return err
}
