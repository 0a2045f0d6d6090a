package router_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"

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

func setVerdict(in ask, acts *spoe.Actions) error {
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
	return setVerdict(ask{addr, host.Str()}, acts)
}

type (
	namedTyped func(context.Context, ask) (verdict, error)
	service    struct{}
)

func (service) Judge(_ context.Context, in ask) (verdict, error) { return judge(in), nil }
func (*service) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	return rawJudge(ctx, msg, acts)
}

var rawHandler = spoe.HandlerFunc(rawJudge)

func typedJudge(_ context.Context, in ask) (verdict, error)      { return judge(in), nil }
func pointerJudge(_ context.Context, in *ask) (*verdict, error)  { v := judge(*in); return &v, nil }
func pointerIn(_ context.Context, in *ask) (verdict, error)      { return judge(*in), nil }
func pointerOut(_ context.Context, in ask) (*verdict, error)     { v := judge(in); return &v, nil }
func actsJudge(_ context.Context, in ask, a *spoe.Actions) error { return setVerdict(in, a) }
func actsPointer(_ context.Context, in *ask, a *spoe.Actions) error {
	return setVerdict(*in, a)
}

// TestForms: every form that answers gives the same answers.
func TestForms(t *testing.T) {
	const name = "ip-rep"
	for form, register := range map[string]func(r *router.Router){
		"raw":                 func(r *router.Router) { r.HandleRaw(name, rawHandler) },
		"raw, pointer":        func(r *router.Router) { r.HandleRaw(name, &service{}) },
		"typed":               func(r *router.Router) { r.Handle(name, typedJudge) },
		"typed, named":        func(r *router.Router) { r.Handle(name, namedTyped(typedJudge)) },
		"typed, method":       func(r *router.Router) { r.Handle(name, service{}.Judge) },
		"typed, pointers":     func(r *router.Router) { r.Handle(name, pointerJudge) },
		"typed, pointer in":   func(r *router.Router) { r.Handle(name, pointerIn) },
		"typed, pointer out":  func(r *router.Router) { r.Handle(name, pointerOut) },
		"typed, on a branch":  func(r *router.Router) { r.With().Handle(name, typedJudge) },
		"actions":             func(r *router.Router) { r.HandleActions(name, actsJudge) },
		"actions, pointer in": func(r *router.Router) { r.HandleActions(name, actsPointer) },
	} {
		t.Run(form, func(t *testing.T) {
			r := router.New()
			register(r)
			haproxy := spoetest.New(t, r)
			bad := haproxy.Ask(name, spoetest.Arg("ip", listed), spoetest.Arg("host", "example.org"))
			assert.Equal(t, "sess.score=0 sess.list=on example.org", bad.String())
			good := haproxy.Ask(name, spoetest.Arg("ip", netip.MustParseAddr("::1")), spoetest.Arg("host", ""))
			assert.Equal(t, "sess.score=100", good.String())
			assert.Empty(t, haproxy.Ask(name).Actions(), "ip is required")
			assert.Empty(t, haproxy.Ask("Ip-rep", spoetest.Arg("ip", listed)).Actions(), "names match exactly")
		})
	}
}

// TestObserve: a function that sets nothing gets its arguments.
func TestObserve(t *testing.T) {
	got := make(chan string, 1)
	for name, register := range map[string]func(r *router.Router){
		"struct": func(r *router.Router) {
			r.Observe("log", func(_ context.Context, in ask) error { got <- in.Host; return nil })
		},
		"pointer": func(r *router.Router) {
			r.Observe("log", func(_ context.Context, in *ask) error { got <- in.Host; return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := router.New()
			register(r)
			v := spoetest.New(t, r).Ask("log", spoetest.Arg("ip", listed), spoetest.Arg("host", "example.org"))
			assert.Equal(t, "example.org", <-got)
			assert.Empty(t, v.Actions())
		})
	}
}

// TestNoResult: a nil result, and an error, set nothing.
func TestNoResult(t *testing.T) {
	r := router.New()
	r.Handle("none", func(context.Context, ask) (*verdict, error) { return nil, nil })
	r.Handle("fails", func(context.Context, ask) (verdict, error) { return verdict{Score: 1}, errors.New("no") })
	haproxy := spoetest.New(t, r)
	for _, route := range r.Routes() {
		assert.Empty(t, haproxy.Ask(route.Message, spoetest.Arg("ip", listed)).Actions(), route.Message)
	}
	assert.Equal(t, uint64(1), haproxy.Agent().Stats().Errors)
}

// TestUnbindableResult: a value that no variable can have is an error of the message.
func TestUnbindableResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type out struct {
			A int `spoe:"a"`
			V any `spoe:"v"`
		}
		r := router.New()
		r.Handle("m", func(context.Context, struct{}) (out, error) { return out{1, make(chan int)}, nil })
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		v := spoetest.New(t, r).Ask("m")
		assert.Len(t, v.Actions(), 1)
		assert.Contains(t, v.Str("txn.error"), "out.V of variable txn.v")
	})
}

// TestSeveralMessages: the messages of one NOTIFY are routed one by one.
func TestSeveralMessages(t *testing.T) {
	r := router.New()
	r.Handle("ip-rep", typedJudge)
	r.Handle("second", func(context.Context, struct{}) (struct {
		Second bool `spoe:"second"`
	}, error) {
		return struct {
			Second bool `spoe:"second"`
		}{true}, nil
	})

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
	r.HandleRaw("known", rawHandler)
	r.NotFound(spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		return acts.SetString(spoe.VarScopeTransaction, "unknown", msg.Name)
	}))
	haproxy := spoetest.New(t, r)
	assert.Equal(t, "txn.unknown=other", haproxy.Ask("other").String())
	assert.Equal(t, "sess.score=0 sess.list=on ", haproxy.Ask("known", spoetest.Arg("ip", listed)).String())
}
