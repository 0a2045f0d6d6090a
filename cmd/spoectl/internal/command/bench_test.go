//go:build linux

package command_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
)

type benched struct {
	Notifies uint64  `json:"notifies"`
	Rate     float64 `json:"rate"`
	Unsent   uint64  `json:"unsent"`
	Latency  struct {
		P50 time.Duration `json:"p50"`
		Max time.Duration `json:"max"`
	} `json:"latency_ns"`
}

func bench(t *testing.T, args ...string) benched {
	t.Helper()
	r := run(t, append([]string{"bench", "--json"}, args...)...)
	require.Zero(t, r.status, r.err)
	assert.Empty(t, r.err)
	var b benched
	require.NoError(t, json.Unmarshal([]byte(r.out), &b))
	assert.Positive(t, b.Rate)
	return b
}

func TestBench(t *testing.T) {
	agent := serve(t, loopback)
	messages := file(t, "messages", "# two\nip-rep ip=192.0.2.1\n\necho 'text=a \"b\"' \"x:string=1 2\"\n")
	t.Run("count", func(t *testing.T) {
		b := bench(t, agent, "ip-rep", "ip=192.0.2.1", "--count", "1000", "-c", "2", "-n", "4")
		assert.EqualValues(t, 1000, b.Notifies)
		assert.Positive(t, b.Latency.P50)
		assert.GreaterOrEqual(t, b.Latency.Max, b.Latency.P50)
	})
	t.Run("file at a rate", func(t *testing.T) {
		b := bench(t, agent, "--file", messages, "--rate", "1000", "-d", "200ms", "--warm-up", "10ms")
		assert.InDelta(t, 200, float64(b.Notifies), 150)
	})
	t.Run("text and plot", func(t *testing.T) {
		svg := filepath.Join(t.TempDir(), "plot.svg")
		r := run(t, "bench", agent, "ip-rep", "--count", "100", "--svg", svg)
		require.Zero(t, r.status, r.err)
		assert.Regexp(t, `^127[^\n]*: 8 connections × 16 in flight, as fast as it goes\n[\d,]+ NOTIFYs/s: 100 in [^\n]+\n\nlatency `, r.out)
		assert.Contains(t, r.out, "█")
		b, err := os.ReadFile(svg)
		require.NoError(t, err)
		assert.Contains(t, string(b), "</svg>")
	})
	t.Run("unix", func(t *testing.T) {
		addr := "unix:" + filepath.Join(t.TempDir(), "s")
		serve(t, addr)
		bench(t, addr, "ip-rep", "--count", "100")
	})
	t.Run("TLS", func(t *testing.T) {
		agent, cert, key := serveTLS(t)
		bench(t, agent, "ip-rep", "--count", "100", "--ca", cert, "--cert", cert, "--key", key)
	})
	t.Run("keeps not up", func(t *testing.T) {
		r := run(t, "bench", agent, "sleep", "ms=20", "-c", "1", "-n", "1", "--rate", "500", "-d", "200ms", "--warm-up", "0s")
		require.Zero(t, r.status, r.err)
		assert.Contains(t, r.out, "more were due and found no free place")
	})
	t.Run("nobody listens", func(t *testing.T) {
		r := run(t, "bench", "127.0.0.1:1", "m")
		assert.Equal(t, 1, r.status)
		assert.Regexp(t, `^spoectl bench: connection 1: [^\n]*refused\n$`, r.err)
	})
}

func TestBenchIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var handled atomic.Int64
	addr := serve(t, loopback, func(a *spoe.Agent) {
		handler := a.Handler
		a.Handler = spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			if handled.Add(1) == 100 {
				cancel()
			}
			return handler.ServeSPOE(ctx, msg, acts)
		})
	})
	r := runWith(ctx, nil, "bench", addr, "ip-rep", "--warm-up", "0s", "-d", "1h")
	require.Zero(t, r.status, r.err)
	assert.Contains(t, r.out, "NOTIFYs/s")
}

// Failures, timeouts and empty ACKs are counted apart, and set the exit status on
// request.
func TestBenchOutcomes(t *testing.T) {
	addr := serve(t, loopback, func(a *spoe.Agent) {
		a.Handler = spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			switch msg.Name {
			case "empty":
				return nil
			case "other":
				return acts.SetString(codec.ScopeSession, "error", "timeout") // another scope
			}
			return acts.SetString(codec.ScopeTransaction, "error", msg.Name)
		})
	})
	messages := file(t, "messages", "panic\nempty\ntimeout\nother\n")
	args := []string{"bench", addr, "--file", messages, "--count", "400", "--json"}
	for _, tt := range []struct {
		more                              []string
		status, failures, timeouts, empty int
	}{
		{nil, 0, 0, 0, 100},
		{[]string{"--error-var", "txn.error"}, 0, 100, 100, 100},
		{[]string{"--error-var", "txn.error", "--fail"}, 1, 100, 100, 100},
	} {
		r := run(t, append(args, tt.more...)...)
		require.Equal(t, tt.status, r.status, r.err)
		var got struct{ Failures, Timeouts, Empty int }
		require.NoError(t, json.Unmarshal([]byte(r.out), &got))
		assert.Equal(t, tt.failures, got.Failures)
		assert.Equal(t, tt.timeouts, got.Timeouts)
		assert.Equal(t, tt.empty, got.Empty)
	}
	r := run(t, "bench", addr, "--file", messages, "--count", "400", "--error-var", "txn.error")
	assert.Contains(t, r.out, "100 failures, by the error variable (25 %)\n100 timeouts, by the error variable (25 %)\n100 ACKs without an action (25 %)\n")
	r = run(t, "bench", addr, "m", "--error-var", "error")
	assert.Equal(t, 2, r.status)
	assert.Contains(t, r.err, "write one such as txn.error")
}
