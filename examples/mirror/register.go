package main

import (
	"context"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// Request has the arguments of HAProxy's message.
type Request struct {
	Method  string            `spoe:"method" fetch:"method"`
	URL     string            `spoe:"url" fetch:"url"` // in absolute form over HTTP/2
	Headers codec.HeaderBlock `spoe:"headers" fetch:"req.hdrs_bin"`
	Body    router.RequestBody
}

// buffer is the size of HAProxy's buffers, in bytes. A request's head and body must fit
// into one together, and HAProxy keeps 1024 bytes free.
const buffer = 65536

// register is the only code of the agent that knows SPOE. HAProxy gets an ACK at once.
// Afterwards the request waits in the queue of each target that gets a copy.
func register(r *router.Router, all func() targets, config func() *Config) {
	r.Arg("traceparent", "req.hdr(traceparent)")
	r.With(func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			for _, t := range all().choose(ctx, glance(msg)) {
				if err := t.queue(next).ServeSPOE(context.WithValue(ctx, contextKey{}, t), msg, acts); err != nil {
					return err
				}
			}
			return nil
		})
	}).Observe("mirror", func(ctx context.Context, r Request) error {
		return ctx.Value(contextKey{}).(*running).copy(ctx, &r, config())
	}).Group("copy").Buffer(buffer)
}

// contextKey has the target in the context of a copy.
type contextKey struct{}
