package middleware_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
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

// sleeps takes a second, and counts how many do so at once.
type sleeps struct{ now, most atomic.Int64 }

func (s *sleeps) ServeSPOE(ctx context.Context, _ *spoe.Message, acts *spoe.Actions) error {
	now := s.now.Add(1)
	defer s.now.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	return acts.SetBool(spoe.VarScopeTransaction, "done", true)
}

// askAtOnce asks n times at once and returns the answers, by how many.
func askAtOnce(t *testing.T, h *spoetest.Engine, n int) map[string]int {
	var mu sync.Mutex
	got := map[string]int{}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			vars, err := h.Client.Ask(t.Context(), "m")
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			got[vars.String()]++
		})
	}
	all.Wait()
	return got
}

func TestLimitSheds(t *testing.T) {
	for name, c := range map[string]struct {
		variable, want string
		errors         uint64
	}{
		"as a failure":   {"", "txn.error=error: middleware: too many messages are being handled", 7},
		"with an answer": {"txn.overloaded", "txn.overloaded=true", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, work := newMeters(t), new(sleeps)
				r := router.New()
				r.ErrorVar(spoe.VarScopeTransaction, "error")
				r.Use(middleware.Limit(3, middleware.LimitConfig{Var: c.variable, MeterProvider: m}))
				r.HandleRaw("m", work)
				h := spoetest.NewAgent(t, quiet(r))
				start := time.Now()
				assert.Equal(t, map[string]int{"txn.done=true": 3, c.want: 7}, askAtOnce(t, h, 10))
				assert.Equal(t, time.Second, time.Since(start))
				assert.EqualValues(t, 3, work.most.Load())
				assert.Equal(t, map[string]int64{"rpc.method=m spop.drop.reason=shed": 7}, m.sums(dropped))
				assert.Equal(t, c.errors, h.Agent().Stats().Errors)
				assert.Equal(t, map[string]int{"txn.done=true": 3}, askAtOnce(t, h, 3), "the places are free again")
			})
		})
	}
}

// TestLimitWaits: a message gets a place that becomes free in time.
// TestLimitOfLargeMessages: small messages pass while large ones have all places.
func TestLimitOfLargeMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(sleeps)
		h := spoetest.New(t, spoe.Chain(s, middleware.Limit(1, middleware.LimitConfig{MinBytes: 1008})))
		large := spoetest.Arg("body", strings.Repeat("x", 1000)) // 1008 bytes with its name and type
		first, err := h.Client.Notify(t.Context(), spoetest.Msg("m", large))
		require.NoError(t, err)
		synctest.Wait()
		assert.Empty(t, h.Ask("m", large), "no place")
		assert.Equal(t, "txn.done=true", h.Ask("m", spoetest.Arg("body", strings.Repeat("x", 999))).String())
		_, err = h.Client.Ack(t.Context(), first)
		assert.NoError(t, err)
		assert.EqualValues(t, 2, s.most.Load())
	})
}

// TestLimitOfMessagesWithArguments: MinBytes 1 rejects no message without arguments.
func TestLimitOfMessagesWithArguments(t *testing.T) {
	taken, leave := make(chan struct{}), make(chan struct{})
	h := middleware.Limit(1, middleware.LimitConfig{MinBytes: 1})(byName{"first": handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
		close(taken)
		<-leave
		return nil
	}), "m": setInt("ok", 1)})
	var first sync.WaitGroup
	first.Go(func() {
		assert.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "first", spoetest.Arg("a", true)), new(spoe.Actions)))
	})
	<-taken
	assert.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	assert.ErrorIs(t, h.ServeSPOE(t.Context(), newMessage(t, "m", spoetest.Arg("a", nil)), new(spoe.Actions)), middleware.ErrShed)
	close(leave)
	first.Wait()
}

// watchedContext counts the functions that wait for its end.
type watchedContext struct {
	context.Context
	done    chan struct{}
	waiting atomic.Int64
}

func (c *watchedContext) Done() <-chan struct{} { return c.done }

func (c *watchedContext) AfterFunc(func()) (stop func() bool) {
	c.waiting.Add(1)
	return func() bool { c.waiting.Add(-1); return true }
}

// TestLimitWaitIsOver: a message that got a place leaves nothing behind in its context.
func TestLimitWaitIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := middleware.Limit(1, middleware.LimitConfig{Wait: time.Hour})(new(sleeps))
		var first sync.WaitGroup
		first.Go(func() { assert.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions))) })
		synctest.Wait()
		ctx := &watchedContext{Context: t.Context(), done: make(chan struct{})}
		require.NoError(t, h.ServeSPOE(ctx, newMessage(t, "m"), new(spoe.Actions)))
		assert.Zero(t, ctx.waiting.Load())
		first.Wait()
	})
}

func TestLimitWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := new(sleeps)
		h := spoetest.NewAgent(t, quiet(middleware.Limit(2, middleware.LimitConfig{Wait: 1500 * time.Millisecond, Var: "txn.shed"})(work)))
		start := time.Now()
		assert.Equal(t, map[string]int{"txn.done=true": 4, "txn.shed=true": 3}, askAtOnce(t, h, 7))
		assert.Equal(t, 2*time.Second, time.Since(start))
		assert.EqualValues(t, 2, work.most.Load())
	})
}

// TestLimitWaitEndsWithTheContext: whose deadline ends while waiting was late,
// not shed.
func TestLimitWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []error
		var mu sync.Mutex
		see := func(next spoe.Handler) spoe.Handler {
			return handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				err := next.ServeSPOE(ctx, msg, acts)
				mu.Lock()
				defer mu.Unlock()
				got = append(got, err)
				return err
			})
		}
		h := spoetest.NewAgent(t, quiet(spoe.Chain(waits, see, middleware.Timeout(100*time.Millisecond),
			middleware.Limit(1, middleware.LimitConfig{Wait: time.Hour, Var: "txn.shed"}))))
		start := time.Now()
		assert.Equal(t, map[string]int{"": 3}, askAtOnce(t, h, 3))
		assert.Equal(t, 100*time.Millisecond, time.Since(start))
		synctest.Wait()
		require.Len(t, got, 3)
		for _, err := range got {
			assert.ErrorIs(t, err, spoe.ErrTimeout)
		}
	})
}

// TestLimitAcrossRoutes: one Limit bounds all that it wraps.
func TestLimitAcrossRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := router.New()
		r.Use(middleware.Limit(1, middleware.LimitConfig{Var: "txn.shed"}))
		r.HandleRaw("slow", new(sleeps))
		r.HandleRaw("other", setInt("ok", 1))
		h := spoetest.NewAgent(t, quiet(r))
		_, err := h.Notify(t.Context(), spoetest.Msg("slow"))
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, "txn.shed=true", h.Ask("other").String())
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, "txn.ok=1", h.Ask("other").String())
	})
}

func ExampleLimit() {
	limit := middleware.Limit(1, middleware.LimitConfig{Wait: time.Millisecond,
		Var: "txn.overloaded", // http-request deny deny_status 503 if { var(txn.iprep.overloaded) -m bool }
	})
	// This is a busy service: its only place is taken.
	busy, free := make(chan struct{}), make(chan struct{})
	go limit(spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
		close(busy)
		<-free
		return nil
	})).ServeSPOE(context.Background(), &spoe.Message{}, nil)
	<-busy
	defer close(free)

	handler := limit(spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		return acts.SetInt(spoe.VarScopeSession, "ip_score", 90)
	}))
	ask(&spoe.Agent{Handler: handler, Logger: slog.New(slog.DiscardHandler)}, "ip-rep")
	// Output:
	// ip-rep: txn.overloaded=true
}
