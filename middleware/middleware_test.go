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

// everyMiddleware is each middleware with its telemetry on, except Detach, whose ACKs do
// not wait for handlers.
func everyMiddleware(tb testing.TB) map[string]spoe.Middleware {
	log := middleware.LogConfig{Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)), Vars: true}
	trace := middleware.TraceConfig{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(tracetest.NewInMemoryExporter()))}
	metrics := middleware.MetricsConfig{MeterProvider: newMeters(tb)}
	return map[string]spoe.Middleware{
		"Recover":  middleware.Recover(),
		"Timeout":  middleware.Timeout(time.Hour),
		"Trace":    middleware.Trace(trace),
		"Metrics":  middleware.Metrics(metrics),
		"Log":      middleware.Log(log),
		"Limit":    middleware.Limit(1, middleware.LimitConfig{Wait: time.Hour}),
		"Coalesce": middleware.Coalesce(middleware.KeyArgs()),
		"Cache":    middleware.Cache(time.Nanosecond, middleware.KeyArgs()),
		"Default": middleware.Default(time.Hour, middleware.DefaultConfig{
			Trace: trace, Metrics: metrics, Log: &log, Limit: 1,
		}),
	}
}

// TestEachAnswers: the handler's answer passes, a panic costs the message's actions alone,
// and later messages are served: no place, no lock, no flight is lost with it.
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

// TestEachEndsWithItsContext: a handler sees its context end, and its middleware returns
// the error.
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
			assert.Eventually(t, func() bool { return h.Agent().Stats().InFlight == 1 }, 30*time.Second, time.Millisecond)
		}) // the cleanup fails if the handler is still there
	}
}

func TestWrongConfigurationPanics(t *testing.T) {
	for want, f := range map[string]func(){
		"middleware: Timeout(0s): give a handler some time, less than HAProxy's `timeout processing`":                                func() { middleware.Timeout(0) },
		"middleware: Timeout(-1ns): give a handler some time, less than HAProxy's `timeout processing`":                              func() { middleware.Default(-1) },
		"middleware: Limit(0): no message would ever be handled: write a number above 0":                                             func() { middleware.Limit(0) },
		"middleware: LimitConfig.Wait is -1ns: write how long a message may wait, or 0":                                              func() { middleware.Limit(1, middleware.LimitConfig{Wait: -1}) },
		`middleware: LimitConfig.Var: the variable "shed" has no scope: write txn.shed, or sess, req, res or proc`:                   func() { middleware.Limit(1, middleware.LimitConfig{Var: "shed"}) },
		"middleware: Cache(0s): no answer would ever be kept: write a time above 0":                                                  func() { middleware.Cache(0, middleware.KeyArgs()) },
		"middleware: CacheConfig.MaxBytes is -1: write 65536 or more, or 0 for 33554432":                                             func() { middleware.Cache(1, middleware.KeyArgs(), middleware.CacheConfig{MaxBytes: -1}) },
		"middleware: CacheConfig.MaxBytes is 65535: write 65536 or more, or 0 for 33554432":                                          func() { middleware.Cache(1, middleware.KeyArgs(), middleware.CacheConfig{MaxBytes: 64<<10 - 1}) },
		"middleware: Cache: the key is empty: make it with KeyArgs or KeyFunc":                                                       func() { middleware.Cache(1, middleware.Key{}) },
		"middleware: Coalesce: the key is empty: make it with KeyArgs or KeyFunc":                                                    func() { middleware.Coalesce(middleware.Key{}) },
		"middleware: KeyFunc: the function is nil: pass one, or use KeyArgs":                                                         func() { middleware.KeyFunc(nil) },
		"middleware: KeyArgs: a name is empty: write the name of an argument":                                                        func() { middleware.KeyArgs("ip", "") },
		"middleware: DefaultConfig has a LimitConfig and no Limit: write how many messages are handled at once into Limit":           func() { middleware.Default(1, middleware.DefaultConfig{LimitConfig: middleware.LimitConfig{Wait: 1}}) },
		"middleware: Trace was called with 2 configurations: write one middleware.TraceConfig with all the fields":                   func() { middleware.Trace(middleware.TraceConfig{}, middleware.TraceConfig{}) },
		"middleware: LogConfig{Every: -1, PerSecond: 0, Slow: 0s}: write numbers above 0, or 0 for the defaults":                     func() { middleware.Log(middleware.LogConfig{Every: -1}) },
		"middleware: LogConfig{Every: 0, PerSecond: -1, Slow: 0s}: write numbers above 0, or 0 for the defaults":                     func() { middleware.Log(middleware.LogConfig{PerSecond: -1}) },
		"middleware: LogConfig{Every: 0, PerSecond: 0, Slow: -1ns}: write numbers above 0, or 0 for the defaults":                    func() { middleware.Log(middleware.LogConfig{Slow: -1}) },
		"middleware: DetachConfig{Workers: -1, Queue: 0, QueueBytes: 0, Timeout: 0s}: write numbers above 0, or 0 for the defaults":  func() { middleware.Detach(middleware.DetachConfig{Workers: -1}) },
		"middleware: DetachConfig{Workers: 0, Queue: -1, QueueBytes: 0, Timeout: 0s}: write numbers above 0, or 0 for the defaults":  func() { middleware.Detach(middleware.DetachConfig{Queue: -1}) },
		"middleware: DetachConfig{Workers: 0, Queue: 0, QueueBytes: -1, Timeout: 0s}: write numbers above 0, or 0 for the defaults":  func() { middleware.Detach(middleware.DetachConfig{QueueBytes: -1}) },
		"middleware: DetachConfig{Workers: 0, Queue: 0, QueueBytes: 0, Timeout: -1ns}: write numbers above 0, or 0 for the defaults": func() { middleware.Detach(middleware.DetachConfig{Timeout: -1}) },
	} {
		assert.PanicsWithValue(t, want, f)
	}
	assert.Panics(t, func() { middleware.Limit(1, middleware.LimitConfig{Var: "txn.a-b"}) }, "a name that HAProxy refuses")
}
