package router_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

type IPRep struct {
	IP netip.Addr `spoe:"ip,required"`
}

type Verdict struct {
	Score int    `spoe:"ip_score,sess"`
	List  string `spoe:"ip_list,sess,omitempty"`
}

func lookup(_ context.Context, in IPRep) (Verdict, error) {
	if in.IP.IsPrivate() {
		return Verdict{Score: 100}, nil
	}
	return Verdict{Score: 0, List: "drop"}, nil
}

// inExample is the testing.TB of an example. In a test of yours there is a *testing.T.
type inExample struct {
	testing.TB
	ends []func()
}

func (*inExample) Helper()                      {}
func (*inExample) Context() context.Context     { return context.Background() }
func (*inExample) Output() io.Writer            { return io.Discard }
func (t *inExample) Cleanup(f func())           { t.ends = append(t.ends, f) }
func (*inExample) Errorf(text string, a ...any) { panic(fmt.Sprintf(text, a...)) }
func (*inExample) Fatal(a ...any)               { panic(fmt.Sprint(a...)) }

// haproxy runs f with a HAProxy that asks r. In a test of yours that is
// spoetest.New(t, r).
func haproxy(r *router.Router, f func(haproxy *spoetest.Engine)) {
	t := new(inExample)
	f(spoetest.New(t, r))
	for _, end := range t.ends {
		end()
	}
}

func Example() {
	r := router.New()
	r.Handle("ip-rep", lookup)

	haproxy(r, func(haproxy *spoetest.Engine) {
		fmt.Println(haproxy.Ask("ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.66"))))
		fmt.Println(haproxy.Ask("ip-rep", spoetest.Arg("ip", netip.MustParseAddr("10.0.0.1"))))
	})
	// Output:
	// sess.ip_score=0 sess.ip_list=drop
	// sess.ip_score=100
}

// The forms of a handler.
func ExampleBranch_Handle() {
	type question struct {
		Path string `spoe:"path"`
	}
	type answer struct {
		Length int `spoe:"length,req"`
	}
	r := router.New()

	// Arguments in, variables out.
	r.Handle("typed", func(_ context.Context, in question) (answer, error) {
		return answer{len(in.Path)}, nil
	})
	// Arguments in, no variables.
	r.Observe("observe", func(_ context.Context, in question) error {
		fmt.Println("seen", in.Path)
		return nil
	})
	// Arguments in; the function sets variables itself.
	r.HandleActions("actions", func(_ context.Context, in question, acts *spoe.Actions) error {
		return acts.SetInt(spoe.VarScopeRequest, "length", int64(len(in.Path)))
	})
	// No structs.
	r.HandleRaw("raw", spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		path, ok := msg.Args.Lookup("path")
		if !ok {
			return errors.New("no path")
		}
		return acts.SetInt(spoe.VarScopeRequest, "length", int64(len(path.Str())))
	}))

	haproxy(r, func(haproxy *spoetest.Engine) {
		for _, route := range r.Routes() {
			fmt.Printf("%s: [%v]\n", route.Message, haproxy.Ask(route.Message, spoetest.Arg("path", "/index")))
		}
	})
	// Output:
	// typed: [req.length=6]
	// seen /index
	// observe: []
	// actions: [req.length=6]
	// raw: [req.length=6]
}

// A nil result sets nothing.
func ExampleBranch_Handle_pointer() {
	r := router.New()
	r.Handle("ip-rep", func(_ context.Context, in IPRep) (*Verdict, error) {
		if in.IP.Is6() {
			return nil, nil
		}
		return &Verdict{Score: 50}, nil
	})

	haproxy(r, func(haproxy *spoetest.Engine) {
		fmt.Println(haproxy.Ask("ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.1"))))
	})
	// Output: sess.ip_score=50
}

// A function that sets nothing.
func ExampleBranch_Observe() {
	r := router.New()
	r.Observe("log", func(_ context.Context, in struct {
		Path  string        `spoe:"path"`
		Took  time.Duration `spoe:"took,default=0s"`
		Agent *string       `spoe:"user_agent"`
	}) error {
		fmt.Println(in.Path, in.Took, in.Agent == nil)
		return nil
	})

	haproxy(r, func(haproxy *spoetest.Engine) {
		haproxy.Ask("log", spoetest.Arg("path", "/"), spoetest.Arg("took", 12), spoetest.Arg("user_agent", nil))
	})
	// Output: / 12ms true
}

// Typed arguments, and variables whose names are known only at run time.
func ExampleBranch_HandleActions() {
	r := router.New()
	r.HandleActions("flags", func(_ context.Context, in struct {
		Flags map[string]bool `spoe:"flags,json"`
	}, acts *spoe.Actions) error {
		for name, on := range in.Flags {
			if err := acts.SetBool(spoe.VarScopeTransaction, "flag."+name, on); err != nil {
				return err
			}
		}
		return nil
	})

	haproxy(r, func(haproxy *spoetest.Engine) {
		fmt.Println(haproxy.Ask("flags", spoetest.Arg("flags", `{"beta": true}`)))
	})
	// Output: txn.flag.beta=true
}

// Routes with middleware of their own.
func ExampleBranch_With() {
	counted := func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			fmt.Println("counted", msg.Name)
			return next.ServeSPOE(ctx, msg, acts)
		})
	}
	r := router.New()
	r.Observe("ping", func(context.Context, struct{}) error { return nil })
	rated := r.With(counted)
	rated.Handle("ip-rep", lookup)

	haproxy(r, func(haproxy *spoetest.Engine) {
		haproxy.Ask("ping")
		haproxy.Ask("ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.1")))
	})
	// Output: counted ip-rep
}

// HAProxy's rules see why there is no answer, and can fail closed:
//
//	http-request deny deny_status 503 if { var(txn.iprep.error) -m found }
func ExampleRouter_ErrorVar() {
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "error")
	r.Handle("ip-rep", lookup)
	r.Observe("broken", func(context.Context, struct{}) error { panic("nil map") })

	haproxy(r, func(haproxy *spoetest.Engine) {
		fmt.Println(haproxy.Ask("broken"))
		fmt.Println(haproxy.Ask("ip-rep"))
	})
	// Output:
	// txn.error=panic
	// txn.error=error: message "ip-rep": argument "ip" is missing; field router_test.IPRep.IP (netip.Addr) requires it
}

// A message without a handler is acknowledged without actions. NotFound can report
// it instead.
func ExampleRouter_NotFound() {
	r := router.New()
	r.NotFound(spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
		return fmt.Errorf("no handler for %q", msg.Name)
	}))
	r.ErrorVar(spoe.VarScopeTransaction, "error")

	haproxy(r, func(haproxy *spoetest.Engine) {
		fmt.Println(haproxy.Ask("ip-repp"))
	})
	// Output: txn.error=error: no handler for "ip-repp"
}

// Routes describes the router's messages, for a log line at start or for a check
// of HAProxy's configuration.
func ExampleRouter_Routes() {
	r := router.New()
	r.Handle("ip-rep", lookup)

	for _, route := range r.Routes() {
		fmt.Println(route)
		for _, v := range route.Vars {
			fmt.Println("register-var-names", v.Name)
		}
	}
	// Output:
	// ip-rep(ip netip.Addr required) -> sess.ip_score INT64, sess.ip_list STRING
	// register-var-names ip_score
	// register-var-names ip_list
}
