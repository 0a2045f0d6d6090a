package middleware_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// TestDefault: span, metrics and log agree on the outcome of each message, and HAProxy gets
// it.
func TestDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spans, m := newTracer(t), newMeters(t)
		var log lines
		r := router.New()
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		r.Use(middleware.Default(20*time.Millisecond, middleware.DefaultConfig{
			Trace:   middleware.TraceConfig{TracerProvider: spans},
			Metrics: middleware.MetricsConfig{MeterProvider: m},
			Log:     &middleware.LogConfig{Logger: log.logger()},
			Limit:   1, LimitConfig: middleware.LimitConfig{MeterProvider: m},
		}))
		r.HandleRaw("ok", setInt("score", 90))
		r.HandleRaw("panic", panics)
		r.HandleRaw("hang", spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
			time.Sleep(time.Second)
			return acts.SetBool(spoe.VarScopeTransaction, "late", true)
		}))
		h := spoetest.NewAgent(t, quiet(r))
		for _, c := range []struct{ message, answer, outcome string }{
			{"ok", "txn.score=90", "ok"},
			{"panic", "txn.error=panic", "panic"},
			{"hang", "txn.error=timeout", ""}, // goes on, and holds the place
			{"ok", "txn.error=error: middleware: too many messages are being handled", "shed"},
		} {
			start := time.Now()
			assert.Equal(t, c.answer, h.Ask(c.message).String())
			assert.LessOrEqual(t, time.Since(start), 20*time.Millisecond)
			synctest.Wait()
			if c.outcome == "" {
				assert.Empty(t, spans.GetSpans(), "it has not returned")
				continue
			}
			assert.Equal(t, c.outcome, log.all(t)[0]["outcome"])
			point := "rpc.method=" + c.message
			span := spans.one()
			kind, failed := attributesOf(span)["error.type"]
			if c.outcome != "ok" {
				point = "error.type=" + c.outcome + " " + point
				assert.Equal(t, c.outcome, kind)
				assert.Equal(t, c.outcome == "panic", hasAttribute(span.Events[0], "exception.stacktrace"))
			} else {
				assert.False(t, failed)
			}
			assert.EqualValues(t, 1, m.histogram(duration)[point].Count, point)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, "timeout", attributesOf(spans.one())["error.type"])
		require.Equal(t, "timeout", log.all(t)[0]["outcome"])
		assert.Equal(t, map[string]int64{"rpc.method=ok spop.drop.reason=shed": 1}, m.sums(dropped))
	})
}

func ExampleDefault() {
	r := router.New()
	r.ErrorVar(spoe.VarScopeTransaction, "error") // http-request deny if { var(txn.iprep.error) -m found }
	r.Use(middleware.Default(200 * time.Millisecond))
	r.With(middleware.Cache(time.Minute, middleware.KeyArgs("ip")), middleware.Coalesce(middleware.KeyArgs("ip"))).
		HandleRaw("ip-rep", spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			return acts.SetInt(spoe.VarScopeSession, "ip_score", 90)
		}))
	r.HandleRaw("broken", spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { panic("index out of range") }))

	ask(&spoe.Agent{Handler: r, Logger: slog.New(slog.DiscardHandler)}, "ip-rep", "broken")
	// Output:
	// ip-rep: sess.ip_score=90
	// broken: txn.error=panic
}

// TestBound: handlers with a deadline report it, for HAProxy's configuration.
func TestBound(t *testing.T) {
	next := spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return nil })
	for want, mw := range map[time.Duration]spoe.Middleware{
		20 * time.Millisecond:  middleware.Timeout(20 * time.Millisecond),
		30 * time.Millisecond:  middleware.Default(30 * time.Millisecond),
		100 * time.Millisecond: middleware.Default(100*time.Millisecond, middleware.DefaultConfig{}),
	} {
		b, ok := mw(next).(spoe.Bounded)
		require.True(t, ok)
		assert.Equal(t, want, b.Bound())
	}
}

// TestDefaultObservers: they see each message, outside of the deadline.
func TestDefaultObservers(t *testing.T) {
	t.Parallel()
	var seen []string
	observer := func(next spoe.Handler) spoe.Handler {
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			seen = append(seen, msg.Name)
			_, bounded := ctx.Deadline()
			assert.False(t, bounded)
			return next.ServeSPOE(ctx, msg, acts)
		})
	}
	h := middleware.Default(time.Minute, middleware.DefaultConfig{Observers: []spoe.Middleware{observer}})(setInt("ok", 1))
	var acts spoe.Actions
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), &acts))
	assert.Equal(t, []string{"m"}, seen)
}
