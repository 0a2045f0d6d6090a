//go:build unix

package main

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/fleet"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/gcra"
	"github.com/spoke-go/spoke/examples/rate-limit/internal/redistest"
	"github.com/spoke-go/spoke/internal/recipes"
)

// newLimiter returns a limiter with one limit, and the store's end.
func newLimiter(t *testing.T, addr string, deadline time.Duration) *limiter {
	t.Helper()
	config := defaults
	config.Agents = 3
	config.Redis.Address, config.Redis.Deadline = []string{addr}, deadline
	p := newPolicy(&config)
	l := &limiter{policy: func() *policy { return p }, log: slog.New(slog.DiscardHandler), refused: gcra.NewTable(1000), local: gcra.NewTable(1000)}
	l.store = fleet.New(config.Redis.client(nil), "probe", deadline, l.changed)
	var err error
	l.metrics, err = newMetrics(noop.Meter{}, l)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.store.Run(ctx) }() // the cleanup ends it and waits
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	return l
}

// Redis answers requests too late, after the agent counted its share. These answers change
// no data that other goroutines read: the race detector would report it.
func TestLateAnswers(t *testing.T) {
	server := redistest.Start(t)
	l := newLimiter(t, server.Addr, 5*time.Millisecond)
	recipes.Until(t, func() bool {
		_, err := l.store.Charge(nil)
		return err == nil
	}, func() string { return "Redis does not answer" })
	sources := map[string]int{}
	var mu sync.Mutex // guards sources
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			for n := range 200 {
				charges := []gcra.Charge{{Key: strconv.Itoa(i), Interval: 40, Burst: 1000, Cost: 1}}
				charged, ahead, source := l.charge(l.policy(), charges)
				assert.Len(t, ahead, 1)
				assert.Equal(t, source == fromLocal, charged[0].Interval != 40)
				mu.Lock()
				sources[source]++
				mu.Unlock()
				if i == 0 && n == 100 {
					server.Hang()
				}
			}
		})
	}
	running.Wait()
	t.Log(sources)
	assert.NotZero(t, sources[fromLocal])
}

// An answer is about the limit that lets the request wait longest, or is used up soonest.
func TestAnswer(t *testing.T) {
	const second = int64(time.Second / gcra.Tick)
	p := newPolicy(&Config{Limits: []Limit{{Name: "a", Rate: 10}, {Name: "b", Rate: 2}, {Name: "c", Rate: 1, DryRun: true}}})
	charges := []gcra.Charge{
		{Limit: 0, Interval: second, Burst: 10, Cost: 1},
		{Limit: 1, Interval: second, Burst: 2, Cost: 1},
		{Limit: 2, Interval: second, Burst: 1, Cost: 1, DryRun: true},
	}
	for _, tt := range []struct {
		name                    string
		ahead                   []int64 // in seconds
		allowed                 bool
		which                   string
		remaining, reset, retry int64
	}{
		{"fresh", []int64{0, 0, 0}, true, "b", 1, 1, 0},
		{"the other is nearer", []int64{9, 0, 0}, true, "a", 0, 10, 0},
		{"one refuses", []int64{0, 2, 0}, false, "b", 0, 2, 1},
		{"both refuse", []int64{15, 2, 0}, false, "a", 0, 15, 6},
		{"a dry run is over", []int64{0, 0, 1}, true, "b", 1, 1, 0},
	} {
		for i := range tt.ahead {
			tt.ahead[i] *= second
		}
		a := p.answer(charges, tt.ahead, fromRedis)
		assert.Equal(t, tt.allowed, a.Allowed, tt.name)
		assert.Equal(t, tt.which, *a.Which, tt.name)
		assert.Equal(t, []int64{tt.remaining, tt.reset, tt.retry}, []int64{*a.Remaining, *a.Reset, a.Retry}, tt.name)
		assert.Equal(t, `"a";q=10;w=1, "b";q=2;w=1`, a.Policy, tt.name)
	}
}
