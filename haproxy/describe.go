package haproxy

import (
	"reflect"
	"slices"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
)

// Describe returns the description of a router's routes.
func Describe(r *router.Router) Agent {
	a := Agent{Messages: []Message{}, Any: r.HandlesAny()}
	if v, ok := r.FailureVar(); ok {
		a.FailureVar = v.Scope.String() + "." + v.Name
	}
	for _, route := range r.Routes() {
		a.Messages = append(a.Messages, describe(route))
	}
	return a
}

func describe(r router.RouteInfo) Message {
	m := Message{
		Name: r.Message, Engine: r.Engine, Event: string(r.Event), Condition: r.Condition, Group: r.Group,
		AnyArgs: r.Raw, AnyVars: r.RawVars, Buffer: r.Buffer, Deadline: Duration(r.Deadline), Site: r.Site,
	}
	for _, f := range r.Args {
		a := Arg{Name: f.Name, Fetch: f.Fetch, Types: typeNames(f.Types), Required: f.Required, Field: f.Field, Group: f.Group, Go: f.Type.String(), Secret: f.Secret}
		if f.Pos >= 0 {
			a.Pos = &f.Pos
		}
		m.Args = append(m.Args, a)
	}
	for _, s := range r.Sent {
		m.Args = append(m.Args, Arg{Name: s.Name, Fetch: s.Fetch, Shared: s.Shared})
	}
	for _, v := range r.Vars {
		m.Vars = append(m.Vars, Var{Scope: v.Scope.String(), Name: v.Name, Pattern: v.Pattern, Types: typeNames(v.Types), Always: always(v) && !v.Pattern && !r.Nilable, Secret: v.Secret})
	}
	for _, v := range r.Sets {
		m.Vars = append(m.Vars, Var{Scope: v.Scope.String(), Name: v.Name})
	}
	// A raw handler with declared arguments reads only those.
	if r.Raw && slices.ContainsFunc(r.Sent, func(a router.Arg) bool { return !a.Shared }) {
		m.AnyArgs = false
	}
	if r.RawVars && len(r.Sets) > 0 {
		m.AnyVars = false
	}
	return m
}

func typeNames(types []codec.Type) []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	return names
}

// always reports whether a field has a value in each answer.
func always(v codec.VarInfo) bool {
	if v.OmitEmpty || v.JSON || v.Group != "" {
		return false
	}
	switch v.Type.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return len(v.Types) == 1
	}
	return false
}
