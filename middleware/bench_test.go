package middleware_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

func globalTracerProvider() trace.TracerProvider { return otel.GetTracerProvider() }

// inAgent has f measure what mw costs where it stands in an agent: call handles
// a message that an agent received as often as f likes. Deadlines are far.
func inAgent(tb testing.TB, mw spoe.Middleware, h spoe.Handler, args []spoetest.Argument, f func(call func())) {
	tb.Helper()
	done := make(chan struct{})
	chain := h
	if mw != nil {
		chain = mw(h)
	}
	agent := &spoe.Agent{
		NotifyTimeout: 24 * time.Hour,
		Logger:        slog.New(slog.DiscardHandler),
		Handler: handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			defer close(done)
			f(func() {
				acts.Reset()
				if err := chain.ServeSPOE(ctx, msg, acts); err != nil && !errors.Is(err, middleware.ErrShed) {
					tb.Error(err)
				}
			})
			return nil
		}),
	}
	haproxy := spoetest.NewAgent(tb, agent)
	_, err := haproxy.Notify(tb.Context(), spoetest.Msg("m", args...))
	require.NoError(tb, err)
	<-done
}

// distant is a timeout that does not end while something is measured.
const distant = time.Hour

// TestAllocations gates what the middleware of the default chain allocates, but
// for what OpenTelemetry does: TestTraceAllocates has that.
func TestAllocations(t *testing.T) {
	meters := newMeters(t)
	for name, c := range map[string]struct {
		mw   spoe.Middleware
		want float64
	}{
		"Recover and Timeout":    {chain(middleware.Timeout(distant), middleware.Recover()), 0},
		"Limit":                  {middleware.Limit(1), 0},
		"Limit that sheds":       {full(t), 0},
		"Metrics, no SDK":        {middleware.Metrics(), 0},
		"Log, sampled out":       {middleware.Log(middleware.LogConfig{Every: 1 << 30}), 0},
		"Coalesce without a key": {middleware.Coalesce(middleware.KeyFunc(func([]byte, *spoe.Message) []byte { return nil })), 0},
		"Cache that hits":        {middleware.Cache(distant, middleware.KeyArgs(), middleware.CacheConfig{MeterProvider: meters}), 0},
	} {
		t.Run(name, func(t *testing.T) {
			inAgent(t, c.mw, setInt("ok", 1), benchArgs, func(call func()) {
				assert.Equal(t, c.want, testing.AllocsPerRun(200, call))
			})
		})
	}
}

// benchArgs have a caller's span that is sampled.
var benchArgs = []spoetest.Argument{
	spoetest.Arg("ip", "192.0.2.1"),
	spoetest.Arg("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
}

func chain(mws ...spoe.Middleware) spoe.Middleware {
	return func(next spoe.Handler) spoe.Handler { return spoe.Chain(next, mws...) }
}

func BenchmarkMiddleware(b *testing.B) {
	meters := middleware.MetricsConfig{MeterProvider: newMeters(b)}
	never := middleware.TraceConfig{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))}
	always := middleware.TraceConfig{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(dropSpans{}))}
	discard := slog.New(slog.NewJSONHandler(io.Discard, nil))
	var alternate atomic.Uint64
	for _, c := range []struct {
		name string
		mw   spoe.Middleware
	}{
		{"None", nil},
		{"Recover", middleware.Recover()},
		{"Timeout", middleware.Timeout(distant)},
		{"Trace/NoSDK", middleware.Trace()},
		{"Trace/NotSampled", middleware.Trace(never)},
		{"Trace/Recorded", middleware.Trace(always)},
		{"Metrics/NoSDK", middleware.Metrics()},
		{"Metrics/SDK", middleware.Metrics(meters)},
		{"Log/JSON", middleware.Log(middleware.LogConfig{Logger: discard})},
		{"Log/OneOf1000", middleware.Log(middleware.LogConfig{Logger: discard, Every: 1000})},
		{"Limit", middleware.Limit(16)},
		{"Limit/Shed", full(b)},
		{"Detach", awaited(middleware.Detach())},
		{"Coalesce", middleware.Coalesce(middleware.KeyArgs("ip"))},
		{"Cache/Hit", middleware.Cache(distant, middleware.KeyArgs("ip"))},
		{"Cache/Miss", middleware.Cache(time.Second, middleware.KeyFunc(func(k []byte, _ *spoe.Message) []byte {
			n := alternate.Add(1)
			return append(k, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
		}))},
		{"RecoverTimeout", chain(middleware.Timeout(distant), middleware.Recover())},
		{"Default/NoSDK", middleware.Default(distant)},
		{"Default/NotSampled", middleware.Default(distant, middleware.DefaultConfig{
			Trace: never, Metrics: meters})},
		{"Default/Recorded", middleware.Default(distant, middleware.DefaultConfig{
			Trace: always, Metrics: meters})},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			inAgent(b, c.mw, setInt("ok", 1), benchArgs, func(call func()) {
				call()
				b.ResetTimer()
				for range b.N {
					call()
				}
				b.StopTimer()
			})
		})
	}
}

// full is a Limit whose only place is taken until the benchmark ends.
func full(tb testing.TB) spoe.Middleware {
	l := middleware.Limit(1, middleware.LimitConfig{Var: "txn.overloaded"})
	taken, ended := make(chan struct{}), make(chan struct{})
	ctx, release := context.WithCancel(context.Background())
	holder := l(handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		close(taken)
		return waits(ctx, msg, acts)
	}))
	go func() { // ends with release, which the cleanup awaits
		defer close(ended)
		_ = holder.ServeSPOE(ctx, newMessage(tb, "holder"), new(spoe.Actions))
	}()
	<-taken
	tb.Cleanup(func() { release(); <-ended })
	return l
}

// awaited makes each message wait until the handler behind Detach returns: otherwise
// most of them would find the queue full.
func awaited(detach spoe.Middleware) spoe.Middleware {
	handled := make(chan struct{})
	return func(next spoe.Handler) spoe.Handler {
		h := detach(handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			err := next.ServeSPOE(ctx, msg, acts)
			handled <- struct{}{}
			return err
		}))
		return handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			err := h.ServeSPOE(ctx, msg, acts)
			<-handled
			return err
		})
	}
}

// dropSpans is an exporter that costs nothing.
type dropSpans struct{}

func (dropSpans) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (dropSpans) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (dropSpans) Shutdown(context.Context) error                  { return nil }
func (dropSpans) ForceFlush(context.Context) error                { return nil }
