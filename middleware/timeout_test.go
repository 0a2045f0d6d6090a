package middleware_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
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

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got error
		see := func(next spoe.Handler) spoe.Handler {
			return handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				got = next.ServeSPOE(ctx, msg, acts)
				return got
			})
		}
		h := spoetest.NewAgent(t, quiet(spoe.Chain(waits, see, middleware.Timeout(20*time.Millisecond))))
		start := time.Now()
		assert.Equal(t, "", h.Ask("wait").String())
		assert.Equal(t, 20*time.Millisecond, time.Since(start))
		synctest.Wait()
		assert.ErrorIs(t, got, spoe.ErrTimeout)
		assert.ErrorIs(t, got, context.DeadlineExceeded)
	})
}

// TestTimeoutUnderLoad: handlers that ignore their context, some of them for long after
// their ACK, on many connections at once. Each NOTIFY is acknowledged in time, with its own
// result or none: the variables of a late handler reach no ACK, not even one of the same
// stream-id.
func TestTimeoutUnderLoad(t *testing.T) {
	const (
		conns, streams, rounds = 8, 16, 25
		limit                  = 20 * time.Millisecond
	)
	synctest.Test(t, func(t *testing.T) {
		var late, inTime atomic.Int64
		r := router.New()
		r.ErrorVar(spoe.VarScopeTransaction, "error")
		r.Use(middleware.Default(limit))
		r.HandleRaw("sleep", spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			arg := func(name string) int64 {
				v, _ := msg.Args.Lookup(name)
				n, _ := v.Int()
				return n
			}
			id, ms := arg("id"), arg("ms")
			if err := acts.SetInt(spoe.VarScopeTransaction, "before", id); err != nil {
				return err
			}
			time.Sleep(time.Duration(ms) * time.Millisecond)
			assert.Equal(t, id, arg("id"), "a late handler's message is still its own")
			return acts.SetInt(spoe.VarScopeTransaction, "after", id)
		}))
		h := spoetest.NewAgent(t, quiet(r))
		var all sync.WaitGroup
		for c := range conns {
			client := h.Dial(spoetest.DefaultHello())
			for s := range streams {
				all.Go(func() {
					for round := range rounds {
						// Up to 3.0, HAProxy uses a stream-id again at once.
						id := spoetest.ID{Stream: uint64(s), Frame: uint64(round + 1)}
						unique := int64(c)<<32 | int64(s)<<16 | int64(round)
						ms := rand.IntN(60)
						if ms == 20 {
							ms = 21 // either would be right
						}
						start := time.Now()
						err := client.NotifyAs(t.Context(), id, spoetest.Msg("sleep", spoetest.Arg("id", unique), spoetest.Arg("ms", ms)))
						if !assert.NoError(t, err) {
							return
						}
						ack, err := client.Ack(t.Context(), id)
						if !assert.NoError(t, err) {
							return
						}
						took := time.Since(start)
						vars, err := ack.Vars()
						assert.NoError(t, err)
						want := "txn.error=timeout"
						wait := limit
						if ms < 20 {
							want = fmt.Sprintf("txn.before=%d txn.after=%d", unique, unique)
							wait = time.Duration(ms) * time.Millisecond
							inTime.Add(1)
						} else {
							late.Add(1)
						}
						assert.Equal(t, want, vars.String())
						assert.Equal(t, wait, took, "the time is the bubble's: to the nanosecond")
					}
				})
			}
		}
		all.Wait()
		time.Sleep(time.Second) // the last handlers return
		s := h.Agent().Stats()
		assert.EqualValues(t, conns*streams*rounds, s.Acks)
		assert.EqualValues(t, late.Load(), s.Timeouts)
		assert.Zero(t, s.Late)
		assert.NotZero(t, late.Load())
		assert.NotZero(t, inTime.Load())
	})
}

// TestTimeoutInRealTime is the same against the clock of this machine: the ACKs come while
// the handlers hang.
func TestTimeoutInRealTime(t *testing.T) {
	release := make(chan struct{})
	h := spoetest.NewAgent(t, quiet(middleware.Timeout(50*time.Millisecond)(handlerFunc(
		func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
			<-release
			return acts.SetBool(spoe.VarScopeTransaction, "late", true)
		}))))
	defer close(release)
	var all sync.WaitGroup
	for range 4 {
		client := h.Dial(spoetest.DefaultHello())
		for range 16 {
			all.Go(func() {
				vars, err := client.Ask(t.Context(), "hang")
				assert.NoError(t, err)
				assert.Equal(t, "", vars.String())
			})
		}
	}
	all.Wait()
	require.EqualValues(t, 64, h.Agent().Stats().Timeouts)
}

func ExampleTimeout() {
	handler := middleware.Timeout(20 * time.Millisecond)(spoe.HandlerFunc(
		func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			if msg.Name == "slow" {
				time.Sleep(100 * time.Millisecond) // whether it heeds its context or not
			}
			return acts.SetInt(spoe.VarScopeSession, "ip_score", 90)
		}))

	ask(&spoe.Agent{Handler: handler, Logger: slog.New(slog.DiscardHandler)}, "ip-rep", "slow")
	// Output:
	// ip-rep: sess.ip_score=90
	// slow:
}
