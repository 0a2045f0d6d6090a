package spoe_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// sleeper sleeps without a look at its context, then sets a variable.
func sleeper(d time.Duration) handlerFunc {
	return func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		time.Sleep(d)
		return acts.SetInt(spoe.VarScopeTransaction, "slept", 1)
	}
}

func TestAckLeavesAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reason error
		h := spoetest.New(t, byName{
			"first": set("first", 1),
			"late": func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				msg.OnFailure(func(err error, acts *spoe.Actions) {
					reason = err
					acts.SetString(spoe.VarScopeTransaction, "error", "late")
				})
				return within(20*time.Millisecond, sleeper(time.Second))(ctx, msg, acts)
			},
			"last": set("last", 1),
		})
		start := time.Now()
		got := h.AskAll(spoetest.Msg("first"), spoetest.Msg("late"), spoetest.Msg("last"))
		assert.Equal(t, 20*time.Millisecond, time.Since(start))
		assert.Equal(t, "txn.first=1 txn.error=late", got.String(), "what came before stays, what was to come does not")
		assert.ErrorIs(t, reason, spoe.ErrTimeout)
		assert.ErrorIs(t, reason, context.DeadlineExceeded)
		s := h.Agent().Stats()
		assert.EqualValues(t, 1, s.Late)
		assert.EqualValues(t, 1, s.Timeouts)
		assert.Zero(t, s.InFlight)

		got = h.Ask("first")
		assert.Equal(t, "txn.first=1", got.String())
		time.Sleep(2 * time.Second)
		assert.Zero(t, h.Agent().Stats().Late)
		assert.EqualValues(t, 2, h.Agent().Stats().Acks, "and no second ACK came of it")
	})
}

func TestServeWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ctxErr, err error
		var took time.Duration
		run := func(outer, inner time.Duration) handlerFunc {
			return within(outer, func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				err = msg.ServeWithin(ctx, inner, spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, _ *spoe.Actions) error {
					end, ok := ctx.Deadline()
					assert.True(t, ok)
					assert.WithinDuration(t, msg.ReceivedAt().Add(min(outer, inner)), end, 0)
					<-ctx.Done()
					ctxErr, took = ctx.Err(), time.Since(msg.ReceivedAt())
					return ctx.Err()
				}), acts)
				return err
			})
		}
		h := spoetest.New(t, byName{"inner": run(time.Second, 10*time.Millisecond), "outer": run(10*time.Millisecond, time.Second)})
		for _, name := range []string{"inner", "outer"} {
			start := time.Now()
			h.Ask(name)
			assert.Equal(t, 10*time.Millisecond, time.Since(start), name)
			synctest.Wait()
			assert.Equal(t, context.DeadlineExceeded, ctxErr, name)
			assert.Equal(t, 10*time.Millisecond, took, name)
		}
	})
}

// A deadline below a context that is not the agent's own has a context of its own.
func TestServeWithinBelowAnotherContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		const d = 10 * time.Millisecond
		h := spoetest.New(t, spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			ctx = context.WithValue(ctx, key{}, "value")
			return within(d, func(ctx context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				end, ok := ctx.Deadline()
				assert.True(t, ok)
				assert.WithinDuration(t, msg.ReceivedAt().Add(d), end, 0)
				assert.Equal(t, "value", ctx.Value(key{}))
				<-ctx.Done()
				assert.Equal(t, context.DeadlineExceeded, ctx.Err())
				return nil
			})(ctx, msg, acts)
		}))
		start := time.Now()
		h.Ask("m")
		assert.Equal(t, d, time.Since(start))
		synctest.Wait()
	})
}

// The error is that of the handler, and an ErrTimeout where the handler was late.
func TestServeWithinError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		const d = 10 * time.Millisecond
		boom := errors.New("boom")
		for _, tt := range []struct {
			name  string
			below bool // a context that is not the engine's own
			took  time.Duration
			err   error
			late  bool
		}{
			{name: "in time"},
			{name: "in time, failed", err: boom},
			{name: "late", took: 2 * d, late: true},
			{name: "late, failed", took: 2 * d, err: boom, late: true},
			{name: "below another context, in time", below: true},
			{name: "below another context, failed", below: true, err: boom},
			{name: "below another context, late", below: true, took: 2 * d, late: true},
			{name: "below another context, late, failed", below: true, took: 2 * d, err: boom, late: true},
		} {
			got := make(chan error, 1)
			h := spoetest.New(t, spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				if tt.below {
					ctx = context.WithValue(ctx, key{}, "value")
				}
				got <- within(d, func(context.Context, *spoe.Message, *spoe.Actions) error {
					time.Sleep(tt.took)
					return tt.err
				})(ctx, msg, acts)
				return nil
			}))
			h.Ask("m")
			err := <-got
			assert.Equal(t, tt.late, errors.Is(err, spoe.ErrTimeout), "%s: %v", tt.name, err)
			assert.Equal(t, tt.err != nil, errors.Is(err, boom), "%s: %v", tt.name, err)
			assert.Equal(t, tt.late || tt.err != nil, err != nil, tt.name)
		}
	})
}

func TestContextAfterTheHandler(t *testing.T) {
	var kept context.Context
	boom := errors.New("boom")
	h := spoetest.New(t, byName{
		"kept": within(20*time.Second, func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
			kept = ctx
			assert.NoError(t, ctx.Err())
			return boom
		}),
	})
	h.Ask("kept")
	assert.Equal(t, context.Canceled, kept.Err())
	<-kept.Done()
	for range 100 {
		h.Ask("other")
	}
	assert.Equal(t, context.Canceled, kept.Err(), "it is used for one message only")
}

// NotifyTimeout holds for a handler that has no deadline of its own, and its
// context ends too.
func TestNotifyTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Duration, 1)
		h := spoetest.NewAgent(t, &spoe.Agent{NotifyTimeout: 800 * time.Millisecond, Handler: byName{
			"hang": func(ctx context.Context, msg *spoe.Message, _ *spoe.Actions) error {
				<-ctx.Done()
				ended <- time.Since(msg.ReceivedAt())
				return nil
			},
		}})
		start := time.Now()
		h.Ask("hang")
		assert.Equal(t, 800*time.Millisecond, time.Since(start))
		assert.LessOrEqual(t, <-ended, 900*time.Millisecond)
	})
}

// Late handlers beyond MaxLateHandlers hold back pressure, and no more.
func TestMaxLateHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := spoetest.NewAgent(t, &spoe.Agent{MaxInFlight: 1, MaxLateHandlers: 1, Handler: byName{
			"hang": within(10*time.Millisecond, func(context.Context, *spoe.Message, *spoe.Actions) error {
				<-release
				return nil
			}),
			"set": set("x", 1),
		}})
		h.Ask("hang") // late, but within MaxLateHandlers
		assert.Equal(t, "txn.x=1", h.Ask("set").String())
		h.Ask("hang") // late, and holds the only place in flight
		assert.EqualValues(t, 2, h.Agent().Stats().Late)
		id, err := h.Notify(t.Context(), spoetest.Msg("set"))
		require.NoError(t, err)
		time.Sleep(time.Minute / 10)
		assert.EqualValues(t, 3, h.Agent().Stats().Acks, "the third waits")
		close(release)
		_, err = h.Ack(t.Context(), id)
		assert.NoError(t, err)
		synctest.Wait()
		assert.Zero(t, h.Agent().Stats().Late)
	})
}
