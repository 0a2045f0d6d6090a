package router

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/spoe"
)

// Group registers routes that share middleware. The Router itself is one;
// With makes others.
type Group struct {
	router *Router
	mws    []spoe.Middleware
	fixed  bool // a route has been registered
}

// Use adds middleware to the group's routes, behind what it has already; the
// first is outermost. It panics once the group has a route: chains are built at
// registration.
func (g *Group) Use(mws ...spoe.Middleware) {
	if g.fixed {
		panic(fmt.Sprintf("router: Use at %s comes after the first route, which would be without it: call Use first", callSite()))
	}
	for i, mw := range mws {
		if mw == nil {
			panic(fmt.Sprintf("router: Use at %s: middleware %d is nil", callSite(), i))
		}
	}
	g.mws = append(g.mws, mws...)
}

// With returns a group with the middleware of this one and, inside it, mws:
//
//	r.With(middleware.Timeout(5*time.Millisecond)).Handle("ip-rep", lookup)
func (g *Group) With(mws ...spoe.Middleware) *Group {
	sub := &Group{router: g.router, mws: slices.Clip(g.mws)}
	sub.Use(mws...)
	return sub
}
