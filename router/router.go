package router

import (
	"context"
	"slices"

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
	routes      map[string]*route
	order       []*route
	notFound    spoe.Handler
	notFoundAt  string
	onFailure   func(error, *spoe.Actions)
	onFailureAt string
	failure     Var
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
	h := r.notFound
	if rt := r.routes[msg.Name]; rt != nil {
		h = rt.handler
	}
	if h == nil {
		return nil
	}
	if r.onFailure != nil {
		msg.OnFailure(r.onFailure)
	}
	return h.ServeSPOE(ctx, msg, acts)
}

// NotFound has h, in the router's middleware, answer messages that no route
// handles. It panics if h is nil, or if it was called before.
func (r *Router) NotFound(h spoe.Handler) {
	r.mustBeMade("NotFound")
	if isNil(h) {
		refuse("NotFound", "the handler is nil: pass a spoe.Handler")
	}
	if r.notFound != nil {
		refuse("NotFound", "the router has a handler for this already, from %s: keep one of them", r.notFoundAt)
	}
	r.notFound, _ = r.chain("NotFound", h)
	r.notFoundAt = callSite()
	r.fix("NotFound")
}

// Routes returns what has been registered, in that order.
func (r *Router) Routes() []Route {
	routes := make([]Route, len(r.order))
	for i, rt := range r.order {
		routes[i] = rt.info
		routes[i].Args = slices.Clone(rt.info.Args)
		routes[i].Vars = slices.Clone(rt.info.Vars)
		routes[i].Sent = slices.Clone(rt.info.Sent)
		routes[i].Sets = slices.Clone(rt.info.Sets)
	}
	return routes
}

// HandlesAny tells whether NotFound has a handler for messages without a route.
func (r *Router) HandlesAny() bool { return r.notFound != nil }

// FailureVar returns the variable of ErrorVar; ok is false where there is none.
func (r *Router) FailureVar() (v Var, ok bool) { return r.failure, r.onFailure != nil }
