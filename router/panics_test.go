package router_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

var update = flag.Bool("update", false, "write testdata/panics.golden")

// in makes a function that takes T, out one that returns it.
func in[T any](context.Context, T) error                      { return nil }
func out[T any](context.Context, struct{}) (t T, err error)   { return t, nil }
func outPointer[T any](context.Context, struct{}) (*T, error) { return nil, nil }
func inActs[T any](context.Context, T, *spoe.Actions) error   { return nil }
func handle(fn any) func()                                    { return func() { router.New().Handle("ip-rep", fn) } }
func named(name string) func()                                { return func() { router.New().Handle(name, rawJudge) } }
func on(f func(r *router.Router)) func()                      { return func() { f(router.New()) } }
func sending(f func(s *router.Sending)) func() {
	return on(func(r *router.Router) { f(r.Handle("ip-rep", rawJudge)) })
}
func same(next spoe.Handler) spoe.Handler     { return next }
func none(spoe.Handler) spoe.Handler          { return nil }
func nothing(context.Context, struct{}) error { return nil }

// inTagged makes a function like in, of a struct with a field of that tag, which
// go vet would not let pass in the source.
func inTagged(tag reflect.StructTag) any {
	t := reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[int](), Tag: tag}})
	return makeFunc(t, reflect.TypeFor[error]())
}

// errorFirst makes a function that staticcheck would not let pass.
func errorFirst() any {
	return makeFunc(reflect.TypeFor[ask](), reflect.TypeFor[error](), reflect.TypeFor[verdict]())
}

func makeFunc(in reflect.Type, out ...reflect.Type) any {
	t := reflect.FuncOf([]reflect.Type{reflect.TypeFor[context.Context](), in}, out, false)
	return reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value { panic("not called") }).Interface()
}

type untagged struct {
	IP   string
	Host string `json:"host"`
}

type recursive struct {
	Next *recursive `spoe:"next"`
}

type Common struct {
	ID string `spoe:"id"`
}

// mistakes are all that one can get wrong at registration, in the order of the
// golden file: the function, its name, its arguments, its results, the groups.
var mistakes = []struct {
	name string
	make func()
}{
	{"no handler", handle(nil)},
	{"no function", handle("ip-rep")},
	{"a struct for a handler", handle(service{})},
	{"a nil function", handle((func(context.Context, ask) (verdict, error))(nil))},
	{"a nil HandlerFunc", handle(spoe.HandlerFunc(nil))},
	{"a nil pointer to a handler", handle((*service)(nil))},
	{"no context", handle(func(ask) (verdict, error) { return verdict{}, nil })},
	{"no argument", handle(func() error { return nil })},
	{"arguments swapped", handle(func(ask, context.Context) error { return nil })},
	{"too many arguments", handle(func(context.Context, ask, *spoe.Actions, int) error { return nil })},
	{"actions by value", handle(func(context.Context, ask, spoe.Actions) error { return nil })},
	{"variadic", handle(func(context.Context, ...ask) error { return nil })},
	{"no error", handle(func(context.Context, ask) verdict { return verdict{} })},
	{"no result", handle(func(context.Context, ask) {})},
	{"error first", handle(errorFirst())},
	{"too many results", handle(func(context.Context, ask) (verdict, bool, error) { return verdict{}, false, nil })},
	{"actions and a result", handle(func(context.Context, ask, *spoe.Actions) (verdict, error) { return verdict{}, nil })},
	{"the message alone", handle(func(context.Context, *spoe.Message) error { return nil })},
	{"the actions alone", handle(func(context.Context, *spoe.Actions) error { return nil })},
	{"the message by value", handle(inActs[spoe.Message])},
	{"the predecessor's handler", handle(func(*spoe.MessageIterator) ([]spoe.Action, error) { return nil, nil })},
	{"an input that is no struct", handle(in[string])},
	{"an input of pointers to pointers", handle(in[**ask])},
	{"a result that is no struct", handle(out[int])},
	{"a map for a result", handle(out[map[string]any])},

	{"Func of nil", func() { router.Func[ask, verdict](nil) }},
	{"Sink of nil", func() { router.Sink[ask](nil) }},
	{"Acts of nil", func() { router.Acts[ask](nil) }},
	{"Func of no struct", func() { router.Func(out[int]) }},
	{"Sink of no struct", func() { router.Sink(in[string]) }},
	{"Acts of the message", func() { router.Acts(inActs[*spoe.Message]) }},
	{"Func with a tag that is wrong", func() {
		router.Func(out[struct {
			A int `spoe:"a,session"`
		}])
	}},

	{"no name", named("")},
	{"a name with a space", named("ip rep")},
	{"a name with a slash", named("/ip-rep")},
	{"a name twice", on(func(r *router.Router) {
		r.Handle("ip-rep", rawJudge)
		r.Handle("ip-rep", typedJudge)
	})},
	{"a name twice, in a group", on(func(r *router.Router) {
		r.With(same).Handle("ip-rep", rawJudge)
		r.With(same).With(same).Handle("ip-rep", rawJudge)
	})},

	{"no field with a tag", handle(in[untagged])},
	{"no field with a tag, result", handle(outPointer[untagged])},
	{"a tag without quotes", handle(inTagged(`spoe:a`))},
	{"no name in the tag", handle(in[struct {
		A int `spoe:",required"`
	}])},
	{"a name that no argument has", handle(in[struct {
		A int `spoe:"ip =src"`
	}])},
	{"an unknown option", handle(in[struct {
		A int `spoe:"a,requred"`
	}])},
	{"an option of results", handle(in[struct {
		A int `spoe:"a,sess"`
	}])},
	{"an option twice", handle(in[struct {
		A int `spoe:"a,secret,secret"`
	}])},
	{"required and default", handle(in[struct {
		A int `spoe:"a,required,default=1"`
	}])},
	{"a default that does not fit", handle(in[struct {
		A uint8 `spoe:"a,default=256"`
	}])},
	{"a default with an open quote", handle(in[struct {
		A string `spoe:"a,default='x"`
	}])},
	{"a position that is none", handle(in[struct {
		A int `spoe:"a,pos=first"`
	}])},
	{"a position twice", handle(in[struct {
		A int `spoe:",pos=0"`
		B int `spoe:",pos=0"`
	}])},
	{"an argument twice", handle(in[struct {
		A int `spoe:"a"`
		B int `spoe:"a"`
	}])},
	{"an argument twice, nested", handle(in[struct {
		Common
		Other struct {
			ID int `spoe:"id"`
		}
	}])},
	{"a field that is not exported", handle(in[struct {
		a int `spoe:"a"`
	}])},
	{"a type that takes no argument", handle(in[struct {
		A chan int `spoe:"a"`
	}])},
	{"a slice", handle(in[struct {
		A []string `spoe:"a"`
	}])},
	{"a map without json", handle(in[struct {
		A map[string]string `spoe:"a"`
	}])},
	{"a struct with options", handle(in[struct {
		A Common `spoe:"a,required"`
	}])},
	{"a struct with an empty prefix", handle(in[struct {
		A Common `spoe:""`
	}])},
	{"a struct in itself", handle(in[recursive])},

	{"a variable without a name", handle(out[struct {
		A int `spoe:",sess"`
	}])},
	{"a name that HAProxy refuses", handle(out[struct {
		A int `spoe:"ip-score"`
	}])},
	{"a name that is too long", handle(out[struct {
		A int `spoe:"this_is_a_name_of_sixty_bytes_which_is_more_than_haproxy_has"`
	}])},
	{"an unknown scope", handle(out[struct {
		A int `spoe:"a,session"`
	}])},
	{"two scopes", handle(out[struct {
		A int `spoe:"a,sess,txn"`
	}])},
	{"an option of arguments", handle(out[struct {
		A int `spoe:"a,required"`
	}])},
	{"unset of what has always a value", handle(out[struct {
		A int `spoe:"a,unset"`
	}])},
	{"a variable twice", handle(out[struct {
		A int `spoe:"a,sess"`
		B int `spoe:"a,sess"`
	}])},
	{"a type that makes no variable", handle(out[struct {
		A func() `spoe:"a"`
	}])},

	{"a nil middleware", on(func(r *router.Router) { r.Use(same, nil) })},
	{"a nil middleware of a group", on(func(r *router.Router) { r.With(nil) })},
	{"a middleware that returns nil", on(func(r *router.Router) {
		r.Use(same, none)
		r.Handle("ip-rep", rawJudge)
	})},
	{"Use after a route", on(func(r *router.Router) {
		r.Handle("ip-rep", rawJudge)
		r.Use(same)
	})},
	{"Use after a route, in a group", on(func(r *router.Router) {
		g := r.With()
		g.Handle("ip-rep", rawJudge)
		g.Use(same)
	})},
	{"Use after With", on(func(r *router.Router) {
		r.With(same).Handle("ip-rep", rawJudge)
		r.Use(same)
	})},
	{"Use after NotFound", on(func(r *router.Router) {
		r.NotFound(router.Sink(nothing))
		r.Use(same)
	})},
	{"NotFound of nil", on(func(r *router.Router) { r.NotFound(nil) })},
	{"NotFound of a nil function", on(func(r *router.Router) { r.NotFound(spoe.HandlerFunc(nil)) })},
	{"NotFound twice", on(func(r *router.Router) {
		r.NotFound(router.Sink(nothing))
		r.NotFound(router.Sink(nothing))
	})},
	{"ErrorVar without a name", on(func(r *router.Router) { r.ErrorVar(spoe.VarScopeTransaction, "") })},
	{"ErrorVar with a scope", on(func(r *router.Router) { r.ErrorVar(spoe.VarScopeTransaction, "txn error") })},
	{"ErrorVar of no scope", on(func(r *router.Router) { r.ErrorVar(5, "error") })},
	{"ErrorVar twice", on(func(r *router.Router) {
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		r.ErrorVar(spoe.VarScopeSession, "error")
	})},
	{"an event that HAProxy has not", sending(func(s *router.Sending) { s.Event("on-http-request") })},
	{"a condition without if", sending(func(s *router.Sending) { s.Event(router.OnHTTPResponse, "{ path / }") })},
	{"a condition of two lines", sending(func(s *router.Sending) { s.Event(router.OnHTTPResponse, "if { path / }\nevent x") })},
	{"two events", sending(func(s *router.Sending) { s.Event(router.OnClientSession).Event(router.OnHTTPResponse) })},
	{"a group without a name", sending(func(s *router.Sending) { s.Group("") })},
	{"a group with a space", sending(func(s *router.Sending) { s.Group("a b") })},
	{"two groups", sending(func(s *router.Sending) { s.Group("a").Group("b") })},
	{"an event and a group", sending(func(s *router.Sending) { s.Event(router.OnClientSession).Group("a") })},
	{"a group and an event", sending(func(s *router.Sending) { s.Group("a").Event(router.OnClientSession) })},
	{"an argument of no name that HAProxy has", sending(func(s *router.Sending) { s.Arg("a b", "src") })},
	{"an argument from nowhere", sending(func(s *router.Sending) { s.Arg("a", " ") })},
	{"an argument of two lines", sending(func(s *router.Sending) { s.Arg("a", "src\nargs b=dst") })},
	{"an argument sent twice", sending(func(s *router.Sending) { s.Arg("a", "src").Arg("a", "dst") })},
	{"an argument that the struct has", on(func(r *router.Router) {
		r.Handle("ip-rep", in[struct {
			A int `spoe:"a" fetch:"src_port"`
		}]).Arg("a", "src")
	})},
	{"a variable named twice", sending(func(s *router.Sending) {
		s.Var(spoe.VarScopeSession, "a").Var(spoe.VarScopeSession, "a")
	})},
	{"a variable that the result has", on(func(r *router.Router) {
		r.Handle("ip-rep", out[struct {
			A int `spoe:"a,sess"`
		}]).Var(spoe.VarScopeSession, "a")
	})},
	{"a variable that HAProxy refuses", sending(func(s *router.Sending) { s.Var(spoe.VarScopeSession, "a-b") })},
	{"a buffer of nothing", sending(func(s *router.Sending) { s.Buffer(0) })},
	{"an argument of all without a name", on(func(r *router.Router) { r.Arg("", "src") })},
	{"an argument of all twice", on(func(r *router.Router) {
		r.Arg("a", "src")
		r.Arg("a", "dst")
	})},
	{"an argument of all after a route", on(func(r *router.Router) {
		r.Handle("ip-rep", rawJudge)
		r.Arg("a", "src")
	})},
	{"an argument of all without New", func() { new(router.Router).Arg("a", "src") }},
	{"a router without New", func() { new(router.Router).Handle("ip-rep", rawJudge) }},
	{"a router without New, Use", func() { new(router.Router).Use(same) }},
	{"a group of no router", func() { new(router.Group).With(same) }},
	{"NotFound without New", func() { new(router.Router).NotFound(router.Sink(nothing)) }},
	{"ErrorVar without New", func() { new(router.Router).ErrorVar(spoe.VarScopeRequest, "error") }},
}

var site = regexp.MustCompile(`at (\S*/)?(panics_test\.go):\d+`)
var fromSite = regexp.MustCompile(`from (\S*/)?(panics_test\.go):\d+`)

// TestPanics holds the texts: each must say what to change. Run with -update
// after a change, and read what came out.
func TestPanics(t *testing.T) {
	var got strings.Builder
	seen := map[string]bool{}
	for _, m := range mistakes {
		require.False(t, seen[m.name], m.name)
		seen[m.name] = true
		text := site.ReplaceAllString(panicOf(t, m.name, m.make), "at FILE:LINE")
		text = fromSite.ReplaceAllString(text, "from FILE:LINE")
		assert.NotContains(t, text, "panics_test.go", m.name)
		fmt.Fprintf(&got, "# %s\n%s\n\n", m.name, text)
	}
	const name = "testdata/panics.golden"
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String())
}

func panicOf(t *testing.T, name string, f func()) (text string) {
	t.Helper()
	defer func() {
		v := recover()
		require.NotNil(t, v, "%s: no panic", name)
		text = fmt.Sprint(v)
		assert.True(t, strings.HasPrefix(text, "router: "), text)
	}()
	f()
	return ""
}

// TestCallSites: both call sites are in the text, whatever stands between.
func TestCallSites(t *testing.T) {
	var first, second string
	text := panicOf(t, "twice", func() {
		r := router.New()
		first = here(1)
		r.Handle("ip-rep", router.Func(typedJudge))
		g := r.With(same).With(same)
		second = here(1)
		g.Handle("ip-rep", typedJudge)
	})
	assert.Contains(t, text, ` at `+second+`: `)
	assert.Contains(t, text, ` from `+first+`: `)

	text = panicOf(t, "use", func() {
		r := router.New()
		first = here(1)
		r.Handle("ip-rep", typedJudge)
		second = here(1)
		r.Use(same)
	})
	assert.Contains(t, text, `Use at `+second+`: it comes after Handle("ip-rep") at `+first+`, `)

	text = panicOf(t, "generic", func() {
		first = here(1)
		router.Func(out[int])
	})
	assert.Contains(t, text, `Func at `+first+`: `)
}

// TestNothingRegistered: what has panicked has left nothing behind.
func TestNothingRegistered(t *testing.T) {
	r := router.New()
	panicOf(t, "signature", func() { r.Handle("ip-rep", in[string]) })
	assert.Empty(t, r.Routes())
	r.Use(same)
	r.Handle("ip-rep", typedJudge)
	assert.Len(t, r.Routes(), 1)
}
