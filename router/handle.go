package router

import (
	"context"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Handle registers fn for the messages of that name. fn is one of
//
//	spoe.Handler
//	func(context.Context, *spoe.Message, *spoe.Actions) error
//	func(context.Context, In) (Out, error)
//	func(context.Context, In) error
//	func(context.Context, In, *spoe.Actions) error
//
// with In and Out a struct or a pointer to one; a nil Out sets nothing. Handle
// panics if fn is none of these, if In or Out has a field that cannot be bound,
// if HAProxy could not have a message of that name, or if the router has one
// already, of this group or of another.
//
// What it returns says when HAProxy sends the message; it may be ignored where
// nobody asks package haproxy for HAProxy's half of the configuration.
func (g *Group) Handle(name string, fn any) *Sending {
	call := "Handle(" + strconv.Quote(name) + ")"
	g.mustBeMade(call)
	checkName(call, name)
	r := g.router
	site := callSite()
	if old := r.routes[name]; old != nil {
		refuse(call, "the message has a handler already, from %s: remove one of them, or rename it", old.info.Site)
	}
	h, wrong := handlerOf(fn)
	if wrong != "" {
		refuse(call, "%s", wrong)
	}
	rt := &route{info: Route{Message: name, Site: site, Raw: true, RawVars: true}}
	if d, ok := h.(described); ok {
		rt.info.Args, rt.info.Vars, rt.info.RawVars = d.describe()
		rt.info.Raw = false
	}
	if n, ok := h.(interface{ nilable() bool }); ok {
		rt.info.Nilable = n.nilable()
	}
	rt.handler, rt.info.Deadline = g.chain(call, h)
	rt.info.Sent = g.sentWith(rt.info.Args)
	g.fix(call)
	r.routes[name] = rt
	r.order = append(r.order, rt)
	return &Sending{route: rt}
}

// checkName panics if HAProxy's configuration cannot have a message of that
// name (invalid_char in its source): the handler would never be called.
func checkName(call, name string) {
	if name == "" {
		refuse(call, "the message has no name: write the one that its spoe-message section has in HAProxy's configuration")
	}
	if i := badSection(name); i >= 0 {
		c, _ := utf8.DecodeRuneInString(name[i:])
		refuse(call, "HAProxy has no message of that name, as it refuses the character %q: use letters, digits, '-', '_', '.' and ':'", c)
	}
}

// described is a handler that knows what it binds, and whether it sets variables
// besides.
type described interface {
	describe() (args []codec.FieldInfo, vars []codec.VarInfo, rawVars bool)
}

type rawFunc = func(context.Context, *spoe.Message, *spoe.Actions) error

// handlerOf returns fn as a handler, or what is wrong with it.
func handlerOf(fn any) (h spoe.Handler, wrong string) {
	v := reflect.ValueOf(fn)
	switch {
	case fn == nil:
		return nil, "the handler is nil: pass a function or a spoe.Handler"
	case isNil(fn):
		return nil, "the handler is a nil " + v.Type().String() + ": pass one that is there"
	}
	if h, ok := fn.(spoe.Handler); ok {
		return h, ""
	}
	if raw := reflect.TypeFor[rawFunc](); v.Type().ConvertibleTo(raw) { // a named type, too
		return spoe.HandlerFunc(v.Convert(raw).Interface().(rawFunc)), ""
	}
	return newReflected(v)
}

// isNil tells whether v is nil, or an interface with a nil in it.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return r.IsNil()
	}
	return false
}
