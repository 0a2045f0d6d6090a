package router

import (
	"context"
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Router is a [spoe.Handler] that hands each message to the handler registered
// for its name. Names match exactly. A message that nobody handles goes to
// NotFound's handler or, without one, gets no actions.
//
// Routes are registered before the agent runs; from then on a Router is safe
// for concurrent use. Registering while it serves is a race.
type Router struct {
	Group
	routes    map[string]*route
	order     []*route
	notFound  spoe.Handler
	onFailure func(error, *spoe.Actions)
}

type route struct {
	info    Route
	handler spoe.Handler // in its middleware
}

// New returns a Router without routes.
func New() *Router {
	r := &Router{routes: make(map[string]*route)}
	r.Group.router = r
	return r
}

// ServeSPOE has the message's handler answer it.
func (r *Router) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	rt := r.routes[msg.Name]
	if rt == nil && r.notFound == nil {
		return nil
	}
	if r.onFailure != nil {
		msg.OnFailure(r.onFailure)
	}
	if rt == nil {
		return r.notFound.ServeSPOE(ctx, msg, acts)
	}
	return rt.handler.ServeSPOE(ctx, msg, acts)
}

// NotFound has h, in the router's middleware, answer messages that no route
// handles. It panics if it was called before.
func (r *Router) NotFound(h spoe.Handler) {
	if h == nil {
		panic(fmt.Sprintf("router: NotFound(nil) at %s: pass a handler", callSite()))
	}
	if r.notFound != nil {
		panic(fmt.Sprintf("router: second NotFound at %s: a router has one", callSite()))
	}
	r.Group.fixed = true
	r.notFound = spoe.Chain(h, r.Group.mws...)
}

// ErrorVar has a message that fails set a variable to the reason, so that
// HAProxy can fail closed: "timeout" where the handler missed its deadline,
// "panic", "too-big" where its actions did not fit into the ACK, and
// "error: …" with the text of the error that it returned, 200 bytes of it at
// most. It panics if HAProxy would refuse the name.
func (r *Router) ErrorVar(scope spoe.VarScope, name string) {
	if err := codec.CheckVarName(scope, name); err != nil {
		panic(fmt.Sprintf("router: ErrorVar at %s: %v", callSite(), err))
	}
	r.onFailure = func(err error, acts *spoe.Actions) {
		// The name has been checked, and a text has no other way to fail.
		_ = acts.SetString(scope, name, reason(err))
	}
}

// Routes returns what has been registered, in that order.
func (r *Router) Routes() []Route {
	routes := make([]Route, len(r.order))
	for i, rt := range r.order {
		routes[i] = rt.info
		routes[i].Args = slices.Clone(rt.info.Args)
		routes[i].Vars = slices.Clone(rt.info.Vars)
	}
	return routes
}
