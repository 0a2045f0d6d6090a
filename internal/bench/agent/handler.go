package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

const formsUsage = "`form` of the handlers: typed (structs), " +
	"raw (a spoe.HandlerFunc on the router) or bare (the same without a router or middleware)"

// newHandler builds the handler that the flags ask for.
func newHandler(c config, page *page) (spoe.Handler, error) {
	if c.form == "bare" {
		return rawHandlers(c.sleep)["ip-rep"], nil
	}
	r := router.New()
	if page != nil {
		r.Use(page.Middleware())
	}
	if c.recover {
		r.Use(middleware.Recover())
	}
	if c.trace {
		installTracing()
		r.Use(middleware.Trace())
	}
	if c.timeout > 0 {
		r.Use(middleware.Timeout(c.timeout))
	}
	switch c.form {
	case "typed":
		r.Handle("ip-rep", slowed(c, rate))
		r.Handle("check-request", slowed(c, check))
		r.Handle("echo", slowed(c, echo))
	case "raw":
		for name, h := range rawHandlers(c.sleep) {
			r.HandleRaw(name, h)
		}
	default:
		return nil, fmt.Errorf("-form %s is neither typed, raw nor bare", c.form)
	}
	return r, nil
}

// slowed returns a handler that first sleeps or computes in one message of c.every; where
// it need not, it returns h itself.
func slowed[In, Out any](c config, h func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	if c.sleep <= 0 && c.compute <= 0 {
		return h
	}
	var n atomic.Uint64
	return func(ctx context.Context, in In) (Out, error) {
		if n.Add(1)%max(c.every, 1) == 0 {
			time.Sleep(c.sleep)
			compute(c.compute)
		}
		return h(ctx, in)
	}
}

// compute keeps the processor for d.
func compute(d time.Duration) {
	if d <= 0 {
		return
	}
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}
