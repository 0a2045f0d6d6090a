//go:build !race

package router_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// TestAllocations: what a message may allocate between the router and its
// actions (DESIGN.md §5).
func TestAllocations(t *testing.T) {
	for _, test := range []struct {
		name, message string
		fn            any
		want          float64
	}{
		{"raw", "ip", rawIP, 0},
		{"Func, no strings", "ip", router.Func(handleIP), 0},
		{"Func, five strings", "request", router.Func(handleRequest), 1},
		// Those of Value.Call, see reflected.
		{"any, no strings", "ip", handleIP, 3},
		{"any, five strings, too large for registers", "request", handleRequest, 5},
	} {
		r := router.New()
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		r.Use(func(next spoe.Handler) spoe.Handler { return next })
		r.Handle(test.message, test.fn)
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
