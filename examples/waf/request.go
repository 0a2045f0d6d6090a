package main

import (
	"context"
	"net/netip"

	"github.com/corazawaf/coraza/v3/types"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
)

// Request is the message about a request.
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

// RequestVerdict is the answer about a request. ID is set with each answer.
type RequestVerdict struct {
	ID    string `spoe:"id"`
	Agent string `spoe:"agent"`        // who has the transaction
	Tx    string `spoe:"tx,omitempty"` // by which the response finds it
	Outcome
}

func (w *waf) judgeRequest(ctx context.Context, r Request) (v RequestVerdict, err error) {
	t, err := w.begin(ctx, &r)
	if err != nil {
		return v, err
	}
	defer func() {
		if v.Tx == "" {
			t.end()
		}
	}()
	err = t.request(ctx, &r)
	v.ID, v.Agent, v.Outcome = t.ID(), w.agent, t.outcome("blocking_inbound_anomaly_score")
	if err == nil && t.app.Responses && v.Action == "" && !t.IsRuleEngineOff() {
		v.Tx = w.pending.Put(t)
	}
	return v, err
}

// watchRequest judges a request that does not wait for the answer: its rules are logged and
// counted, and refuse nothing.
func (w *waf) watchRequest(ctx context.Context, r Request) error {
	t, err := w.begin(ctx, &r)
	if err != nil {
		return err
	}
	defer t.end()
	return t.request(ctx, &r)
}

// request runs the rules of a request.
func (t *transaction) request(ctx context.Context, r *Request) error {
	if t.IsRuleEngineOff() {
		return nil
	}
	url := r.URL
	if r.Version >= "2" { // HTTP/2 has no request line; HAProxy makes an absolute form of its parts
		url = codec.OriginForm(url)
	}
	t.ProcessConnection(addr(r.Src), r.SrcPort, addr(r.Dst), r.DstPort)
	t.ProcessURI(url, r.Method, "HTTP/"+r.Version)
	for name, value := range r.Headers.All() {
		t.AddRequestHeader(name, value)
	}
	if err := t.phase(ctx, "request headers", func() error { t.ProcessRequestHeaders(); return nil }); err != nil || t.IsInterrupted() {
		return err
	}
	body := r.Body.Bytes
	if r.Body.State() != router.BodyWhole && t.IsRequestBodyAccessible() {
		switch t.app.CutBody {
		case cutJudge:
		case cutPass:
			body = nil
		default:
			t.refused = &types.Interruption{Action: "deny", Status: 413}
			return nil
		}
	}
	return t.phase(ctx, "request body", func() error { return t.RequestBody(body) })
}

func addr(a netip.Addr) string {
	if !a.IsValid() { // a Unix socket
		return ""
	}
	return a.Unmap().String()
}
