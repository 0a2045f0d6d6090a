package main

import (
	"context"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// Request is what HAProxy sends.
type Request struct {
	Method  string            `spoe:"method" fetch:"method"`
	URL     string            `spoe:"url" fetch:"url"` // in absolute form over HTTP/2
	Headers codec.HeaderBlock `spoe:"headers" fetch:"req.hdrs_bin"`
	Body    []byte            `spoe:"body" fetch:"req.body"` // as far as it fits into a buffer
	// Whole reports whether the body ends where Body does. Its fetch is one for
	// developers; all versions from 2.4 on have it, and a body of a length that is
	// announced is known to be whole without it.
	Whole bool `spoe:"whole" fetch:"internal.htx.has_eom"`
}

// buffer is the size of HAProxy's buffers, in bytes: a request's head and body have to
// fit into one together, which keeps 1024 free.
const buffer = 65536

// register is all of the agent that knows SPOE. HAProxy gets an ACK at once; behind
// it the request waits in a queue for each target that is to have a copy.
func register(r *router.Router, all func() targets, config func() *Config) {
	r.Arg("traceparent", "req.hdr(traceparent)")
	r.With(func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			for _, t := range all().choose(ctx, glance(msg)) {
				if err := t.queue(next).ServeSPOE(withTarget(ctx, t), msg, acts); err != nil {
					return err
				}
			}
			return nil
		})
	}).Observe("mirror", func(ctx context.Context, r Request) error {
		return targetOf(ctx).copy(ctx, &r, config())
	}).Group("copy").Buffer(buffer)
}

type contextKey struct{}

func withTarget(ctx context.Context, t *running) context.Context {
	return context.WithValue(ctx, contextKey{}, t)
}

func targetOf(ctx context.Context) *running { return ctx.Value(contextKey{}).(*running) }
