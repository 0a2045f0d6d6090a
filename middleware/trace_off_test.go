package middleware_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// TestTraceOff: where there are no spans, the handler has the caller's span, by which its log
// lines can be found, and without one the context of the message itself.
func TestTraceOff(t *testing.T) {
	const traceID, spanID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	var outer, inner context.Context
	handler := spoe.HandlerFunc(func(ctx context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		inner = ctx
		return acts.SetInt(spoe.VarScopeTransaction, "ok", 1)
	})
	traced := middleware.Trace(middleware.TraceConfig{TracerProvider: noop.NewTracerProvider()})(handler)
	h := spoetest.New(t, spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		outer = ctx
		return traced.ServeSPOE(ctx, msg, acts)
	}))
	require.Equal(t, "txn.ok=1", h.Ask("m").String())
	assert.Same(t, outer, inner)
	require.Equal(t, "txn.ok=1", h.Ask("m", spoetest.Arg("traceparent", "00-"+traceID+"-"+spanID+"-01")).String())
	span := trace.SpanContextFromContext(inner)
	assert.Equal(t, traceID, span.TraceID().String())
	assert.Equal(t, spanID, span.SpanID().String())
}
