package router

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Branch registers routes that share middleware, arguments and an engine. A [Router] is a
// branch itself; With makes others. A Branch that is not from With belongs to no router.
type Branch struct {
	table  *table
	mws    []spoe.Middleware
	args   []Arg
	engine string
	fixed  string // the call that made the branch final, and its site; empty before
}

// registered returns the table of the branch's router. The first call makes it.
func (b *Branch) registered() *table {
	if b.table == nil {
		b.table = &table{routes: make(map[string]*entry)}
	}
	return b.table
}

// Use adds middleware to the routes of the branch, inside the middleware that it has; the
// first is outermost. It panics if the branch already has a route, or if With made another
// branch from it: chains are built at registration.
func (b *Branch) Use(mws ...spoe.Middleware) {
	b.mustBeOpen("Use", "middleware")
	b.add("Use", mws)
}

// With returns a branch with the middleware of this one and, inside it, mws:
//
//	r.With(middleware.Timeout(5*time.Millisecond)).Handle("ip-rep", lookup)
func (b *Branch) With(mws ...spoe.Middleware) *Branch {
	sub := &Branch{table: b.registered(), mws: slices.Clip(b.mws), args: slices.Clip(b.args), engine: b.engine}
	b.fix("With")
	sub.add("With", mws)
	return sub
}

// Arg declares an argument that HAProxy sends with each message of the branch, in addition
// to those of the handlers' structs. Use it for middleware that reads an argument:
//
//	r.Arg("traceparent", "req.hdr(traceparent)") // for middleware.Trace
//
// A field of that name in a handler's struct takes precedence. A message on an event at
// which HAProxy does not have the sample has no such argument. Like the methods of [Route],
// Arg is for package haproxy. It panics if [Branch.Use] would.
func (b *Branch) Arg(name, fetch string) {
	call := "Arg(" + quoted(name, fetch) + ")"
	b.mustBeOpen(call, "argument")
	switch {
	case name == "":
		refuse(call, "the argument has no name: write one")
	case slices.ContainsFunc(b.args, func(a Arg) bool { return a.Name == name }):
		refuse(call, "the branch has the argument already: remove one of them")
	}
	checkArg(call, name, fetch)
	b.args = append(b.args, Arg{Name: name, Fetch: fetch, Shared: true})
}

// Engine names the SPOE engine that sends the messages of the branch, for an agent that
// several engines ask. Like the methods of [Route], Engine is for package haproxy. It
// panics if [Branch.Use] would.
func (b *Branch) Engine(name string) {
	call := "Engine(" + strconv.Quote(name) + ")"
	b.mustBeOpen(call, "engine")
	checkEngine(call, name)
	b.engine = name
}

// sentWith returns the branch's arguments that args does not have.
func (b *Branch) sentWith(args []codec.FieldInfo) []Arg {
	return slices.DeleteFunc(slices.Clone(b.args), func(a Arg) bool {
		return slices.ContainsFunc(args, func(f codec.FieldInfo) bool { return f.Name == a.Name })
	})
}

func (b *Branch) add(call string, mws []spoe.Middleware) {
	for i, mw := range mws {
		if mw == nil {
			refuse(call, "middleware %d of %d is nil: pass one, or leave it out", i+1, len(mws))
		}
	}
	b.mws = append(b.mws, mws...)
}

// fix makes the branch final.
func (b *Branch) fix(call string) {
	if b.fixed == "" {
		b.fixed = call + " at " + callSite()
	}
}

func (b *Branch) mustBeOpen(call, thing string) {
	if b.fixed != "" {
		method, _, _ := strings.Cut(call, "(")
		refuse(call, "it comes after %s, which would be without this %s: call %s first", b.fixed, thing, method)
	}
}

// chain wraps h in the branch's middleware, and returns the shortest deadline that
// one of them or h itself reports. info is the route's, or nil for NotFound.
func (b *Branch) chain(call string, h spoe.Handler, info *RouteInfo) (spoe.Handler, time.Duration) {
	deadline := shorter(0, h)
	for i, mw := range slices.Backward(b.mws) {
		if h = mw(h); h == nil {
			refuse(call, "middleware %d of %d has returned a nil handler: return next where it has nothing to do", i+1, len(b.mws))
		}
		deadline = shorter(deadline, h)
		if info != nil {
			checkReads(call, h, info)
		}
	}
	return h, deadline
}

// shorter returns the shorter one of a deadline and h's; 0 means no deadline.
func shorter(d time.Duration, h spoe.Handler) time.Duration {
	b, ok := h.(spoe.Bounded)
	if !ok || b.Bound() <= 0 || d > 0 && d < b.Bound() {
		return d
	}
	return b.Bound()
}

// checkReads panics if h is middleware that reads an argument which the message
// never has. The arguments of a raw handler are not known, so they are not checked.
func checkReads(call string, h spoe.Handler, info *RouteInfo) {
	r, ok := h.(spoe.ArgReader)
	if !ok || info.Raw {
		return
	}
	for _, name := range r.ReadsArgs() {
		if !slices.ContainsFunc(info.Args, func(f codec.FieldInfo) bool { return f.Name == name }) &&
			!slices.ContainsFunc(info.Sent, func(a Arg) bool { return a.Name == name }) {
			refuse(call, "middleware reads the argument %q, which no field of the handler's struct has: correct the name, add a field, or call Arg(%q, …) on the router or branch before", name, name)
		}
	}
}
