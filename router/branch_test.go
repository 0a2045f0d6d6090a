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

// TestBranches: a route has the middleware of its branch, inside that of the branch it
// was made from, each built once a route.
func TestBranches(t *testing.T) {
	made := map[string]int{}
	done := func(context.Context, struct{}) error { return nil }
	r := router.New()
	r.Use(note("a", made), note("b", made))
	outer := r.With(note("c", made))
	outer.Use(note("d", made))
	inner := outer.With(note("e", made))
	other := outer.With(note("f", made))
	r.Observe("root", done)
	outer.Observe("outer", done)
	inner.Observe("inner", done)
	other.Observe("other", done)
	r.NotFound(doesNothing)

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

// TestZeroRouter: a Router that New has not made works, and so do its branches.
func TestZeroRouter(t *testing.T) {
	var r router.Router
	assert.Empty(t, spoetest.New(t, &r).Ask("ip-rep", spoetest.Arg("ip", listed)).Actions())
	assert.Empty(t, r.Routes())
	assert.False(t, r.HandlesAny())

	var s router.Router
	s.With(same).Handle("ip-rep", typedJudge)
	s.HandleRaw("raw", rawHandler)
	s.ErrorVar(spoe.VarScopeTransaction, "error")
	haproxy := spoetest.New(t, &s)
	assert.Equal(t, "sess.score=0 sess.list=on ", haproxy.Ask("ip-rep", spoetest.Arg("ip", listed)).String())
	assert.Equal(t, "sess.score=0 sess.list=on ", haproxy.Ask("raw", spoetest.Arg("ip", listed)).String())
	assert.Equal(t, "txn.error=error: no address", haproxy.Ask("raw").String())
}

// TestReadsArgs: middleware may read arguments of the struct and of the branch. The
// arguments of a raw handler are not known, and so not refused.
func TestReadsArgs(t *testing.T) {
	r := router.New()
	r.Arg("id", "unique-id")
	r.Use(reading("ip", "id"))
	r.Handle("ip-rep", typedJudge)
	r.HandleRaw("raw", rawHandler)
	r.NotFound(rawHandler)
	assert.Len(t, r.Routes(), 2)
	text := panicOf(t, "unknown", func() { r.With(reading("user")).Handle("m", typedJudge) })
	assert.Contains(t, text, `middleware reads the argument "user"`)
	assert.Len(t, r.Routes(), 2)
}
