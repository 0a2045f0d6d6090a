package router_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type ask struct {
	IP   netip.Addr `spoe:"ip,required"`
	Host string     `spoe:"host"`
}

type verdict struct {
	Score int    `spoe:"score,sess"`
	List  string `spoe:"list,sess,omitempty"`
}

var listed = netip.MustParseAddr("192.0.2.66")

func judge(in ask) verdict {
	if in.IP == listed {
		return verdict{0, "on " + in.Host}
	}
	return verdict{Score: 100}
}

func byHand(in ask, acts *spoe.Actions) error {
	v := judge(in)
	if err := acts.SetInt(spoe.VarScopeSession, "score", int64(v.Score)); err != nil || v.List == "" {
		return err
	}
	return acts.SetString(spoe.VarScopeSession, "list", v.List)
}

func rawJudge(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	ip, _ := msg.Args.Lookup("ip")
	host, _ := msg.Args.Lookup("host")
	addr, ok := ip.Addr()
	if !ok {
		return errors.New("no address")
	}
	return byHand(ask{addr, host.Str()}, acts)
}

type (
	namedTyped func(context.Context, ask) (verdict, error)
	namedRaw   func(context.Context, *spoe.Message, *spoe.Actions) error
	service    struct{}
)

func (service) Judge(_ context.Context, in ask) (verdict, error) { return judge(in), nil }
func (*service) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	return rawJudge(ctx, msg, acts)
}

func typedJudge(_ context.Context, in ask) (verdict, error)      { return judge(in), nil }
func pointerJudge(_ context.Context, in *ask) (*verdict, error)  { v := judge(*in); return &v, nil }
func halfJudge(_ context.Context, in *ask) (verdict, error)      { return judge(*in), nil }
func otherHalf(_ context.Context, in ask) (*verdict, error)      { v := judge(in); return &v, nil }
func actsJudge(_ context.Context, in ask, a *spoe.Actions) error { return byHand(in, a) }
func actsPointer(_ context.Context, in *ask, a *spoe.Actions) error {
	return byHand(*in, a)
}

// TestForms: every form that answers gives the same answers.
func TestForms(t *testing.T) {
	for name, fn := range map[string]any{
		"handler":             spoe.HandlerFunc(rawJudge),
		"handler by pointer":  &service{},
		"raw":                 rawJudge,
		"raw, named":          namedRaw(rawJudge),
		"typed":               typedJudge,
		"typed, named":        namedTyped(typedJudge),
		"typed, method":       service{}.Judge,
		"typed, pointers":     pointerJudge,
		"typed, pointer in":   halfJudge,
		"typed, pointer out":  otherHalf,
		"actions":             actsJudge,
		"actions, pointer in": actsPointer,
		"Func":                router.Func(typedJudge),
		"Func, named":         router.Func(namedTyped(typedJudge)),
		"Func, pointers":      router.Func(pointerJudge),
		"Func, pointer in":    router.Func(halfJudge),
		"Func, pointer out":   router.Func(otherHalf),
		"Acts":                router.Acts(actsJudge),
		"Acts, pointer in":    router.Acts(actsPointer),
	} {
		t.Run(name, func(t *testing.T) {
			r := router.New()
			r.Handle("ip-rep", fn)
			haproxy := spoetest.New(t, r)
			bad := haproxy.Ask("ip-rep", spoetest.Arg("ip", listed), spoetest.Arg("host", "example.org"))
			assert.Equal(t, "sess.score=0 sess.list=on example.org", bad.String())
			good := haproxy.Ask("ip-rep", spoetest.Arg("ip", netip.MustParseAddr("::1")), spoetest.Arg("host", ""))
			assert.Equal(t, "sess.score=100", good.String())
			assert.Empty(t, haproxy.Ask("ip-rep").Actions(), "ip is required")
			assert.Empty(t, haproxy.Ask("Ip-rep", spoetest.Arg("ip", listed)).Actions(), "names match exactly")
		})
	}
}

// TestSinks: the forms that set nothing get their arguments.
func TestSinks(t *testing.T) {
	got := make(chan string, 1)
	byValue := func(_ context.Context, in ask) error { got <- in.Host; return nil }
	byPointer := func(_ context.Context, in *ask) error { got <- in.Host; return nil }
	for name, fn := range map[string]any{
		"struct": byValue, "pointer": byPointer,
		"Sink of struct": router.Sink(byValue), "Sink of pointer": router.Sink(byPointer),
	} {
		t.Run(name, func(t *testing.T) {
			r := router.New()
			r.Handle("log", fn)
			v := spoetest.New(t, r).Ask("log", spoetest.Arg("ip", listed), spoetest.Arg("host", "example.org"))
			assert.Equal(t, "example.org", <-got)
			assert.Empty(t, v.Actions())
		})
	}
}

// TestNoResult: a nil result, and an error, set nothing.
func TestNoResult(t *testing.T) {
	none := func(context.Context, ask) (*verdict, error) { return nil, nil }
	fails := func(context.Context, ask) (verdict, error) { return verdict{Score: 1}, errors.New("no") }
	r := router.New()
	r.Handle("none", none)
	r.Handle("none-func", router.Func(none))
	r.Handle("fails", fails)
	r.Handle("fails-func", router.Func(fails))
	haproxy := spoetest.New(t, r)
	for _, route := range r.Routes() {
		assert.Empty(t, haproxy.Ask(route.Message, spoetest.Arg("ip", listed)).Actions(), route.Message)
	}
	assert.Equal(t, uint64(2), haproxy.Agent().Stats().Errors)
}

// TestUnbindableResult: what can only be seen when it comes is an error of the
// message.
func TestUnbindableResult(t *testing.T) {
	type out struct {
		A int `spoe:"a"`
		V any `spoe:"v"`
	}
	result := func(context.Context, struct{}) (out, error) { return out{1, make(chan int)}, nil }
	r := router.New()
	r.Handle("any", result)
	r.Handle("func", router.Func(result))
	r.ErrorVar(spoe.VarScopeTransaction, "error")
	haproxy := spoetest.New(t, r)
	for _, name := range []string{"any", "func"} {
		v := haproxy.Ask(name)
		assert.Len(t, v.Actions(), 1)
		assert.Contains(t, v.Str("txn.error"), "out.V of variable txn.v")
	}
}

// TestSeveralMessages: those of one NOTIFY are routed one by one.
func TestSeveralMessages(t *testing.T) {
	r := router.New()
	r.Handle("ip-rep", typedJudge)
	r.Handle("second", router.Func(func(context.Context, struct{}) (struct {
		Second bool `spoe:"second"`
	}, error) {
		return struct {
			Second bool `spoe:"second"`
		}{true}, nil
	}))
	v := spoetest.New(t, r).AskAll(
		spoetest.Msg("unknown"),
		spoetest.Msg("ip-rep", spoetest.Arg("ip", listed), spoetest.Arg("host", "a")),
		spoetest.Msg("ip-rep"),
		spoetest.Msg("second"),
	)
	assert.Equal(t, "sess.score=0 sess.list=on a txn.second=true", v.String())
}

func TestNotFound(t *testing.T) {
	r := router.New()
	r.Handle("known", rawJudge)
	r.NotFound(spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		return acts.SetString(spoe.VarScopeTransaction, "unknown", msg.Name)
	}))
	haproxy := spoetest.New(t, r)
	assert.Equal(t, "txn.unknown=other", haproxy.Ask("other").String())
	assert.Equal(t, "sess.score=0 sess.list=on ", haproxy.Ask("known", spoetest.Arg("ip", listed)).String())
}
