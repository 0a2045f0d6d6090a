package main

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/corazawaf/coraza/v3/types"
	"go.opentelemetry.io/otel/trace"
)

// transaction is a request with its response, as the rules see them. One goroutine at a
// time has it: the request's handler, the store, the response's handler.
type transaction struct {
	types.Transaction
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
	t := &transaction{Transaction: app.rules.NewTransactionWithID(id), waf: w, app: app, span: trace.SpanContextFromContext(ctx)}
	t.SetServerName(host)
	return t, nil
}

// phase runs the rules of a phase within a span, unless ctx has ended: a rule cannot be
// interrupted, so a deadline counts between two phases. It returns ctx's error.
func (t *transaction) phase(ctx context.Context, name string, run func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, span := t.waf.tracer.Start(ctx, name)
	defer span.End()
	run()
	return ctx.Err()
}

// body runs the rules of a body.
func (t *transaction) body(ctx context.Context, name string, body []byte,
	write func([]byte) (*types.Interruption, int, error), process func() (*types.Interruption, error)) (err error) {
	ended := t.phase(ctx, name, func() {
		if _, _, err = write(body); err == nil && !t.IsInterrupted() {
			_, err = process()
		}
	})
	return errors.Join(ended, err)
}

// end runs the rules of the last phase, writes the audit log and frees the transaction.
// The goroutine that has the transaction calls it once.
func (t *transaction) end() {
	defer t.Close()
	for _, entry := range t.app.rules.Log(t.Transaction) {
		t.record(entry)
	}
	t.count()
}
