package router_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

var update = flag.Bool("update", false, "write testdata/panics.golden")

// observe, out and acts register a function that takes or returns T.
func observe[T any]() func() {
	return on(func(r *router.Router) { r.Observe("ip-rep", func(context.Context, T) error { return nil }) })
}

func out[T any]() func() {
	return on(func(r *router.Router) {
		r.Handle("ip-rep", func(context.Context, struct{}) (t T, err error) { return t, nil })
	})
}

func acts[T any]() func() {
	return on(func(r *router.Router) {
		r.HandleActions("ip-rep", func(context.Context, T, *spoe.Actions) error { return nil })
	})
}

func raw(h spoe.Handler) func()          { return on(func(r *router.Router) { r.HandleRaw("ip-rep", h) }) }
func named(name string) func()           { return on(func(r *router.Router) { r.HandleRaw(name, rawHandler) }) }
func on(f func(r *router.Router)) func() { return func() { f(router.New()) } }
func route(f func(s *router.Route)) func() {
	return on(func(r *router.Router) { f(r.HandleRaw("ip-rep", rawHandler)) })
}
func same(next spoe.Handler) spoe.Handler     { return next }
func none(spoe.Handler) spoe.Handler          { return nil }
func nothing(context.Context, struct{}) error { return nil }

var doesNothing = spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return nil })

// reads is middleware that reads arguments.
type reads struct {
	spoe.Handler
	names []string
}

func (r reads) ReadsArgs() []string { return r.names }

func reading(names ...string) spoe.Middleware {
	return func(next spoe.Handler) spoe.Handler { return reads{next, names} }
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
// golden file: the function, its name, its arguments, its results, the branches.
var mistakes = []struct {
	name string
	make func()
}{
	{"Handle of nil", on(func(r *router.Router) { r.Handle[ask, verdict]("ip-rep", nil) })},
	{"Observe of nil", on(func(r *router.Router) { r.Observe[ask]("ip-rep", nil) })},
	{"HandleActions of nil", on(func(r *router.Router) { r.HandleActions[ask]("ip-rep", nil) })},
	{"HandleRaw of nil", raw(nil)},
	{"HandleRaw of a nil HandlerFunc", raw(spoe.HandlerFunc(nil))},
	{"HandleRaw of a nil pointer", raw((*service)(nil))},
	{"the message for an input", observe[*spoe.Message]()},
	{"the actions for an input", observe[*spoe.Actions]()},
	{"the message by value", acts[spoe.Message]()},
	{"an input that is no struct", observe[string]()},
	{"an input of pointers to pointers", acts[**ask]()},
	{"a result that is no struct", out[int]()},
	{"a map for a result", out[map[string]any]()},

	{"no name", named("")},
	{"a name with a space", named("ip rep")},
	{"a name with a slash", named("/ip-rep")},
	{"a name twice", on(func(r *router.Router) {
		r.HandleRaw("ip-rep", rawHandler)
		r.Handle("ip-rep", typedJudge)
	})},
	{"a name twice, in a group", on(func(r *router.Router) {
		r.With(same).HandleRaw("ip-rep", rawHandler)
		r.With(same).With(same).HandleRaw("ip-rep", rawHandler)
	})},

	{"no field with a tag", observe[untagged]()},
	{"no field with a tag, result", out[*untagged]()},
	{"one field, without a tag", observe[struct{ IP string }]()},
	{"one field, without a tag, result", out[struct{ Score int }]()},
	{"no name in the tag", observe[struct {
		A int `spoe:",required"`
	}]()},
	{"a name that no argument has", observe[struct {
		A int `spoe:"ip =src"`
	}]()},
	{"an unknown option", observe[struct {
		A int `spoe:"a,requred"`
	}]()},
	{"an option of results", observe[struct {
		A int `spoe:"a,sess"`
	}]()},
	{"an option twice", observe[struct {
		A int `spoe:"a,secret,secret"`
	}]()},
	{"required and default", observe[struct {
		A int `spoe:"a,required,default=1"`
	}]()},
	{"a default that does not fit", observe[struct {
		A uint8 `spoe:"a,default=256"`
	}]()},
	{"a default with an open quote", observe[struct {
		A string `spoe:"a,default='x"`
	}]()},
	{"a position that is none", observe[struct {
		A int `spoe:"a,pos=first"`
	}]()},
	{"a position twice", observe[struct {
		A int `spoe:",pos=0"`
		B int `spoe:",pos=0"`
	}]()},
	{"an argument twice", observe[struct {
		A int `spoe:"a"`
		B int `spoe:"a"`
	}]()},
	{"an argument twice, nested", observe[struct {
		Common
		Other struct {
			ID int `spoe:"id"`
		}
	}]()},
	{"a field that is not exported", observe[struct {
		a int `spoe:"a"`
	}]()},
	{"a type that takes no argument", observe[struct {
		A chan int `spoe:"a"`
	}]()},
	{"a slice of slices", observe[struct {
		A [][]string `spoe:"a"`
	}]()},
	{"a map without json", observe[struct {
		A map[string]string `spoe:"a"`
	}]()},
	{"a struct with options", observe[struct {
		A Common `spoe:"a,required"`
	}]()},
	{"a struct with an empty prefix", observe[struct {
		A Common `spoe:""`
	}]()},
	{"a struct in itself", observe[recursive]()},

	{"a variable without a name", out[struct {
		A int `spoe:",sess"`
	}]()},
	{"a name that HAProxy refuses", out[struct {
		A int `spoe:"ip-score"`
	}]()},
	{"a name that is too long", out[struct {
		A int `spoe:"this_is_a_name_of_sixty_bytes_which_is_more_than_haproxy_has"`
	}]()},
	{"an unknown scope", out[struct {
		A int `spoe:"a,session"`
	}]()},
	{"two scopes", out[struct {
		A int `spoe:"a,sess,txn"`
	}]()},
	{"an option of arguments", out[struct {
		A int `spoe:"a,required"`
	}]()},
	{"unset of what has always a value", out[struct {
		A int `spoe:"a,unset"`
	}]()},
	{"a variable twice", out[struct {
		A int `spoe:"a,sess"`
		B int `spoe:"a,sess"`
	}]()},
	{"a type that makes no variable", out[struct {
		A func() `spoe:"a"`
	}]()},

	{"a nil middleware", on(func(r *router.Router) { r.Use(same, nil) })},
	{"a nil middleware of a group", on(func(r *router.Router) { r.With(nil) })},
	{"a middleware that returns nil", on(func(r *router.Router) {
		r.Use(same, none)
		r.HandleRaw("ip-rep", rawHandler)
	})},
	{"Use after a route", on(func(r *router.Router) {
		r.HandleRaw("ip-rep", rawHandler)
		r.Use(same)
	})},
	{"Use after a route, in a group", on(func(r *router.Router) {
		g := r.With()
		g.HandleRaw("ip-rep", rawHandler)
		g.Use(same)
	})},
	{"Use after With", on(func(r *router.Router) {
		r.With(same).HandleRaw("ip-rep", rawHandler)
		r.Use(same)
	})},
	{"Use after NotFound", on(func(r *router.Router) {
		r.NotFound(doesNothing)
		r.Use(same)
	})},
	{"NotFound of nil", on(func(r *router.Router) { r.NotFound(nil) })},
	{"NotFound of a nil function", on(func(r *router.Router) { r.NotFound(spoe.HandlerFunc(nil)) })},
	{"NotFound twice", on(func(r *router.Router) {
		r.NotFound(doesNothing)
		r.NotFound(doesNothing)
	})},
	{"ErrorVar without a name", on(func(r *router.Router) { r.ErrorVar(spoe.VarScopeTransaction, "") })},
	{"ErrorVar with a scope", on(func(r *router.Router) { r.ErrorVar(spoe.VarScopeTransaction, "txn error") })},
	{"ErrorVar of no scope", on(func(r *router.Router) { r.ErrorVar(5, "error") })},
	{"ErrorVar twice", on(func(r *router.Router) {
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		r.ErrorVar(spoe.VarScopeSession, "error")
	})},
	{"an event that HAProxy has not", route(func(s *router.Route) { s.Event("on-http-request") })},
	{"a condition with its if", route(func(s *router.Route) { s.Event(router.OnHTTPResponse).If("if { path / }") })},
	{"an empty condition", route(func(s *router.Route) { s.Event(router.OnHTTPResponse).Unless(" ") })},
	{"a condition without an event", route(func(s *router.Route) { s.Group("a").If("{ path / }") })},
	{"two conditions", route(func(s *router.Route) { s.Event(router.OnHTTPResponse).If("{ path / }").Unless("{ path /a }") })},
	{"a condition of two lines", route(func(s *router.Route) { s.Event(router.OnHTTPResponse).If("{ path / }\nevent x") })},
	{"a condition with a DEL", route(func(s *router.Route) { s.Event(router.OnHTTPResponse).If("{ path /\x7f }") })},
	{"two events", route(func(s *router.Route) { s.Event(router.OnClientSession).Event(router.OnHTTPResponse) })},
	{"a group without a name", route(func(s *router.Route) { s.Group("") })},
	{"a group with a space", route(func(s *router.Route) { s.Group("a b") })},
	{"a group that begins with a slash", route(func(s *router.Route) { s.Group("/a") })},
	{"an engine that begins with a slash", route(func(s *router.Route) { s.Engine("/a") })},
	{"two groups", route(func(s *router.Route) { s.Group("a").Group("b") })},
	{"an engine without a name", route(func(s *router.Route) { s.Engine("") })},
	{"an engine with a space", route(func(s *router.Route) { s.Engine("a b") })},
	{"two engines", route(func(s *router.Route) { s.Engine("a").Engine("b") })},
	{"an argument of no name that HAProxy has", route(func(s *router.Route) { s.Arg("a b", "src") })},
	{"an argument with an equals sign", route(func(s *router.Route) { s.Arg("a=b", "src") })},
	{"an argument with a DEL", route(func(s *router.Route) { s.Arg("a\x7f", "src") })},
	{"an argument from nowhere", route(func(s *router.Route) { s.Arg("a", " ") })},
	{"an argument of two lines", route(func(s *router.Route) { s.Arg("a", "src\nargs b=dst") })},
	{"an argument sent twice", route(func(s *router.Route) { s.Arg("a", "src").Arg("a", "dst") })},
	{"an argument that the struct has", on(func(r *router.Router) {
		r.Observe("ip-rep", func(context.Context, struct {
			A int `spoe:"a" fetch:"src_port"`
		}) error {
			return nil
		}).Arg("a", "src")
	})},
	{"a variable named twice", route(func(s *router.Route) {
		s.Var(spoe.VarScopeSession, "a").Var(spoe.VarScopeSession, "a")
	})},
	{"a variable that the result has", on(func(r *router.Router) {
		r.Handle("ip-rep", typedJudge).Var(spoe.VarScopeSession, "score")
	})},
	{"a variable that HAProxy refuses", route(func(s *router.Route) { s.Var(spoe.VarScopeSession, "a-b") })},
	{"a buffer of nothing", route(func(s *router.Route) { s.Buffer(0) })},
	{"an argument of all without a name", on(func(r *router.Router) { r.Arg("", "src") })},
	{"an argument of all from nowhere", on(func(r *router.Router) { r.Arg("a", " ") })},
	{"an argument of all twice", on(func(r *router.Router) {
		r.Arg("a", "src")
		r.Arg("a", "dst")
	})},
	{"an argument of all after a route", on(func(r *router.Router) {
		r.HandleRaw("ip-rep", rawHandler)
		r.Arg("a", "src")
	})},
	{"an engine of all without a name", on(func(r *router.Router) { r.Engine("") })},
	{"an engine of all after a route", on(func(r *router.Router) {
		r.HandleRaw("ip-rep", rawHandler)
		r.Engine("guard")
	})},
	{"middleware that reads an argument of no field", on(func(r *router.Router) {
		r.Use(reading("ip", "hots"))
		r.Handle("ip-rep", typedJudge)
	})},
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
		r.Handle("ip-rep", typedJudge)
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
		router.New().Observe("ip-rep", func(context.Context, int) error { return nil })
	})
	assert.Contains(t, text, `Observe("ip-rep") at `+first+`: `)
}

// TestNothingRegistered: a call that panics leaves nothing behind.
func TestNothingRegistered(t *testing.T) {
	r := router.New()
	panicOf(t, "signature", func() { r.Observe("ip-rep", func(context.Context, string) error { return nil }) })
	assert.Empty(t, r.Routes())
	r.Use(same)
	r.Handle("ip-rep", typedJudge)
	assert.Len(t, r.Routes(), 1)
}
