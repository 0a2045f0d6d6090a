package router

import (
	"context"
	"log/slog"
	"slices"

	"github.com/spoke-go/spoke/spoe"
)

// Router is a [spoe.Handler] that passes each message to the handler registered
// for its name. Names match exactly. A message without a handler is passed to the
// handler of NotFound; if there is none, the ACK has no actions.
//
// The zero Router is ready, as is the one that [New] returns. Register routes
// before the agent runs; from then on a Router is safe for concurrent use.
// Registering while it serves is a data race. Do not copy a Router.
type Router struct {
	Branch
	// Logger gets one warning for each field with an argument of a type that the field
	// never takes, which is a mistake in HAProxy's configuration. Default: slog.Default().
	Logger *slog.Logger
}

// New returns a Router without routes.
func New() *Router { return new(Router) }

// table is the state that a router and its branches share.
type table struct {
	routes      map[string]*entry
	order       []*entry
	notFound    spoe.Handler
	notFoundAt  string
	onFailure   func(error, *spoe.Actions)
	onFailureAt string
	failure     Var
}

// entry is a registered message with its handler.
type entry struct {
	info     RouteInfo
	handler  spoe.Handler // wrapped in its middleware
	mistyped *mistyped
}

// ServeSPOE calls the handler of the message.
func (r *Router) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	t := r.table
	if t == nil {
		return nil
	}
	h := t.notFound
	e := t.routes[msg.Name]
	if e != nil {
		h = e.handler
	}
	if h == nil {
		return nil
	}
	if t.onFailure != nil {
		msg.OnFailure(t.onFailure)
	}
	err := h.ServeSPOE(ctx, msg, acts)
	if e != nil && e.mistyped.pending.Load() {
		e.mistyped.warn(r.Logger, &e.info)
	}
	return err
}

// NotFound registers h, in the router's middleware, for messages without a route. It panics
// if h is nil, or at a second call.
func (r *Router) NotFound(h spoe.Handler) {
	t := r.registered()
	if isNil(h) {
		refuse("NotFound", "the handler is nil: pass a spoe.Handler")
	}
	if t.notFound != nil {
		refuse("NotFound", "the router has a handler for this already, from %s: keep one of them", t.notFoundAt)
	}
	t.notFound, _ = r.chain("NotFound", h, nil)
	t.notFoundAt = callSite()
	r.fix("NotFound")
}

// Routes returns the registered messages in the order of their registration.
func (r *Router) Routes() []RouteInfo {
	order := r.registered().order
	infos := make([]RouteInfo, len(order))
	for i, e := range order {
		infos[i] = e.info
		infos[i].Args = slices.Clone(e.info.Args)
		infos[i].Vars = slices.Clone(e.info.Vars)
		infos[i].Sent = slices.Clone(e.info.Sent)
		infos[i].Sets = slices.Clone(e.info.Sets)
	}
	return infos
}

// LargestBuffer returns the largest buffer that a route asks for (Route.Buffer), in bytes,
// and the name of its message; 0 if no route asks for one. An agent whose MaxFrameSize is
// less logs a warning when it starts.
func (r *Router) LargestBuffer() (bytes int, message string) {
	for _, e := range r.registered().order {
		if e.info.Buffer > bytes {
			bytes, message = e.info.Buffer, e.info.Message
		}
	}
	return bytes, message
}

// HandlesAny reports whether NotFound has a handler for messages without a route.
func (r *Router) HandlesAny() bool { return r.registered().notFound != nil }

// FailureVar returns the variable that ErrorVar names; ok is false if there is none.
func (r *Router) FailureVar() (v Var, ok bool) {
	t := r.registered()
	return t.failure, t.onFailure != nil
}
