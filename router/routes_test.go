package router_test

import (
	"context"
	"net/http"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// here returns file:line of its caller, plus lines.
func here(lines int) string {
	_, file, line, _ := runtime.Caller(1)
	return file + ":" + strconv.Itoa(line+lines)
}

func TestRoutes(t *testing.T) {
	r := router.New()
	r.HandleRaw("raw", rawHandler)
	r.With().Handle("any", typedJudge)
	r.Handle("func", pointerJudge)
	r.HandleActions("acts", actsJudge).Arg("sent", "src").Var(spoe.VarScopeSession, "set")
	site := here(1)
	r.Observe("sink", func(context.Context, struct {
		First string      `spoe:",pos=0"`
		Port  *uint16     `spoe:"port,default=80"`
		Token string      `spoe:"token,secret,pos=2"`
		H     http.Header `spoe:"headers"`
	}) error {
		return nil
	})
	r.Observe("none", func(context.Context, struct{}) error { return nil })

	routes := r.Routes()
	var lines []string
	for _, route := range routes {
		lines = append(lines, route.String())
	}
	const args, vars = "(ip netip.Addr required, host string)", " -> sess.score INT64, sess.list STRING"
	assert.Equal(t, []string{
		"raw",
		"any" + args + vars,
		"func" + args + vars,
		"acts" + args,
		"sink(#0 string, port *uint16 =80, token#2 string secret, headers http.Header)",
		"none()",
	}, lines)
	assert.Equal(t, site, routes[4].Site)
	assert.Nil(t, routes[0].Args)
	assert.Equal(t, "ip", routes[1].Args[0].Name)
	assert.Equal(t, reflect.TypeFor[string](), routes[1].Args[1].Type)
	assert.False(t, routes[1].Nilable)
	assert.True(t, routes[2].Nilable)
	assert.Equal(t, []codec.VarInfo{
		{Name: "score", Scope: spoe.VarScopeSession, Field: "Score", Type: reflect.TypeFor[int](), Types: []codec.Type{codec.TypeInt64}},
		{Name: "list", Scope: spoe.VarScopeSession, Field: "List", Type: reflect.TypeFor[string](), Types: []codec.Type{codec.TypeString}, OmitEmpty: true},
	}, routes[2].Vars)

	// The caller may change what Routes returns.
	routes[1].Args[0].Name, routes[1].Vars[0].Name = "changed", "changed"
	routes[3].Sent[0].Name, routes[3].Sets[0].Name = "changed", "changed"
	again := r.Routes()
	assert.Equal(t, "ip", again[1].Args[0].Name)
	assert.Equal(t, "score", again[1].Vars[0].Name)
	assert.Equal(t, "sent", again[3].Sent[0].Name)
	assert.Equal(t, "set", again[3].Sets[0].Name)
	assert.Equal(t, "routes_test.go", filepath.Base(routes[0].Site[:len(routes[0].Site)-len(":00")]))
}

// bounded is middleware that says what its deadline is, as middleware.Timeout does.
func bounded(d time.Duration) spoe.Middleware {
	return func(next spoe.Handler) spoe.Handler { return &boundedHandler{within(d)(next), d} }
}

type boundedHandler struct {
	spoe.Handler
	d time.Duration
}

func (b *boundedHandler) Bound() time.Duration { return b.d }

// TestRouteInfo: the facts that HAProxy's configuration is written from.
func TestRouteInfo(t *testing.T) {
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Arg("traceparent", "req.hdr(traceparent)")
	r.Use(same, bounded(30*time.Millisecond))
	r.Handle("typed", func(context.Context, struct {
		IP   string `spoe:"ip" fetch:"src"`
		Host string `spoe:"host"`
	}) (out struct {
		Score int `spoe:"score"`
	}, err error) {
		return out, nil
	}).Event(router.OnFrontendHTTPRequest).Unless("{ src 10.0.0.0/8 }").
		Arg("host", "req.hdr(host)").Arg("", "src_port").Var(spoe.VarScopeSession, "more").Buffer(64 << 10)
	quick := r.With(bounded(time.Second), same, bounded(0), bounded(5*time.Millisecond))
	quick.Arg("id", "unique-id")
	quick.HandleRaw("raw", rawHandler).Group("ask").Arg("ip", "src").Arg("id", "uuid()")
	r.With(same).HandleActions("own", func(context.Context, struct {
		Trace string `spoe:"traceparent" fetch:"req.hdr(x-trace)"`
	}, *spoe.Actions) error {
		return nil
	})
	r.With().Observe("sink", nothing)
	alone := router.New()
	alone.HandleRaw("alone", rawHandler)
	alone.With(bounded(time.Second)).HandleRaw("default", rawHandler)

	routes := append(r.Routes(), alone.Routes()...)
	typed, raw, own, sink := routes[0], routes[1], routes[2], routes[3]
	assert.Equal(t, router.OnFrontendHTTPRequest, typed.Event)
	assert.Equal(t, "unless { src 10.0.0.0/8 }", typed.Condition)
	assert.Equal(t, []string{"src", "req.hdr(host)"}, []string{typed.Args[0].Fetch, typed.Args[1].Fetch})
	assert.Equal(t, []router.Arg{{Name: "traceparent", Fetch: "req.hdr(traceparent)", Shared: true}, {Fetch: "src_port"}}, typed.Sent)
	assert.Equal(t, []router.Var{{Scope: spoe.VarScopeSession, Name: "more"}}, typed.Sets)
	assert.Equal(t, 64<<10, typed.Buffer)
	assert.False(t, typed.Raw || typed.RawVars)
	assert.Equal(t, "ask", raw.Group)
	assert.Equal(t, []router.Arg{{Name: "traceparent", Fetch: "req.hdr(traceparent)", Shared: true}, {Name: "id", Fetch: "uuid()"}, {Name: "ip", Fetch: "src"}}, raw.Sent)
	assert.True(t, raw.Raw && raw.RawVars)
	assert.Empty(t, own.Sent, "the struct has its own say")
	assert.True(t, !own.Raw && own.RawVars)
	assert.False(t, sink.Raw || sink.RawVars)

	var deadlines []time.Duration
	for _, route := range routes {
		deadlines = append(deadlines, route.Deadline)
	}
	const ms = time.Millisecond
	assert.Equal(t, []time.Duration{30 * ms, 5 * ms, 30 * ms, 30 * ms, 0, time.Second}, deadlines)

	v, ok := r.FailureVar()
	assert.True(t, ok)
	assert.Equal(t, router.Var{Scope: spoe.VarScopeTransaction, Name: "failed"}, v)
	_, ok = alone.FailureVar()
	assert.False(t, ok)
	assert.False(t, r.HandlesAny())
	r.NotFound(doesNothing)
	assert.True(t, r.HandlesAny())
}

// TestVarOfManyTypes: a variable whose type is known only when it is set.
func TestVarOfManyTypes(t *testing.T) {
	r := router.New()
	r.Handle("m", func(context.Context, struct{}) (out struct {
		IP net4 `spoe:"ip,req"`
	}, err error) {
		return out, nil
	})

	r.Handle("three", func(context.Context, struct{}) (out struct {
		A bool   `spoe:"a"`
		B string `spoe:"b"`
		C bool   `spoe:"c"`
	}, err error) {
		return out, nil
	})
	assert.Equal(t, "three() -> txn.a BOOL, txn.b STRING, txn.c BOOL", r.Routes()[1].String())
	assert.Equal(t, "m() -> req.ip BOOL|INT32|UINT32|INT64|UINT64|IPV4|IPV6|STRING|BINARY", r.Routes()[0].String())
}

type net4 struct{}

func (net4) MarshalSPOE() (codec.Value, error) { return codec.Value{}, nil }

// TestEventAndGroup: a message may have an event with a condition and be in a group,
// in any order of the calls.
func TestEventAndGroup(t *testing.T) {
	r := router.New()
	r.HandleRaw("a", rawHandler).Event(router.OnFrontendHTTPRequest).If("{ path_beg /a }").Group("ask")
	r.HandleRaw("b", rawHandler).Group("ask").Event(router.OnFrontendHTTPRequest).Unless(" { path_beg /b } ")
	for i, want := range []string{"if { path_beg /a }", "unless { path_beg /b }"} {
		info := r.Routes()[i]
		assert.Equal(t, router.OnFrontendHTTPRequest, info.Event)
		assert.Equal(t, "ask", info.Group)
		assert.Equal(t, want, info.Condition)
	}
}

// TestEngines: a route has the engine of its branch, unless it names one itself.
func TestEngines(t *testing.T) {
	r := router.New()
	r.HandleRaw("alone", rawHandler)
	front := r.With()
	front.Engine("front")
	front.HandleRaw("a", rawHandler)
	front.HandleRaw("b", rawHandler).Engine("back")
	inner := front.With()
	inner.HandleRaw("c", rawHandler)
	other := front.With()
	other.Engine("other")
	other.HandleRaw("d", rawHandler)
	var engines []string
	for _, info := range r.Routes() {
		engines = append(engines, info.Engine)
	}
	assert.Equal(t, []string{"", "front", "back", "front", "other"}, engines)
}

// TestNames: every character that HAProxy takes in the name of a section.
func TestNames(t *testing.T) {
	const name = "azAZ09-_.:"
	r := router.New()
	r.HandleRaw(name, rawHandler).Group(name).Engine(name)
	info := r.Routes()[0]
	assert.Equal(t, []string{name, name, name}, []string{info.Message, info.Group, info.Engine})
}

// TestShortestDeadline: of several bounds the shortest counts, in any order.
func TestShortestDeadline(t *testing.T) {
	r := router.New()
	r.With(bounded(1), bounded(time.Second)).HandleRaw("a", rawHandler)
	r.With(bounded(time.Second), bounded(1)).HandleRaw("b", rawHandler)
	for _, info := range r.Routes() {
		assert.EqualValues(t, 1, info.Deadline)
	}
}

// TestOtherVars: a route sets variables in addition to those of its result, if scope or
// name differ.
func TestOtherVars(t *testing.T) {
	r := router.New()
	r.Handle("m", typedJudge).Var(spoe.VarScopeSession, "other").Var(spoe.VarScopeTransaction, "score")
	assert.Len(t, r.Routes()[0].Sets, 2)
}

type valueHandler struct{}

func (valueHandler) ServeSPOE(context.Context, *spoe.Message, *spoe.Actions) error { return nil }

// TestHandlerOfAnyKind: a handler need not be a pointer or a func.
func TestHandlerOfAnyKind(t *testing.T) {
	r := router.New()
	r.HandleRaw("m", valueHandler{})
	assert.Len(t, r.Routes(), 1)
}
