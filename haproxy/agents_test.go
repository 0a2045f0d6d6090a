package haproxy_test

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// The agents of the tests.

type client struct {
	IP   netip.Addr `spoe:"ip,required" fetch:"src"`
	Port uint16     `spoe:"port" fetch:"src_port"`
}

type visit struct {
	Client  client
	Method  string      `spoe:"method" fetch:"method"`
	Path    string      `spoe:"path,required" fetch:"path"`
	Headers http.Header `spoe:"headers" fetch:"req.hdrs_bin"`
	Agent   string      `spoe:"ua" fetch:"req.hdr(user-agent)"`
	Secure  bool        `spoe:"ssl" fetch:"ssl_fc"`
}

type verdict struct {
	Score  int    `spoe:"score"`
	Reason string `spoe:"reason,omitempty"`
}

type reputation struct {
	IPScore int     `spoe:"ip_score,sess"`
	List    *string `spoe:"ip_list,sess,unset"`
	Known   bool    `spoe:"known"`
}

type response struct {
	Status int `spoe:"status,required" fetch:"status"`
}

type upload struct {
	Body []byte `spoe:"body" fetch:"req.body"`
	Size int64  `spoe:"size" fetch:"req.body_size"`
}

func judge(_ context.Context, in visit) (verdict, error) {
	if in.Path == "/.env" {
		return verdict{Score: 0, Reason: "probe"}, nil
	}
	return verdict{Score: 100}, nil
}

func look(_ context.Context, in client) (reputation, error) {
	if in.IP.IsLoopback() {
		return reputation{IPScore: 100, Known: true}, nil
	}
	return reputation{}, nil
}

func count(context.Context, response) error { return nil }

func scan(_ context.Context, in upload, acts *spoe.Actions) error {
	return acts.SetInt(spoe.VarScopeTransaction, "seen", int64(len(in.Body)))
}

func raw(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	v, _ := msg.Args.Lookup("host")
	return acts.SetString(spoe.VarScopeProcess, "last_host", v.Str())
}

// within is a deadline as middleware.Timeout has it: that package would bring its
// dependencies along.
func within(d time.Duration) spoe.Middleware {
	return func(next spoe.Handler) spoe.Handler { return &bounded{next, d} }
}

type bounded struct {
	next spoe.Handler
	d    time.Duration
}

func (b *bounded) Bound() time.Duration { return b.d }

func (b *bounded) ServeSPOE(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
	return msg.ServeWithin(ctx, b.d, b.next, acts)
}

// guard is an agent of several messages.
func guard() *router.Router {
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "failed")
	r.Use(within(50 * time.Millisecond))
	r.Arg("traceparent", "req.hdr(traceparent)")
	r.Handle("check", judge).Event(router.OnFrontendHTTPRequest)
	r.Handle("ip-rep", look).Group("ask")
	r.Observe("count", count).Event(router.OnHTTPResponse).Unless("{ status 200 }")
	return r
}

// waf reads bodies.
func waf() *router.Router {
	r := router.New()
	r.Use(within(200 * time.Millisecond))
	r.HandleActions("scan", scan).Event(router.OnFrontendHTTPRequest).If("{ method POST PUT }").
		Var(spoe.VarScopeTransaction, "seen").Buffer(64 << 10)
	r.Handle("check", judge).Event(router.OnFrontendHTTPRequest)
	return r
}

// byHand has no structs, and an argument without a name.
func byHand() *router.Router {
	r := router.New()
	r.HandleRaw("host", spoe.HandlerFunc(raw)).Event(router.OnBackendHTTPRequest).Arg("host", "req.hdr(host)").Var(spoe.VarScopeProcess, "last_host")
	r.Observe("first", func(context.Context, struct {
		Name string     `spoe:"name" fetch:"req.hdr(\"x name\")"`
		IP   netip.Addr `spoe:",pos=0" fetch:"src"`
		Port int        `spoe:",pos=2" fetch:"dst_port"`
	}) error {
		return nil
	}).Event(router.OnFrontendTCPRequest)
	r.HandleRaw("late", spoe.HandlerFunc(raw)).Event(router.OnTCPResponse).Arg("", `"str(a b)"`)
	return r
}

// conditional asks about some requests.
func conditional() *router.Router {
	r := router.New()
	r.Use(within(5 * time.Second)) // the machine may be busy
	r.Handle("post", judge).Event(router.OnFrontendHTTPRequest).If("{ method POST } { path_beg /a }")
	r.Handle("ip", func(_ context.Context, in client) (struct {
		Known bool `spoe:"known"`
	}, error) {
		return struct {
			Known bool `spoe:"known"`
		}{in.IP.IsLoopback()}, nil
	}).Event(router.OnFrontendHTTPRequest).If("{ path /b }")
	return r
}

// tcp asks before there is a request, and once more by a rule.
func tcp() *router.Router {
	r := router.New()
	r.Handle("early", look).Event(router.OnClientSession)
	r.Handle("late", judge).Group("ask")
	return r
}

// variants are the agents with configurations for them.
var variants = []struct {
	name   string
	router func() *router.Router
	config haproxy.Config
}{
	{"guard", guard, haproxy.Config{Engine: "guard"}},
	{"guard-closed", guard, haproxy.Config{Engine: "guard", FailClosed: true, Agents: []string{"127.0.0.1:9001", "unix@/run/guard.sock", `"${GUARD-127.0.0.1:9002}"`}}},
	{"guard-2.6", guard, haproxy.Config{Engine: "guard", Version: "2.6"}},
	{"guard-3.2", guard, haproxy.Config{Engine: "guard", Version: "3.2", SPOEFile: "/etc/haproxy/guard.conf"}},
	{"waf", waf, haproxy.Config{Engine: "waf-1", Prefix: "waf", Processing: time.Second}},
	{"conditional", conditional, haproxy.Config{Engine: "guard", FailClosed: true}},
	{"by-hand", byHand, haproxy.Config{Engine: "by.hand"}},
	{"tcp", tcp, haproxy.Config{Engine: "tcp", FailClosed: true}},
}
