package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// nilError is the ordinary slip: a nil pointer in an error.
type nilError struct{ err error }

func (e *nilError) Error() string { return e.err.Error() }
func (e *nilError) Unwrap() error { return e.err }

// hostile is a text that must reach no log, span or label as it is.
var hostile = "a\xff\x1b[31m\n\u202e" + strings.Repeat("\x00", 1<<20)

// TestHostileText: a message name and an error that a peer chooses are bounded
// and printable wherever telemetry shows them.
func TestHostileText(t *testing.T) {
	spans, m := newTracer(t), newMeters(t)
	var log bytes.Buffer
	failing := handlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error { return errors.New(hostile) })
	h := spoe.Chain(failing,
		middleware.Trace(middleware.TraceConfig{TracerProvider: spans, ArgAttributes: map[string]string{"path": "url.path"}}),
		middleware.Metrics(middleware.MetricsConfig{MeterProvider: m}),
		middleware.Log(middleware.LogConfig{Logger: slog.New(slog.NewTextHandler(&log, nil)), Args: []string{"path"}}),
		middleware.Cache(time.Minute, middleware.KeyArgs(), middleware.CacheConfig{MeterProvider: m}))
	require.Error(t, h.ServeSPOE(t.Context(), newMessage(t, hostile, spoetest.Arg("path", hostile)), new(spoe.Actions)))

	check := func(what, text string) {
		assert.LessOrEqual(t, len(text), 1024, what)
		assert.True(t, utf8.ValidString(text), what)
		assert.NotContains(t, text, "\x1b", what)
		assert.NotContains(t, text, "\u202e", what)
	}
	got := spans.one()
	check("span name", got.Name)
	check("status", got.Status.Description)
	for key, v := range attributesOf(got) {
		check(key, fmt.Sprint(v))
	}
	for _, kv := range got.Events[0].Attributes {
		check(string(kv.Key), kv.Value.String())
	}
	assert.Equal(t, "_OTHER", attributesOf(got)["rpc.method"])
	assert.Contains(t, m.histogram(duration), "error.type=error rpc.method=_OTHER")
	assert.Contains(t, m.sums("spop.cache.lookups"), "rpc.method=_OTHER spop.cache.result=miss")
	assert.Less(t, log.Len(), 4096)
	assert.Equal(t, 1, strings.Count(log.String(), "\n"))
}

// TestErrorsWhoseMethodsPanic: telemetry survives them, and the span ends.
func TestErrorsWhoseMethodsPanic(t *testing.T) {
	for name, mw := range everyMiddleware(t) {
		t.Run(name, func(t *testing.T) {
			h := spoetest.NewAgent(t, quiet(spoe.Chain(byName{
				"nil": handlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
					msg.OnFailure(func(error, *spoe.Actions) {})
					return (*nilError)(nil)
				}),
				"ok": setInt("ok", 1),
			}, mw)))
			assert.Equal(t, "", h.Ask("nil").String())
			assert.Equal(t, "txn.ok=1", h.Ask("ok").String())
			assert.EqualValues(t, 1, h.Agent().Stats().Errors)
			assert.Zero(t, h.Agent().Stats().Panics)
		})
	}
	spans := newTracer(t)
	h := middleware.Trace(middleware.TraceConfig{TracerProvider: spans})(handlerFunc(
		func(context.Context, *spoe.Message, *spoe.Actions) error { return (*nilError)(nil) }))
	require.Error(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	assert.Equal(t, "error of type *middleware_test.nilError, whose Error method panics", spans.one().Status.Description)
}

// TestErrorVarBehind: a router with ErrorVar inside Cache and Coalesce sets it,
// whatever the failure.
func TestErrorVarBehind(t *testing.T) {
	for name, mw := range map[string]spoe.Middleware{
		"Cache":              middleware.Cache(time.Hour, middleware.KeyArgs()),
		"Coalesce":           middleware.Coalesce(middleware.KeyArgs()),
		"Cache and Coalesce": chain(middleware.Cache(time.Hour, middleware.KeyArgs()), middleware.Coalesce(middleware.KeyArgs())),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := router.New()
				r.ErrorVar(spoe.VarScopeTransaction, "error")
				r.HandleRaw("error", handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return errors.New("boom") }))
				r.HandleRaw("nil", handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return (*nilError)(nil) }))
				r.HandleRaw("panic", panics)
				r.HandleRaw("late", handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { time.Sleep(time.Second); return nil }))
				r.HandleRaw("big", handlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
					return acts.SetString(spoe.VarScopeTransaction, "big", strings.Repeat("x", 20000))
				}))
				h := spoetest.NewAgent(t, quiet(spoe.Chain(r, middleware.Timeout(20*time.Millisecond), mw)))
				for message, want := range map[string]string{
					"error": "txn.error=error: boom",
					"nil":   "txn.error=error: spoe: the handler returned an error of type",
					"panic": "txn.error=panic",
					"late":  "txn.error=timeout",
					"big":   "txn.error=too-big",
				} {
					for range 2 { // a hit of the cache fails alike
						if message == "late" && strings.HasPrefix(name, "Cache") {
							time.Sleep(time.Second)
						}
						got := h.Ask(message).String()
						if message == "late" && got == "" {
							continue // the cache keeps the late answer
						}
						assert.True(t, strings.HasPrefix(got, want), "%s: %q", message, got)
					}
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// TestOnFailureBehindDetach: it is called, though its variables cannot reach HAProxy.
func TestOnFailureBehindDetach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var called atomic.Int64
		var log bytes.Buffer
		h := spoetest.New(t, middleware.Detach(middleware.DetachConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))})(handlerFunc(
			func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				msg.OnFailure(func(error, *spoe.Actions) { called.Add(1); panic("hook") })
				if msg.Name == "exit" {
					runtime.Goexit()
				}
				return (*nilError)(nil)
			})))
		h.Ask("m")
		h.Ask("exit")
		synctest.Wait()
		assert.EqualValues(t, 2, called.Load())
		assert.Equal(t, 2, strings.Count(log.String(), "detached message failed"))
	})
}

// TestCacheKeepsWhatIsLeft: a handler that starts over has its last word kept.
func TestCacheKeepsWhatIsLeft(t *testing.T) {
	outside := func(next spoe.Handler) spoe.Handler {
		return handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			if err := acts.SetInt(spoe.VarScopeTransaction, "outside", 1); err != nil {
				return err
			}
			return next.ServeSPOE(ctx, msg, acts)
		})
	}
	for name, drop := range map[string]func(*spoe.Actions){
		"Reset":      func(acts *spoe.Actions) { acts.Reset() },
		"assignment": func(acts *spoe.Actions) { *acts = spoe.Actions{} },
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			h := spoetest.New(t, spoe.Chain(handlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
				calls++
				_ = acts.SetString(spoe.VarScopeTransaction, "verdict", "allow")
				drop(acts)
				return acts.SetString(spoe.VarScopeTransaction, "verdict", "deny")
			}), outside, middleware.Cache(time.Hour, middleware.KeyArgs())))
			for range 3 {
				got := h.AskAll(spoetest.Msg("m"), spoetest.Msg("m")).String()
				assert.Equal(t, "txn.outside=1 txn.verdict=deny txn.outside=1 txn.verdict=deny", got)
			}
			assert.Equal(t, 1, calls)
		})
	}
}

// TestTraceAfterReset: a span has what the message sets, after a Reset too.
func TestTraceAfterReset(t *testing.T) {
	spans := newTracer(t)
	h := middleware.Trace(middleware.TraceConfig{TracerProvider: spans})(handlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		acts.Reset()
		return acts.SetString(spoe.VarScopeTransaction, "verdict", "deny")
	}))
	acts := new(spoe.Actions)
	require.NoError(t, acts.SetInt(spoe.VarScopeTransaction, "outside", 1))
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), acts))
	assert.Equal(t, "deny", attributesOf(spans.one())["spop.var.txn.verdict"])
}

// TestKeyWithoutItsArguments: a misspelt name does not answer all visitors alike.
func TestKeyWithoutItsArguments(t *testing.T) {
	for name, mw := range map[string]spoe.Middleware{
		"Cache":    middleware.Cache(time.Hour, middleware.KeyArgs("pi", "hots")),
		"Coalesce": middleware.Coalesce(middleware.KeyArgs("pi", "hots")),
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			h := spoetest.New(t, mw(handlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				calls++
				v, _ := msg.Args.Lookup("ip")
				return acts.SetValue(spoe.VarScopeTransaction, "ip", v)
			})))
			for i := range 3 {
				ip := fmt.Sprint("192.0.2.", i)
				assert.Equal(t, "txn.ip="+ip, h.Ask("m", spoetest.Arg("ip", ip)).String())
			}
			assert.Equal(t, 3, calls)

			r := router.New()
			assert.Panics(t, func() {
				r.With(mw).Handle("m", func(context.Context, struct {
					IP string `spoe:"ip"`
				}) (struct {
					Score int `spoe:"score"`
				}, error) {
					panic("never called")
				})
			})
		})
	}
}

// TestKeyOfAValuesOwnBytes: a middleware does not write into bytes that Key returns.
func TestKeyOfAValuesOwnBytes(t *testing.T) {
	own := middleware.KeyFunc(func(_ []byte, msg *spoe.Message) []byte {
		v, _ := msg.Args.Lookup("id")
		return v.Bytes()
	})
	h := middleware.Cache(time.Hour, own)(setInt("score", 1))
	first := newMessage(t, "m", spoetest.Arg("id", strings.Repeat("a", 64)))
	require.NoError(t, h.ServeSPOE(t.Context(), first, new(spoe.Actions)))
	for range 100 {
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("id", strings.Repeat("b", 64))), new(spoe.Actions)))
	}
	v, _ := first.Args.Lookup("id")
	assert.Equal(t, strings.Repeat("a", 64), v.Str())

	calls := 0
	counting := middleware.Cache(time.Hour, own)(handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { calls++; return nil }))
	for _, name := range []string{"a", "b", "a", "b"} { // other names are other questions
		require.NoError(t, counting.ServeSPOE(t.Context(), newMessage(t, name, spoetest.Arg("id", "1")), new(spoe.Actions)))
	}
	assert.Equal(t, 2, calls)
}

// TestEachSurvivesGoexit, and an assignment to the handler's actions.
func TestEachSurvivesGoexit(t *testing.T) {
	for name, mw := range everyMiddleware(t) {
		t.Run(name, func(t *testing.T) {
			h := spoetest.NewAgent(t, quiet(mw(byName{
				"ok":   setInt("ok", 1),
				"exit": handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { runtime.Goexit(); return nil }),
			})))
			for range 3 {
				assert.Equal(t, "", h.Ask("exit").String())
				assert.Equal(t, "txn.ok=1", h.Ask("ok").String())
			}
			assert.EqualValues(t, 3, h.Agent().Stats().Panics)
		})
	}
}

// TestLogOfAPanickingLogger: it does not make a failure of an answer.
func TestLogOfAPanickingLogger(t *testing.T) {
	h := middleware.Log(middleware.LogConfig{Logger: slog.New(panickingLog{})})(setInt("ok", 1))
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
}

type panickingLog struct{ slog.Handler }

func (panickingLog) Enabled(context.Context, slog.Level) bool  { return true }
func (panickingLog) Handle(context.Context, slog.Record) error { panic("log") }

// TestProviderAfterRegistration: a global provider that is replaced between the
// making of a chain and its first message gets the telemetry.
func TestProviderAfterRegistration(t *testing.T) {
	oldTracer, oldMeter := otel.GetTracerProvider(), otel.GetMeterProvider()
	defer func() { otel.SetTracerProvider(oldTracer); otel.SetMeterProvider(oldMeter) }()
	// The first provider set is the one that OpenTelemetry's own default hands
	// everything to from then on. Other tests need it to do nothing.
	otel.SetTracerProvider(nooptrace.NewTracerProvider())
	otel.SetMeterProvider(noopmetric.NewMeterProvider())
	otel.SetTracerProvider(newTracer(t))
	otel.SetMeterProvider(newMeters(t).MeterProvider)

	var h [2]spoe.Handler
	for i := range h {
		h[i] = spoe.Chain(setInt("ok", 1), middleware.Trace(), middleware.Metrics(), middleware.Cache(time.Hour, middleware.KeyArgs()))
	}
	shed := full(t)(setInt("ok", 1))
	spans, m := newTracer(t), newMeters(t)
	otel.SetTracerProvider(spans)
	otel.SetMeterProvider(m.MeterProvider)
	for i := range h {
		require.NoError(t, h[i].ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
		assert.Equal(t, "m", spans.one().Name)
		assert.EqualValues(t, i+1, m.histogram(duration)["rpc.method=m"].Count)
		assert.EqualValues(t, i+1, m.sums("spop.cache.lookups")["rpc.method=m spop.cache.result=miss"])
	}
	require.NoError(t, shed.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	assert.EqualValues(t, 1, m.sums(dropped)["rpc.method=m spop.drop.reason=shed"])
}

// TestErrorTypes: names that do not change from release to release.
func TestErrorTypes(t *testing.T) {
	m := newMeters(t)
	errs := map[string]error{
		"error":           errors.New("plain"),
		"wrapped":         fmt.Errorf("so: %w", errors.New("plain")),
		"two":             fmt.Errorf("so: %w, %w", errors.New("a"), errors.New("b")),
		"joined":          errors.Join(errors.New("a"), errors.New("b")),
		"formatted":       fmt.Errorf("no %s", "database"),
		"its own":         fmt.Errorf("so: %w", secretError{}),
		"type in wrapper": fmt.Errorf("so: %w", errors.Join(errors.New("a"), &typedError{})),
		"nil pointer":     (*nilError)(nil),
		"long":            namedError(strings.Repeat("x", 128)),
		"too long":        namedError(strings.Repeat("y", 129)),
	}
	h := middleware.Metrics(middleware.MetricsConfig{MeterProvider: m})(handlerFunc(
		func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error { return errs[msg.Name] }))
	for name := range errs {
		require.Error(t, h.ServeSPOE(t.Context(), newMessage(t, name), new(spoe.Actions)))
	}
	got := m.histogram(duration)
	for name := range errs {
		want := "error"
		switch name {
		case "its own":
			want = "db_unavailable"
		case "type in wrapper":
			want = "*middleware_test.typedError"
		case "long":
			want = strings.Repeat("x", 128)
		case "too long":
			assert.Empty(t, got["error.type="+strings.Repeat("y", 129)+" rpc.method="+name], "clipped at 128 bytes")
			continue
		}
		assert.EqualValues(t, 1, got["error.type="+want+" rpc.method="+name].Count, name)
	}
}

// namedError is an error whose ErrorType is its text.
type namedError string

func (e namedError) Error() string     { return "on purpose" }
func (e namedError) ErrorType() string { return string(e) }

type typedError struct{}

func (*typedError) Error() string { return "typed" }

// TestLogSlow: a handler that takes exactly as long as Slow is not slow.
func TestLogSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := middleware.Log(middleware.LogConfig{Slow: time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil))})(handlerFunc(
			func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				v, _ := msg.Args.Lookup("takes")
				n, _ := v.Int()
				time.Sleep(time.Duration(n))
				return nil
			}))
		for takes, want := range map[time.Duration]string{time.Second: "outcome=ok", time.Second + 1: "outcome=slow"} {
			log.Reset()
			require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("takes", int64(takes))), new(spoe.Actions)))
			assert.Contains(t, log.String(), want)
		}
	})
}

// TestLogUnset: a variable that is unset shows as such, not as a secret.
func TestLogUnset(t *testing.T) {
	var log bytes.Buffer
	h := middleware.Log(middleware.LogConfig{Vars: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})(handlerFunc(
		func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
			return errors.Join(acts.UnsetVar(spoe.VarScopeTransaction, "list"), acts.SetVar(spoe.VarScopeTransaction, "null", nil))
		}))
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	assert.Contains(t, log.String(), "var.txn.list=unset var.txn.null=unset")
}

// TestConfigurationIsCopied: a caller may change its slices afterwards.
func TestConfigurationIsCopied(t *testing.T) {
	m := newMeters(t)
	buckets := []float64{1, 2}
	h := middleware.Metrics(middleware.MetricsConfig{MeterProvider: m, Buckets: buckets})(setInt("ok", 1))
	buckets[0] = 1.5
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	assert.Equal(t, []float64{1, 2}, m.histogram(duration)["rpc.method=m"].Bounds)

	var log lines
	args := []string{"a"}
	h = middleware.Log(middleware.LogConfig{Logger: log.logger(), Args: args})(setInt("ok", 1))
	args[0] = "b"
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("a", "1"), spoetest.Arg("b", "2")), new(spoe.Actions)))
	line := log.all(t)[0]
	assert.Equal(t, "1", line["arg.a"])
	assert.NotContains(t, line, "arg.b")
}
