package main

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/corazawaf/coraza/v3/types"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/examples/waf/internal/rules"
)

// transaction is a request with its response, as the rules see them. One goroutine at a
// time has it: the request's handler, the store, the response's handler.
type transaction struct {
	rules.Transaction
	waf     *waf
	app     *application
	span    trace.SpanContext   // of the request's message
	refused *types.Interruption // by the agent itself
}

// begin begins the transaction of a request, with the rules of its application.
func (w *waf) begin(ctx context.Context, r *Request) (*transaction, error) {
	host, _ := r.Headers.Get("host")
	app, err := w.apps.Load().find(r.App, host)
	if err != nil {
		return nil, err
	}
	id := r.ID
	if id == "" { // HAProxy has no unique-id-format
		id = rand.Text()
	}
	t := &transaction{Transaction: app.rules.Begin(id), waf: w, app: app, span: trace.SpanContextFromContext(ctx)}
	t.SetServerName(host)
	return t, nil
}

// phase runs the rules of a phase within a span, unless ctx has ended: a rule cannot be
// interrupted, so a deadline counts between two phases.
func (t *transaction) phase(ctx context.Context, name string, run func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, span := t.waf.tracer.Start(ctx, name)
	defer span.End()
	return errors.Join(run(), ctx.Err())
}

// end runs the rules of the last phase, writes the audit log, counts the hits and frees the
// transaction. The goroutine that has the transaction calls it once.
func (t *transaction) end() {
	defer t.Close()
	for _, entry := range t.Log() {
		t.record(entry)
	}
	t.count()
}
