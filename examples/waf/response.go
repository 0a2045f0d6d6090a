package main

import (
	"context"
	"errors"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/pair"
	"github.com/spoke-go/spoke/router"
)

// Response is the message about a response.
type Response struct {
	Tx      pair.Key          `spoe:"tx" fetch:"var(txn.waf.tx)"`
	Version string            `spoe:"version" fetch:"res.ver"`
	Status  int               `spoe:"status" fetch:"status"`
	Headers codec.HeaderBlock `spoe:"headers,required" fetch:"res.hdrs_bin"`
	Body    router.ResponseBody
}

// ResponseVerdict is the answer about a response. Judged is set with each answer.
type ResponseVerdict struct {
	Judged bool `spoe:"judged"`
	Outcome
}

var errNoRequest = errors.New("the request of this response is not known here: it came to another agent, was too long ago, or this agent has been restarted since")

func (w *waf) judgeResponse(ctx context.Context, r Response) (ResponseVerdict, error) {
	t, ok := w.pending.Take(string(r.Tx))
	if !ok {
		return ResponseVerdict{}, errNoRequest
	}
	defer t.end()
	err := t.response(ctx, &r)
	return ResponseVerdict{Judged: true, Outcome: t.outcome("blocking_outbound_anomaly_score")}, err
}

// response runs the rules of a response.
func (t *transaction) response(ctx context.Context, r *Response) error {
	for name, value := range r.Headers.All() {
		t.AddResponseHeader(name, value)
	}
	err := t.phase(ctx, "response headers", func() error { t.ProcessResponseHeaders(r.Status, "HTTP/"+r.Version); return nil })
	if err != nil || t.IsInterrupted() {
		return err
	}
	body := r.Body.Bytes
	if !t.IsResponseBodyAccessible() || !t.IsResponseBodyProcessable() ||
		t.app.CutBody == cutPass && r.Body.State() != router.BodyWhole {
		body = nil
	}
	return t.phase(ctx, "response body", func() error { return t.ResponseBody(body) })
}
