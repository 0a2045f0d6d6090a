package router_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// note is a middleware that leaves its name, and counts how often it is made.
func note(name string, made map[string]int) spoe.Middleware {
	return func(next spoe.Handler) spoe.Handler {
		made[name]++
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			if err := acts.SetBool(spoe.VarScopeTransaction, name, true); err != nil {
				return err
			}
			return next.ServeSPOE(ctx, msg, acts)
		})
	}
}

// TestGroups: a route has the middleware of its group, that of the group it was
// made of outside, each built once a route.
func TestGroups(t *testing.T) {
	made := map[string]int{}
	done := func(context.Context, struct{}) error { return nil }
	r := router.New()
	r.Use(note("a", made), note("b", made))
	outer := r.With(note("c", made))
	outer.Use(note("d", made))
	inner := outer.With(note("e", made))
	other := outer.With(note("f", made))
	r.Handle("root", done)
	outer.Handle("outer", done)
	inner.Handle("inner", done)
	other.Handle("other", done)
	r.NotFound(router.Sink(done))

	haproxy := spoetest.New(t, r)
	for message, want := range map[string]string{
		"root":    "txn.a=true txn.b=true",
		"outer":   "txn.a=true txn.b=true txn.c=true txn.d=true",
		"inner":   "txn.a=true txn.b=true txn.c=true txn.d=true txn.e=true",
		"other":   "txn.a=true txn.b=true txn.c=true txn.d=true txn.f=true",
		"unknown": "txn.a=true txn.b=true",
	} {
		assert.Equal(t, want, haproxy.Ask(message).String(), message)
		assert.Equal(t, want, haproxy.Ask(message).String(), message)
	}
	assert.Equal(t, map[string]int{"a": 5, "b": 5, "c": 3, "d": 3, "e": 1, "f": 1}, made)
}

// TestRouterInRouter: a router is a handler like any other.
func TestRouterInRouter(t *testing.T) {
	inner := router.New()
	inner.Handle("ip-rep", typedJudge)
	outer := router.New()
	outer.NotFound(inner)
	assert.Equal(t, "sess.score=0 sess.list=on ", spoetest.New(t, outer).Ask("ip-rep", spoetest.Arg("ip", listed)).String())
}
