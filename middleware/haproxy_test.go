package middleware_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

const traceConf = `
[trace]
spoe-agent agent
    messages check
    option var-prefix agent
    timeout hello 20s
    timeout idle 1m
    timeout processing 20s
    use-backend agents
    log global

spoe-message check
    args traceparent=req.hdr(traceparent) src=src method=method path=path
    event on-frontend-http-request
`

// TestTraceThroughHAProxy: a request with a traceparent header yields one trace,
// in which the agent's span is a child of the caller's.
func TestTraceThroughHAProxy(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		spans := newTracer(t)
		type request struct {
			Method string `spoe:"method"`
			Path   string `spoe:"path"`
		}
		type verdict struct {
			Seen string `spoe:"seen"`
		}
		r := router.New()
		r.Use(middleware.Default(20*time.Second, middleware.DefaultConfig{
			Trace: middleware.TraceConfig{
				TracerProvider: spans,
				ArgAttributes:  map[string]string{"src": "client.address", "method": "http.request.method", "path": "url.path"},
			},
		}))
		r.Handle("check", func(_ context.Context, in request) (verdict, error) {
			return verdict{in.Method + " " + in.Path}, nil
		})

		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		agent := &spoe.Agent{Handler: r, ShutdownTimeout: 30 * time.Second}
		go func() { ended <- agent.Run(ctx, ln) }() // ends with ctx, awaited below
		defer func() {
			cancel()
			assert.NoError(t, <-ended)
		}()
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Agent: ln.Addr().String(),
			Files: map[string]string{"spoe.conf": traceConf},
			Rules: `http-response set-header seen %[var(txn.agent.seen)]`,
		})
		defer h.Stop()

		callerCtx, caller := spans.Tracer("caller").Start(t.Context(), "GET /page")
		header := propagation.MapCarrier{}
		propagation.TraceContext{}.Inject(callerCtx, header)
		resp := h.Get("/page", "traceparent", header["traceparent"])
		caller.End()

		assert.Equal(t, "GET /page", resp.Header.Get("seen"), "the agent's answer has reached HAProxy")
		for _, l := range h.WaitSPOELogs(1) {
			assert.Zero(t, l.Status, l.Line)
		}
		var got tracetest.SpanStub
		for _, s := range spans.GetSpans() {
			assert.Equal(t, caller.SpanContext().TraceID(), s.SpanContext.TraceID(), s.Name)
			if s.Name == "check" {
				got = s
			}
		}
		assert.Len(t, spans.GetSpans(), 2, "one trace: the caller's span and the agent's")
		assert.Equal(t, caller.SpanContext().SpanID(), got.Parent.SpanID())
		attrs := attributesOf(got)
		assert.Equal(t, "127.0.0.1", attrs["client.address"])
		assert.Equal(t, "127.0.0.1", attrs["network.peer.address"])
		assert.Equal(t, "/page", attrs["url.path"])
		assert.Equal(t, "GET /page", attrs["spop.var.txn.seen"])
		assert.NotEmpty(t, attrs["spop.engine_id"])
	})
}
