package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/corazawaf/coraza/v3/types"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/examples/waf/internal/rules"
)

// transaction is a request with its response, as the rules see them. One goroutine at a
// time has it: the request's handler, the store, the response's handler.
type transaction struct {
	types.Transaction
	waf     *waf
	app     *application
	begun   time.Time
	span    trace.SpanContext   // of the request's message
	refused *types.Interruption // by the agent itself
	kept    bool                // the store has it
}

// refusedBody is the outcome of a body that was cut off.
var refusedBody = &types.Interruption{Action: "deny", Status: 413}

// begin begins a transaction. id is HAProxy's unique-id, or empty.
func (w *waf) begin(ctx context.Context, app *application, id string) *transaction {
	if id == "" {
		id = rand.Text()
	}
	return &transaction{Transaction: app.rules.NewTransactionWithID(id), waf: w, app: app, begun: time.Now(), span: trace.SpanContextFromContext(ctx)}
}

// keep leaves the transaction to its response.
func (w *waf) keep(t *transaction) (key string) {
	t.kept = true
	return w.pending.Put(t)
}

func (t *transaction) endUnlessKept() {
	if !t.kept {
		t.end()
	}
}

// end runs the rules of the last phase, writes the audit log and frees the transaction.
// The goroutine that has the transaction calls it once.
func (t *transaction) end() {
	defer t.Close()
	if t.waf.audits() {
		rules.Log(t.Transaction, t.recorder())
	} else {
		t.ProcessLogging()
	}
	t.count()
}

// phase runs a phase within a span, unless ctx has ended. It returns ctx's error.
func (t *transaction) phase(ctx context.Context, name string, run func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, span := t.waf.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindInternal))
	defer span.End()
	run()
	return ctx.Err()
}
