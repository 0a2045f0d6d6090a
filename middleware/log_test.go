package middleware_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// lines is a log in memory.
type lines struct{ lockedbuffer.Buffer }

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// all returns what was logged, and forgets it.
func (l *lines) all(tb testing.TB) []map[string]any {
	tb.Helper()
	var all []map[string]any
	for line := range strings.Lines(l.Take()) {
		var m map[string]any
		require.NoError(tb, json.Unmarshal([]byte(line), &m))
		delete(m, "time")
		all = append(all, m)
	}
	return all
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		h := spoetest.NewAgent(t, quiet(spoe.Chain(byName{
			"ok":    setInt("score", 90),
			"error": handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return errors.New("boom") }),
			"panic": panics,
			"slow": handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
				time.Sleep(7 * time.Millisecond)
				return nil
			}),
			"late":     waits,
			"canceled": handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return context.Canceled }),
		}, middleware.Log(middleware.LogConfig{
			Logger: log.logger(), Slow: 5 * time.Millisecond, Args: []string{"ip", "gone"}, Vars: true,
		}), middleware.Timeout(20*time.Millisecond))))
		for _, want := range []map[string]any{
			{"message": "ok", "outcome": "ok", "level": "INFO", "took": 0., "var.txn.score": "90"},
			{"message": "error", "outcome": "error", "level": "WARN", "took": 0., "error": "boom"},
			{"message": "panic", "outcome": "panic", "level": "ERROR", "took": 0., "error": "middleware: the handler panicked"},
			{"message": "slow", "outcome": "slow", "level": "WARN", "took": 7e6},
			{"message": "late", "outcome": "timeout", "level": "WARN", "took": 2e7, "error": "spoe: handler missed its deadline of 20ms"},
			{"message": "canceled", "outcome": "canceled", "level": "INFO", "took": 0., "error": "context canceled"},
		} {
			h.Ask(want["message"].(string), spoetest.Arg("ip", "192.0.2.1"))
			synctest.Wait()
			got := log.all(t)
			require.Len(t, got, 1)
			assert.NotZero(t, got[0]["stream_id"])
			delete(got[0], "stream_id")
			want["msg"], want["frame_id"], want["waited"], want["arg.ip"] = "message", 1., 0., "192.0.2.1"
			assert.Equal(t, want, got[0])
		}
	})
}

// TestLogSampling: one line for so many successes; so many lines a second for each outcome,
// and a count of the lines left out.
// TestLogLeastSlow: any time above 0 is a bound.
func TestLogLeastSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		h := middleware.Log(middleware.LogConfig{Logger: log.logger(), Slow: 1})(new(sleeps))
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
		assert.Equal(t, "slow", log.all(t)[0]["outcome"])
	})
}

// TestLogOneLineASecond: the next second's line says how many were left out.
func TestLogOneLineASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		h := middleware.Log(middleware.LogConfig{Logger: log.logger(), PerSecond: 1})(setInt("a", 1))
		for _, n := range []int{1, 2, 3, 1} {
			for range n {
				require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
			}
			time.Sleep(time.Second)
		}
		var leftOut []any
		for _, line := range log.all(t) {
			leftOut = append(leftOut, line["left_out"])
		}
		assert.Equal(t, []any{nil, nil, 1.0, 2.0}, leftOut)
	})
}

// TestLogCutsTexts: values from 257 bytes on, and errors from 1025 on.
func TestLogCutsTexts(t *testing.T) {
	var log lines
	h := middleware.Log(middleware.LogConfig{Logger: log.logger(), Args: []string{"a"}})(handlerFunc(
		func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			v, _ := msg.Args.Lookup("a")
			return errors.New(strings.Repeat("e", 768+len(v.Str())))
		}))
	for _, n := range []int{256, 257} {
		_ = h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("a", strings.Repeat("x", n))), new(spoe.Actions))
		line := log.all(t)[0]
		assert.Equal(t, n == 256, line["arg.a"] == strings.Repeat("x", n))
		assert.Equal(t, n == 256, line["error"] == strings.Repeat("e", 768+n))
	}
}

func TestLogSampling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		fail := false
		h := middleware.Log(middleware.LogConfig{Logger: log.logger(), Every: 10, PerSecond: 5})(handlerFunc(
			func(context.Context, *spoe.Message, *spoe.Actions) error {
				if fail {
					return errors.New("boom")
				}
				return nil
			}))
		serve := func(n int) []map[string]any {
			for range n {
				_ = h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions))
			}
			return log.all(t)
		}
		assert.Len(t, serve(30), 3)
		assert.Len(t, serve(30), 2, "of 5 a second")
		fail = true
		assert.Len(t, serve(12), 5, "errors are not sampled, only bounded")
		time.Sleep(time.Second)
		got := serve(2)
		require.Len(t, got, 2)
		assert.EqualValues(t, 7, got[0]["left_out"])
		assert.NotContains(t, got[1], "left_out")
		fail = false
		assert.EqualValues(t, 1, serve(10)[0]["left_out"], "each outcome counts for itself")
	})
}

// TestLogEvery: the first of so many messages has the line.
func TestLogEvery(t *testing.T) {
	var log lines
	h := middleware.Log(middleware.LogConfig{Logger: log.logger(), Every: 3})(setInt("ok", 1))
	var got []int
	for range 7 {
		require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
		got = append(got, len(log.all(t)))
	}
	assert.Equal(t, []int{1, 0, 0, 1, 0, 0, 1}, got)
}

func TestLogToTheDefaultLogger(t *testing.T) {
	var log lines
	before := slog.Default()
	slog.SetDefault(log.logger())
	defer slog.SetDefault(before)
	require.NoError(t, middleware.Log()(setInt("ok", 1)).ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	assert.Len(t, log.all(t), 1)
}

// contextLog passes on the contexts of its lines.
type contextLog struct {
	slog.Handler
	contexts chan context.Context
}

func (contextLog) Enabled(context.Context, slog.Level) bool { return true }

func (l contextLog) Handle(ctx context.Context, _ slog.Record) error {
	l.contexts <- ctx
	return nil
}

// TestLogContext: the logger's context has the message's values, and is still valid after
// the message ended.
func TestLogContext(t *testing.T) {
	type key struct{}
	contexts := make(chan context.Context)
	h := middleware.Log(middleware.LogConfig{Logger: slog.New(contextLog{contexts: contexts})})(setInt("ok", 1))
	agent := spoetest.NewAgent(t, quiet(handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		ctx, cancel := context.WithCancel(context.WithValue(ctx, key{}, "value"))
		defer cancel()
		return h.ServeSPOE(ctx, msg, acts)
	})))
	agent.Ask("m")
	got := <-contexts
	assert.NoError(t, got.Err())
	assert.Equal(t, "value", got.Value(key{}))
}

// TestLogSecrets: no value of a secret field is in a line.
func TestLogSecrets(t *testing.T) {
	const hidden = "hunter2"
	type in struct {
		Password string `spoe:"log_password,secret"`
	}
	type out struct {
		Token string `spoe:"log_token,secret"`
	}
	var log lines
	r := router.New()
	r.Use(middleware.Log(middleware.LogConfig{Logger: log.logger(), Args: []string{"log_password", "own"}, Vars: true, Secrets: []string{"own"}}))
	r.Handle("login", func(_ context.Context, in in) (out, error) { return out{in.Password}, nil })
	spoetest.New(t, r).Ask("login", spoetest.Arg("log_password", hidden), spoetest.Arg("own", hidden))
	require.Eventually(t, func() bool { return log.String() != "" }, 30*time.Second, time.Millisecond, "the line comes behind the ACK")
	assert.NotContains(t, log.String(), hidden)
	got := log.all(t)[0]
	for _, key := range []string{"arg.log_password", "arg.own", "var.txn.log_token"} {
		assert.Equal(t, "REDACTED", got[key], key)
	}
}

// blockedLog blocks until its channel is closed.
type blockedLog struct {
	slog.Handler
	until chan struct{}
}

func (blockedLog) Enabled(context.Context, slog.Level) bool { return true }

func (l blockedLog) Handle(context.Context, slog.Record) error {
	<-l.until
	return nil
}

// TestLogHoldsUpNoACK: a log that blocks costs its lines, not the answers.
func TestLogHoldsUpNoACK(t *testing.T) {
	log := blockedLog{until: make(chan struct{})}
	h := spoetest.NewAgent(t, quiet(middleware.Log(middleware.LogConfig{Logger: slog.New(log)})(setInt("ok", 1))))
	for range 10 {
		assert.Equal(t, "txn.ok=1", h.Ask("m").String())
	}
	close(log.until)
}

// TestLogHasTheSpan: inside of Trace a line can be found from its trace.
func TestLogHasTheSpan(t *testing.T) {
	var log lines
	spans := newTracer(t)
	h := spoe.Chain(setInt("ok", 1),
		middleware.Trace(middleware.TraceConfig{TracerProvider: spans}),
		middleware.Log(middleware.LogConfig{Logger: log.logger()}))
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	span, got := spans.one().SpanContext, log.all(t)[0]
	assert.Equal(t, span.TraceID().String(), got["trace_id"])
	assert.Equal(t, span.SpanID().String(), got["span_id"])
}

// Log writes variables only where its configuration says so, and never those of a failure.
func TestLogVars(t *testing.T) {
	for _, tt := range []struct {
		vars bool
		err  error
		want any
	}{{true, nil, "1"}, {false, nil, nil}, {true, errors.New("failing"), nil}, {false, errors.New("failing"), nil}} {
		var log lines
		h := middleware.Log(middleware.LogConfig{Logger: log.logger(), Vars: tt.vars, Every: 1})(handlerFunc(
			func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				require.NoError(t, setInt("x", 1)(ctx, msg, acts))
				return tt.err
			}))
		_ = h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)) // tt.err
		all := log.all(t)
		require.Len(t, all, 1)
		assert.Equal(t, tt.want, all[0]["var.txn.x"])
	}
}

func ExampleLog() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case "time", "took", "waited": // differ from run to run
				return slog.Attr{}
			}
			return a
		},
	}))
	handler := middleware.Log(middleware.LogConfig{
		Logger: logger, Args: []string{"ip"}, Vars: true,
		Every: 1, PerSecond: 100,
	})(spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		return acts.SetInt(spoe.VarScopeSession, "ip_score", 90)
	}))

	ask(&spoe.Agent{Handler: handler, Logger: slog.New(slog.DiscardHandler)}, "ip-rep")
	// Unordered output:
	// level=INFO msg=message message=ip-rep outcome=ok stream_id=1 frame_id=1 arg.ip=192.0.2.1 var.sess.ip_score=90
	// ip-rep: sess.ip_score=90
}
