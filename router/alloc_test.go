//go:build !race

package router_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// TestAllocations gates the allocations of a message between the router and its actions.
func TestAllocations(t *testing.T) {
	for _, test := range []struct {
		name, message string
		register      func(r *router.Router)
		want          float64
	}{
		{"raw", "ip", func(r *router.Router) { r.HandleRaw("ip", spoe.HandlerFunc(rawIP)) }, 0},
		{"no strings", "ip", func(r *router.Router) { r.Handle("ip", handleIP) }, 0},
		{"no strings, observed", "ip", func(r *router.Router) { r.Observe("ip", func(context.Context, ipIn) error { return nil }) }, 0},
		{"five strings", "request", func(r *router.Router) { r.Handle("request", handleRequest) }, 1},
	} {
		r := router.New()
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		r.Use(func(next spoe.Handler) spoe.Handler { return next })
		test.register(r)
		msg, acts, ctx := newMessage(t, test.message), new(spoe.Actions), t.Context()
		got := testing.AllocsPerRun(1000, func() {
			if err := r.ServeSPOE(ctx, msg, acts); err != nil {
				t.Fatal(err)
			}
			acts.Reset()
		})
		assert.Equal(t, test.want, got, test.name)
	}
}
