package main

import (
	"context"
	"fmt"
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
		r.Handle("ip-rep", slept(c.sleep, rate))
		r.Handle("check-request", slept(c.sleep, check))
		r.Handle("echo", slept(c.sleep, echo))
	case "raw":
		for name, h := range rawHandlers(c.sleep) {
			r.HandleRaw(name, h)
		}
	default:
		return nil, fmt.Errorf("-form %s is neither typed, raw nor bare", c.form)
	}
	return r, nil
}

// slept has a handler sleep first; where it need not, the handler is untouched.
func slept[In, Out any](d time.Duration, h func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	if d <= 0 {
		return h
	}
	return func(ctx context.Context, in In) (Out, error) {
		time.Sleep(d)
		return h(ctx, in)
	}
}
