package spoe

import (
	"context"
	"time"
)

// A Handler answers one message. It is called concurrently for different NOTIFYs, also of
// one connection; the messages of one NOTIFY are handled in order, one after the other.
//
// msg and acts are valid until ServeSPOE returns. ctx ends then too, and earlier
// when HAProxy has disconnected, when the agent is closed, and at the deadline
// that [Agent.NotifyTimeout] or [Message.ServeWithin] sets. For work that
// outlives the handler there is [Message.Go].
//
// An error drops the message's own actions; the actions of the NOTIFY's other messages
// stay, and the ACK leaves at once. A panic counts as a *[PanicError].
type Handler interface {
	ServeSPOE(ctx context.Context, msg *Message, acts *Actions) error
}

// Bounded is a handler with a deadline: its messages are acknowledged within Bound of their
// arrival. Middleware that sets a deadline returns one, so that package router knows the
// deadline for HAProxy's configuration.
type Bounded interface {
	Handler
	// Bound is more than 0. It is called when the handler is registered.
	Bound() time.Duration
}

// ArgReader is a handler that reads arguments of its messages by name. Middleware
// that reads some returns one, so that package router can refuse, at registration,
// a name that no message of the route has.
type ArgReader interface {
	Handler
	// ReadsArgs returns the names. It is called when the handler is registered.
	ReadsArgs() []string
}

// FailureHandler is a handler that answers for failures where no function given to
// [Message.OnFailure] could: a NOTIFY waited for a worker until its deadline, the
// deadline passed before the handler called OnFailure, or such a function did not return
// in time. Package router's Router is one, so that the ACK has its ErrorVar. The agent
// asks [Agent.Handler] alone: middleware around a whole router hides it.
type FailureHandler interface {
	Handler
	// ServeFailure adds actions to the ACK. It must return at once: the ACK waits for it.
	ServeFailure(err error, acts *Actions)
}

// HandlerFunc is a function as a [Handler].
type HandlerFunc func(ctx context.Context, msg *Message, acts *Actions) error

// ServeSPOE calls f.
func (f HandlerFunc) ServeSPOE(ctx context.Context, msg *Message, acts *Actions) error {
	return f(ctx, msg, acts)
}

// Middleware wraps a handler. It is called once, when the chain is built.
type Middleware func(Handler) Handler

// Chain wraps h in middleware; the first is outermost.
func Chain(h Handler, mws ...Middleware) Handler {
	for i := len(mws) - 1; i >= 0; i-- {
		h = mws[i](h)
	}
	return h
}
