package router

import (
	"slices"

	"github.com/spoke-go/spoke/spoe"
)

// Group registers routes that share middleware. The Router itself is one;
// With makes others.
type Group struct {
	router *Router
	mws    []spoe.Middleware
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
	sub := &Group{router: g.router, mws: slices.Clip(g.mws)}
	sub.add("With", mws)
	return sub
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

// chain wraps h in the group's middleware.
func (g *Group) chain(call string, h spoe.Handler) spoe.Handler {
	for i, mw := range slices.Backward(g.mws) {
		if h = mw(h); h == nil {
			refuse(call, "middleware %d of %d has returned a nil handler: return next where it has nothing to do", i+1, len(g.mws))
		}
	}
	return h
}

func (g *Group) mustBeMade(call string) {
	if g.router == nil {
		refuse(call, "this router has not been made by New: write r := router.New()")
	}
}
