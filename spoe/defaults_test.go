package spoe_test

import (
	"context"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// untilClosed returns how long the agent keeps a connection open, after f.
func untilClosed(t *testing.T, c *spoetest.Client, f func()) time.Duration {
	t.Helper()
	f()
	start := time.Now()
	_, err := io.Copy(io.Discard, c.Conn())
	require.NoError(t, err)
	return time.Since(start)
}

// TestDefaultTimeouts: the times in the comments of the Agent's fields.
func TestDefaultTimeouts(t *testing.T) {
	for name, tt := range map[string]struct {
		want time.Duration
		f    func(t *testing.T, h *spoetest.Engine) time.Duration
	}{
		"hello": {10 * time.Second, func(t *testing.T, h *spoetest.Engine) time.Duration {
			return untilClosed(t, h.Connect(), func() {})
		}},
		"read": {10 * time.Second, func(t *testing.T, h *spoetest.Engine) time.Duration {
			return untilClosed(t, h.Client, func() {
				require.NoError(t, h.Client.Write(t.Context(), []byte{0, 0, 0, 100, 3}))
			})
		}},
		"idle": {10 * time.Minute, func(t *testing.T, h *spoetest.Engine) time.Duration {
			return untilClosed(t, h.Client, func() { h.Ask("m") })
		}},
		"notify": {30 * time.Second, func(t *testing.T, h *spoetest.Engine) time.Duration {
			start := time.Now()
			_, err := h.Client.Notify(t.Context(), spoetest.Msg("waits"))
			require.NoError(t, err)
			var b [1]byte
			_, err = h.Client.Conn().Read(b[:])
			require.NoError(t, err)
			return time.Since(start)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(slog.DiscardHandler), Handler: byName{"waits": untilOver}})
				got := tt.f(t, h)
				assert.GreaterOrEqual(t, got, tt.want)
				assert.Less(t, got, tt.want+time.Second)
			})
		})
	}
}

// untilOver is a handler that waits for the end of its context.
func untilOver(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestDefaultShutdownTimeout: Run gives handlers 30 seconds.
func TestDefaultShutdownTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &spoe.Agent{NotifyTimeout: time.Hour, Logger: slog.New(slog.DiscardHandler), Handler: byName{"waits": untilOver}}
		l := spoetest.NewListener()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx, l) }() // ends with ctx
		conn, err := l.DialContext(t.Context())
		require.NoError(t, err)
		c := spoetest.NewClient(conn, time.Hour)
		_, err = c.Handshake(t.Context(), spoetest.DefaultHello())
		require.NoError(t, err)
		_, err = c.Notify(t.Context(), spoetest.Msg("waits"))
		require.NoError(t, err)
		synctest.Wait()
		start := time.Now()
		cancel()
		<-ended
		assert.GreaterOrEqual(t, time.Since(start), 30*time.Second)
		assert.Less(t, time.Since(start), 31*time.Second)
		_ = c.Close()
	})
}

// TestDefaultBounds: the numbers in the comments of the Agent's fields.
func TestDefaultBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		end := make(chan struct{})
		h := spoetest.NewAgent(t, &spoe.Agent{NotifyTimeout: time.Hour, Handler: byName{
			"waits": func(context.Context, *spoe.Message, *spoe.Actions) error {
				running.Add(1)
				<-end
				return nil
			},
			"m": func(context.Context, *spoe.Message, *spoe.Actions) error { return nil },
		}})
		// MaxInFlight
		for range 300 {
			_, err := h.Client.Notify(t.Context(), spoetest.Msg("waits"))
			require.NoError(t, err)
		}
		synctest.Wait()
		assert.EqualValues(t, 256, running.Load())
		close(end)
		// MaxFrameSize
		hello := spoetest.DefaultHello()
		hello.MaxFrameSize = 2 << 20
		c := h.Dial(hello)
		assert.EqualValues(t, 1<<20, c.AgentHello().MaxFrameSize)
		// MaxPayload
		long := spoetest.Arg("a", strings.Repeat("x", 4<<20-100))
		id, err := c.NotifyFragments(t.Context(), 1<<19, spoetest.Msg("m", long))
		require.NoError(t, err)
		ack, err := c.Ack(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, codec.FlagFIN, ack.Flags)
		id, err = c.NotifyFragments(t.Context(), 1<<19, spoetest.Msg("m", long, long))
		require.NoError(t, err)
		ack, err = c.Ack(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, codec.FlagFIN|codec.FlagABORT, ack.Flags)
		// MaxMessages
		msgs := make([]spoetest.Message, 1025)
		for i := range msgs {
			msgs[i] = spoetest.Msg("m")
		}
		_, err = c.AskAll(t.Context(), msgs[1:]...)
		require.NoError(t, err)
		_, err = c.Notify(t.Context(), msgs...)
		require.NoError(t, err)
		d, err := c.ReadDisconnect(t.Context())
		require.NoError(t, err)
		assert.Equal(t, codec.StatusNoResource, d.Status)
	})
}

// TestLenOfResults: Len counts the actions of a result as well.
func TestLenOfResults(t *testing.T) {
	type result struct {
		A int `spoe:"a"`
		B int `spoe:"b"`
	}
	enc, err := codec.EncoderOf(reflect.TypeFor[result]())
	require.NoError(t, err)
	h := spoetest.New(t, byName{"m": func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
		assert.Zero(t, acts.Len())
		require.NoError(t, acts.SetInt(spoe.VarScopeTransaction, "c", 1))
		assert.Equal(t, 1, acts.Len())
		require.NoError(t, acts.SetResult(enc, &result{}))
		assert.Equal(t, 3, acts.Len())
		require.NoError(t, acts.SetInt(spoe.VarScopeTransaction, "d", 1))
		assert.Equal(t, 4, acts.Len())
		acts.Reset()
		assert.Zero(t, acts.Len())
		return nil
	}})
	h.Ask("m")
}
