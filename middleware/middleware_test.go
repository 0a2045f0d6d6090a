package middleware_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// everyMiddleware is each one with its telemetry on, but for Detach, whose
// handlers nobody waits for.
func everyMiddleware(tb testing.TB) map[string]spoe.Middleware {
	log := middleware.LogConfig{Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)), Vars: true}
	trace := middleware.TraceConfig{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(tracetest.NewInMemoryExporter()))}
	metrics := middleware.MetricsConfig{MeterProvider: newMeters(tb)}
	return map[string]spoe.Middleware{
		"Recover":  middleware.Recover(),
		"Timeout":  middleware.Timeout(time.Hour),
		"Trace":    middleware.TraceWith(trace),
		"Metrics":  middleware.MetricsWith(metrics),
		"Log":      middleware.LogWith(log),
		"Limit":    middleware.LimitWith(middleware.LimitConfig{Max: 1, Wait: time.Hour}),
		"Coalesce": middleware.Coalesce(),
		"Cache":    middleware.Cache(time.Nanosecond),
		"Default": middleware.DefaultWith(middleware.DefaultConfig{
			Timeout: time.Hour, Trace: trace, Metrics: metrics, Log: &log, Limit: &middleware.LimitConfig{Max: 1},
		}),
	}
}

// TestEachAnswers: the handler's answer passes, a panic costs the message's
// actions alone, and what comes afterwards is served: no place, no lock, no
// flight is lost with it.
func TestEachAnswers(t *testing.T) {
	for name, mw := range everyMiddleware(t) {
		t.Run(name, func(t *testing.T) {
			h := spoetest.NewAgent(t, quiet(mw(byName{"ok": setInt("ok", 1), "panic": panics})))
			for range 3 {
				assert.Equal(t, "txn.ok=1", h.Ask("ok").String())
				assert.Equal(t, "", h.Ask("panic").String())
			}
			assert.Equal(t, "txn.ok=1", h.AskAll(spoetest.Msg("panic"), spoetest.Msg("ok")).String())
			assert.EqualValues(t, 4, h.Agent().Stats().Panics)
		})
	}
}

// TestEachEndsWithItsContext: a handler sees its context end, and what wraps it
// returns the error.
func TestEachEndsWithItsContext(t *testing.T) {
	for name, mw := range everyMiddleware(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				h := mw(handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
					err := waits(ctx, msg, acts)
					ended <- err
					return err
				}))
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				assert.ErrorIs(t, h.ServeSPOE(ctx, newMessage(t, "wait"), new(spoe.Actions)), context.Canceled)
				assert.ErrorIs(t, <-ended, context.Canceled)
				assert.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

// TestEachWithAnAgentThatEnds: handlers that wait end with the agent.
func TestEachWithAnAgentThatEnds(t *testing.T) {
	for name, mw := range everyMiddleware(t) {
		t.Run(name, func(t *testing.T) {
			h := spoetest.NewAgent(t, quiet(mw(waits)))
			_, err := h.Notify(t.Context(), spoetest.Msg("wait"))
			require.NoError(t, err)
			assert.Eventually(t, func() bool { return h.Agent().Stats().InFlight == 1 }, 5*time.Second, time.Millisecond)
		}) // the cleanup fails if the handler is still there
	}
}

func TestWrongConfigurationPanics(t *testing.T) {
	for want, f := range map[string]func(){
		"middleware: Timeout(0s): give a handler some time, less than HAProxy's `timeout processing`":              func() { middleware.Timeout(0) },
		"middleware: Timeout(-1ns): give a handler some time, less than HAProxy's `timeout processing`":            func() { middleware.Default(-1) },
		"middleware: Limit(0): nothing would ever be handled":                                                      func() { middleware.Limit(0) },
		"middleware: LimitConfig{Max: -1, Wait: 0s}: neither can be negative":                                      func() { middleware.LimitWith(middleware.LimitConfig{Max: -1}) },
		`middleware: LimitConfig.Var: the variable "shed" has no scope: write txn.shed, or sess, req, res or proc`: func() { middleware.LimitWith(middleware.LimitConfig{Var: "shed"}) },
		"middleware: Cache(0s): nothing would ever be kept":                                                        func() { middleware.Cache(0) },
		"middleware: CacheConfig{TTL: 0s, MaxBytes: -1}: neither can be negative":                                  func() { middleware.CacheWith(middleware.CacheConfig{MaxBytes: -1}) },
		"middleware: LogConfig{Every: -1, PerSecond: 0, Slow: 0s}: none can be negative":                           func() { middleware.LogWith(middleware.LogConfig{Every: -1}) },
		"middleware: DetachConfig{Workers: -1, Queue: 0, QueueBytes: 0, Timeout: 0s}: none can be negative":        func() { middleware.DetachWith(middleware.DetachConfig{Workers: -1}) },
	} {
		assert.PanicsWithValue(t, want, f)
	}
	assert.Panics(t, func() { middleware.LimitWith(middleware.LimitConfig{Var: "txn.a-b"}) }, "a name that HAProxy refuses")
}
