package router

import (
	"context"
	"reflect"
	"strconv"

	"github.com/spoke-go/spoke/spoe"
)

// Handle registers fn for the messages of that name: their arguments are decoded
// into an In, and the fields of the Out that fn returns become variables. In and
// Out are structs or pointers to structs; a nil Out sets nothing.
//
// It panics if fn is nil, if a field of In or Out cannot be bound, if HAProxy would
// reject the name, or if the router has a handler for it, from this branch or another.
// Observe, HandleActions and HandleRaw panic for the same reasons.
//
// The [Route] that it returns says when HAProxy sends the message; ignore it if
// you do not use package haproxy.
func (b *Branch) Handle[In, Out any](name string, fn func(context.Context, In) (Out, error)) *Route {
	call := callOf("Handle", name)
	if fn == nil {
		refuse(call, nilFunc)
	}
	h := &resultHandler[In, Out]{fn: fn}
	m := new(mistyped)
	h.in.init(call, m.note)
	h.out.init(call)
	return b.register(call, h, m, RouteInfo{Message: name, Args: h.in.dec.Fields(), Vars: h.out.enc.Fields(), Nilable: h.out.pointer})
}

// Observe registers fn for the messages of that name: their arguments are decoded
// into an In, and no variable is set.
func (b *Branch) Observe[In any](name string, fn func(context.Context, In) error) *Route {
	call := callOf("Observe", name)
	if fn == nil {
		refuse(call, nilFunc)
	}
	return handleActions(b, call, RouteInfo{Message: name}, func(ctx context.Context, in In, _ *spoe.Actions) error { return fn(ctx, in) })
}

// HandleActions registers fn for the messages of that name: their arguments are
// decoded into an In, and fn sets variables itself. Use it for variables whose
// names or number only fn knows.
func (b *Branch) HandleActions[In any](name string, fn func(context.Context, In, *spoe.Actions) error) *Route {
	call := callOf("HandleActions", name)
	if fn == nil {
		refuse(call, nilFunc)
	}
	return handleActions(b, call, RouteInfo{Message: name, RawVars: true}, fn)
}

func handleActions[In any](b *Branch, call string, info RouteInfo, fn func(context.Context, In, *spoe.Actions) error) *Route {
	h := &actionsHandler[In]{fn: fn}
	m := new(mistyped)
	h.in.init(call, m.note)
	info.Args = h.in.dec.Fields()
	return b.register(call, h, m, info)
}

// HandleRaw registers h, which reads the arguments and sets variables itself, for
// the messages of that name.
func (b *Branch) HandleRaw(name string, h spoe.Handler) *Route {
	call := callOf("HandleRaw", name)
	if isNil(h) {
		refuse(call, "the handler is nil: pass a spoe.Handler")
	}
	return b.register(call, h, new(mistyped), RouteInfo{Message: name, Raw: true, RawVars: true})
}

const nilFunc = "the function is nil: pass one that is not"

func callOf(method, name string) string { return method + "(" + strconv.Quote(name) + ")" }

// register adds the message to the table, with h wrapped in the branch's middleware.
func (b *Branch) register(call string, h spoe.Handler, m *mistyped, info RouteInfo) *Route {
	checkName(call, info.Message)
	t := b.registered()
	if old := t.routes[info.Message]; old != nil {
		refuse(call, "the message has a handler already, from %s: remove one of them, or rename it", old.info.Site)
	}
	info.Site, info.Engine, info.Sent = callSite(), b.engine, b.sentWith(info.Args)
	e := &entry{info: info, mistyped: m}
	e.handler, e.info.Deadline = b.chain(call, h, &info)
	b.fix(call)
	t.routes[info.Message] = e
	t.order = append(t.order, e)
	return &Route{entry: e, call: call}
}

// checkName panics if HAProxy's configuration cannot have a message of that
// name (invalid_char in its source): the handler would never be called.
func checkName(call, name string) {
	if name == "" {
		refuse(call, "the message has no name: write the one that its spoe-message section has in HAProxy's configuration")
	}
	checkSection(call, "HAProxy rejects the name of the message for", name)
}

// isNil reports whether h is nil, or an interface that holds a nil.
func isNil(h spoe.Handler) bool {
	if h == nil {
		return true
	}
	switch r := reflect.ValueOf(h); r.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return r.IsNil()
	}
	return false
}
