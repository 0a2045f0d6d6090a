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

// A handler finds in a message what its NOTIFY and its connection say.
func TestMessageTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		called := false
		h := spoetest.New(t, spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			called = true
			for _, m := range []*spoe.Message{msg, msg.Clone(), msg.Fork()} {
				assert.Equal(t, "m", m.Name)
				assert.EqualValues(t, 7, m.StreamID())
				assert.EqualValues(t, 9, m.FrameID())
				assert.NotEmpty(t, m.EngineID())
				assert.Equal(t, "haproxy", m.Peer().String())
				assert.Equal(t, start, m.ReceivedAt())
				assert.Equal(t, 2, m.Args.Len())
				raw := m.Args.Raw()
				assert.Equal(t, 2, raw.Len())
			}
			assert.True(t, msg.Args.Next())
			assert.Equal(t, 1, msg.Args.Count())
			assert.Equal(t, 2, msg.Clone().Args.Count(), "a copy's arguments are unread")
			return nil
		}))
		id := spoetest.ID{Stream: 7, Frame: 9}
		require.NoError(t, h.NotifyAs(t.Context(), id, spoetest.Msg("m", spoetest.Arg("a", 1), spoetest.Arg("b", "two"))))
		_, err := h.Client.Ack(t.Context(), id)
		require.NoError(t, err)
		assert.True(t, called)
	})
}

// A message that no agent received, as a test of a handler has it, works as the agent's do.
func TestMessageWithoutAnAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const d = 10 * time.Millisecond
		boom := errors.New("boom")
		msg, err := spoetest.NewMessage("m", spoetest.Arg("a", 1))
		require.NoError(t, err)
		assert.Equal(t, time.Now(), msg.ReceivedAt())
		assert.Nil(t, msg.Peer())
		assert.Equal(t, 1, msg.Args.Count())

		assert.Nil(t, msg.FailureHook())
		msg.OnFailure(setsError)
		acts := new(spoe.Actions)
		msg.FailureHook()(boom, acts)
		assert.Equal(t, 1, acts.Len())

		reported := false
		msg.Report(func() { reported = true })
		assert.True(t, reported)

		ran := make(chan error, 1)
		msg.Go(func(ctx context.Context) {
			time.Sleep(time.Hour)
			ran <- ctx.Err()
		})

		serve := func(took time.Duration, fails error) (err, end error) {
			err = msg.ServeWithin(t.Context(), d, spoe.HandlerFunc(func(ctx context.Context, got *spoe.Message, _ *spoe.Actions) error {
				assert.Same(t, msg, got)
				at, ok := ctx.Deadline()
				assert.True(t, ok)
				assert.Equal(t, d, time.Until(at))
				time.Sleep(took)
				end = ctx.Err()
				return fails
			}), acts)
			return err, end
		}
		err, end := serve(0, nil)
		assert.NoError(t, err)
		assert.NoError(t, end)
		err, _ = serve(0, boom)
		assert.Equal(t, boom, err)
		err, end = serve(2*d, boom)
		assert.ErrorIs(t, err, spoe.ErrTimeout)
		assert.ErrorIs(t, err, boom)
		assert.Equal(t, context.DeadlineExceeded, end)
		assert.NoError(t, <-ran, "no end comes without an agent")
	})
}
