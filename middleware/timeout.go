package middleware

import (
	"context"
	"fmt"
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// Timeout limits the time of a message to d from its arrival: then the handler's
// context ends and the ACK leaves, even if the handler still runs. The agent drops
// actions that it adds later; see [spoe.Message.ServeWithin]. The error is a
// [spoe.ErrTimeout].
//
// d must be shorter than HAProxy's `timeout processing`, by at least the round trip.
// Timeout panics if d is not positive.
func Timeout(d time.Duration) spoe.Middleware {
	if d <= 0 {
		panic(fmt.Sprintf("middleware: Timeout(%v): give a handler some time, less than HAProxy's `timeout processing`", d))
	}
	return func(next spoe.Handler) spoe.Handler {
		return &bounded{d: d, HandlerFunc: func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			return msg.ServeWithin(ctx, d, next, acts)
		}}
	}
}

// bounded is a handler that reports its deadline: a [spoe.Bounded].
type bounded struct {
	spoe.HandlerFunc
	d time.Duration
}

// Bound returns the deadline, counted from the message's arrival.
func (b *bounded) Bound() time.Duration { return b.d }
