package middleware

import (
	"context"
	"runtime/debug"

	"github.com/spoke-go/spoke/spoe"
)

// Recover turns a panic into a *[spoe.PanicError], which has the stack, so that the
// middleware outside of it sees an error like any other. The agent then logs it with
// the stack, counts it, and acknowledges the NOTIFY without that message's actions;
// router.ErrorVar reports it to HAProxy.
//
// An agent survives a panic without Recover, too. But then the panic passes through all
// middleware, and telemetry does not record its value: make Recover the innermost.
func Recover() spoe.Middleware {
	return func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = &spoe.PanicError{Value: v, Stack: debug.Stack()}
				}
			}()
			return next.ServeSPOE(ctx, msg, acts)
		})
	}
}
