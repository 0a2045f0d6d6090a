package router

import (
	"slices"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Group registers routes that share middleware. The Router itself is one;
// With makes others.
type Group struct {
	router *Router
	mws    []spoe.Middleware
	args   []Arg
	fixed  string // what has made mws final, and where; empty before
}

// Use adds middleware to the group's routes, behind what it has already; the
// first is outermost. It panics once the group has a route, or another group
// made of it by With: chains are built at registration.
func (g *Group) Use(mws ...spoe.Middleware) {
	g.mustBeMade("Use")
	if g.fixed != "" {
		refuse("Use", "it comes after %s, which would be without this middleware: call Use first", g.fixed)
	}
	g.add("Use", mws)
}

// With returns a group with the middleware of this one and, inside it, mws:
//
//	r.With(middleware.Timeout(5*time.Millisecond)).Handle("ip-rep", lookup)
func (g *Group) With(mws ...spoe.Middleware) *Group {
	g.mustBeMade("With")
	g.fix("With")
	sub := &Group{router: g.router, mws: slices.Clip(g.mws), args: slices.Clip(g.args)}
	sub.add("With", mws)
	return sub
}

// Arg has HAProxy send an argument with each message of the group, besides those
// of the handlers' structs: for middleware that reads some.
//
//	r.Arg("traceparent", "req.hdr(traceparent)") // for middleware.Trace
//
// A handler whose struct has an argument of that name has its own say, and a
// message on an event at which HAProxy does not have the sample goes without.
// Like the whole of [Sending] it is for package haproxy. It panics where
// [Group.Use] does.
func (g *Group) Arg(name, fetch string) {
	call := "Arg(" + quoted(name, fetch) + ")"
	g.mustBeMade(call)
	switch {
	case g.fixed != "":
		refuse(call, "it comes after %s, which would be without this argument: call Arg first", g.fixed)
	case name == "":
		refuse(call, "the argument has no name: write one")
	case slices.ContainsFunc(g.args, func(a Arg) bool { return a.Name == name }):
		refuse(call, "the group has the argument already: remove one of them")
	}
	checkArg(call, name, fetch)
	g.args = append(g.args, Arg{Name: name, Fetch: fetch, Shared: true})
}

// sentWith returns the group's arguments that are not among args.
func (g *Group) sentWith(args []codec.FieldInfo) []Arg {
	return slices.DeleteFunc(slices.Clone(g.args), func(a Arg) bool {
		return slices.ContainsFunc(args, func(f codec.FieldInfo) bool { return f.Name == a.Name })
	})
}

func (g *Group) add(call string, mws []spoe.Middleware) {
	for i, mw := range mws {
		if mw == nil {
			refuse(call, "middleware %d of %d is nil: pass one, or leave it out", i+1, len(mws))
		}
	}
	g.mws = append(g.mws, mws...)
}

// fix makes the group's middleware final.
func (g *Group) fix(call string) {
	if g.fixed == "" {
		g.fixed = call + " at " + callSite()
	}
}

// chain wraps h in the group's middleware, and returns the shortest deadline that
// one of them or h itself speaks of.
func (g *Group) chain(call string, h spoe.Handler) (spoe.Handler, time.Duration) {
	deadline := shorter(0, h)
	for i, mw := range slices.Backward(g.mws) {
		if h = mw(h); h == nil {
			refuse(call, "middleware %d of %d has returned a nil handler: return next where it has nothing to do", i+1, len(g.mws))
		}
		deadline = shorter(deadline, h)
	}
	return h, deadline
}

// shorter returns the shorter one of a deadline and h's, 0 being none.
func shorter(d time.Duration, h spoe.Handler) time.Duration {
	b, ok := h.(spoe.Bounded)
	if !ok || b.Bound() <= 0 || d > 0 && d < b.Bound() {
		return d
	}
	return b.Bound()
}

func (g *Group) mustBeMade(call string) {
	if g.router == nil {
		refuse(call, "this router has not been made by New: write r := router.New()")
	}
}
