package router

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

// Route describes a registered message.
type Route struct {
	// Message is the name that HAProxy's spoe-message section has.
	Message string
	// Args are the arguments that the handler's struct is bound to; nil for a
	// raw handler.
	Args []codec.FieldInfo
	// Vars are the variables that the handler's result sets; nil if it has none.
	Vars []codec.VarInfo
	// Site is where it was registered, as file:line.
	Site string
}

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
// if name is empty, or if it is registered already.
func (g *Group) Handle(name string, fn any) {
	site := callSite()
	r := g.router
	if name == "" {
		panic(fmt.Sprintf("router: Handle at %s without a message name: use the one of the spoe-message section", site))
	}
	if old := r.routes[name]; old != nil {
		panic(fmt.Sprintf("router: message %q is registered twice, at %s and at %s: a message has one handler", name, old.info.Site, site))
	}
	h, err := handlerOf(fn)
	if err != nil {
		panic(fmt.Sprintf("router: Handle(%q) at %s: %v", name, site, err))
	}
	info := Route{Message: name, Site: site}
	if d, ok := h.(described); ok {
		info.Args, info.Vars = d.describe()
	}
	rt := &route{info: info, handler: spoe.Chain(h, g.mws...)}
	g.fixed = true
	r.routes[name] = rt
	r.order = append(r.order, rt)
}

// described is a handler that knows what it binds.
type described interface {
	describe() ([]codec.FieldInfo, []codec.VarInfo)
}

func handlerOf(fn any) (spoe.Handler, error) {
	switch fn := fn.(type) {
	case nil:
		return nil, fmt.Errorf("the handler is nil")
	case func(context.Context, *spoe.Message, *spoe.Actions) error:
		if fn == nil {
			return nil, fmt.Errorf("the handler is a nil function")
		}
		return spoe.HandlerFunc(fn), nil
	case spoe.Handler:
		if v := reflect.ValueOf(fn); (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil() {
			return nil, fmt.Errorf("the handler is a nil %T", fn)
		}
		return fn, nil
	}
	return newReflected(reflect.ValueOf(fn))
}

// callSite returns the file:line outside this package that is calling.
func callSite() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, packagePath+".") || !more {
			return f.File + ":" + strconv.Itoa(f.Line)
		}
	}
}

var packagePath = reflect.TypeFor[Router]().PkgPath()
