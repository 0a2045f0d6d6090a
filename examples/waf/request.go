package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
)

// Request is what HAProxy sends about a request.
type Request struct {
	App     string            `spoe:"app" fetch:"var(txn.waf_app)"` // the name, if HAProxy's rules set it
	ID      string            `spoe:"id" fetch:"unique-id"`
	Src     netip.Addr        `spoe:"src" fetch:"src"`
	SrcPort int               `spoe:"src-port" fetch:"src_port"`
	Dst     netip.Addr        `spoe:"dst" fetch:"dst"`
	DstPort int               `spoe:"dst-port" fetch:"dst_port"`
	Method  string            `spoe:"method,required" fetch:"method"`
	URL     string            `spoe:"url,required" fetch:"url"`
	Version string            `spoe:"version" fetch:"req.ver"`
	Headers codec.HeaderBlock `spoe:"headers,required" fetch:"req.hdrs_bin"`
	Body    router.RequestBody
}

// RequestVerdict is what HAProxy gets. ID is set with each answer.
type RequestVerdict struct {
	ID    string `spoe:"id"`
	Agent string `spoe:"agent"`        // who has the transaction
	Tx    string `spoe:"tx,omitempty"` // by which the response finds it
	Outcome
}

func (w *waf) judgeRequest(ctx context.Context, r Request) (RequestVerdict, error) {
	host, _ := r.Headers.Get("host")
	app := w.apps.Load().find(r.App, host)
	if app == nil {
		return RequestVerdict{}, noApplication(host)
	}
	t := w.begin(ctx, app, r.ID)
	defer t.endUnlessKept()
	v := RequestVerdict{ID: t.ID(), Agent: w.agent}
	err := t.request(ctx, &r, host)
	v.Outcome = t.outcome("blocking_inbound_anomaly_score")
	if err != nil {
		return v, err
	}
	if app.Responses && v.Action == "" && !t.IsRuleEngineOff() && ctx.Err() == nil {
		v.Tx = w.keep(t)
	}
	return v, ctx.Err()
}

// watchRequest judges a request that HAProxy has not waited for: its rules are logged and
// counted, and refuse nothing.
func (w *waf) watchRequest(ctx context.Context, r Request) error {
	host, _ := r.Headers.Get("host")
	app := w.apps.Load().find(r.App, host)
	if app == nil {
		return noApplication(host)
	}
	t := w.begin(ctx, app, r.ID)
	defer t.end()
	return t.request(ctx, &r, host)
}

func noApplication(host string) error {
	return fmt.Errorf("the host %q belongs to no application: give it to one, or write one without hosts", host)
}

// request runs the rules of a request. At the deadline it stops between two phases: it
// cannot stop a rule.
func (t *transaction) request(ctx context.Context, r *Request, host string) error {
	if t.IsRuleEngineOff() {
		return nil
	}
	t.ProcessConnection(addr(r.Src), r.SrcPort, addr(r.Dst), r.DstPort)
	t.ProcessURI(target(r.URL, r.Version), r.Method, "HTTP/"+r.Version)
	t.SetServerName(host)
	for name, value := range r.Headers.All() {
		t.AddRequestHeader(name, value)
	}
	if t.phase(ctx, "request headers", func() { t.ProcessRequestHeaders() }) != nil || t.IsInterrupted() {
		return ctx.Err()
	}
	body := r.Body.Bytes
	if s := r.Body.State(); s != router.BodyWhole && t.IsRequestBodyAccessible() {
		switch t.app.CutBody {
		case cutJudge:
		case cutPass:
			body = nil
		default:
			t.refused = refusedBody
			return nil
		}
	}
	var err error
	_ = t.phase(ctx, "request body", func() {
		if _, _, err = t.WriteRequestBody(body); err == nil && !t.IsInterrupted() {
			_, err = t.ProcessRequestBody()
		}
	})
	return err
}

// target returns the request target as rules expect it. HTTP/2 has no request line;
// HAProxy makes an absolute form of its parts.
func target(url, version string) string {
	if version < "2" || strings.HasPrefix(url, "/") {
		return url
	}
	_, rest, _ := strings.Cut(url, "://")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return url
}

func addr(a netip.Addr) string {
	if !a.IsValid() { // a Unix socket
		return ""
	}
	return a.Unmap().String()
}
