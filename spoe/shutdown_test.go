package spoe_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// shutdown runs Shutdown and returns what it and the time it took will be.
func shutdown(a *spoe.Agent, limit time.Duration) <-chan time.Duration {
	took := make(chan time.Duration, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		start := time.Now()
		if a.Shutdown(ctx) != nil {
			took <- -1
			return
		}
		took <- time.Since(start)
	}()
	return took
}

func TestShutdownWithoutChecksIsQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.New(t, byName{"slow": sleeper(3 * time.Second)})
		id, err := h.Notify(t.Context(), spoetest.Msg("slow"))
		require.NoError(t, err)
		took := shutdown(h.Agent(), 30*time.Second)
		_, err = h.Ack(t.Context(), id)
		assert.NoError(t, err, "what was accepted is answered")
		d, err := h.ReadDisconnect(t.Context())
		assert.NoError(t, err)
		assert.Zero(t, d.Status)
		assert.Less(t, <-took, 4500*time.Millisecond, "the handler, a quiet moment and the linger")
	})
}

// While HAProxy has not seen its checks fail, everything is served.
func TestShutdownFailsChecksFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.New(t, byName{"m": set("x", 1)})
		check := func() error {
			c := h.Connect()
			defer c.Close()
			_, err := c.HealthCheck(t.Context())
			return err
		}
		require.NoError(t, check())
		time.Sleep(2 * time.Second)
		require.NoError(t, check())
		took := shutdown(h.Agent(), 30*time.Second)
		for range 4 { // fall, and one more
			time.Sleep(2 * time.Second)
			h.Ask("m")
			late := h.Dial(spoetest.DefaultHello())
			vars, err := late.Ask(t.Context(), "m")
			assert.NoError(t, err, "even on a new connection")
			assert.EqualValues(t, 1, vars.Int("txn.x"))
			late.Close()
			assert.Error(t, check())
		}
		_, err := h.ReadDisconnect(t.Context())
		assert.NoError(t, err)
		assert.InDelta(t, 8*time.Second, <-took, float64(1500*time.Millisecond))
		assert.EqualValues(t, 4, h.Agent().Stats().HealthChecksFailed)
	})
}

// A HAProxy that has stopped checking is not waited for.
func TestShutdownForgetsCheckers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.New(t, nothing)
		for range 2 {
			c := h.Connect()
			_, err := c.HealthCheck(t.Context())
			require.NoError(t, err)
			c.Close()
			time.Sleep(2 * time.Second)
		}
		h.Client.Close()
		assert.LessOrEqual(t, <-shutdown(h.Agent(), time.Minute), 8*time.Second)
	})
}

// ShutdownChecks has no value for unlimited; the largest number is one: Shutdown waits for
// half of its time.
func TestShutdownChecksWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing, ShutdownChecks: math.MaxInt, Logger: slog.New(slog.DiscardHandler)})
		_, err := h.Connect().HealthCheck(t.Context())
		require.NoError(t, err)
		h.Close()
		assert.Equal(t, 3*time.Second, <-shutdown(h.Agent(), 6*time.Second))
	})
}

// Shutdown may be called before the agent runs, by several goroutines, by a handler, and
// after the end.
func TestShutdownCalls(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		a := &spoe.Agent{Handler: nothing, Logger: slog.New(slog.DiscardHandler)}
		require.NoError(t, a.Shutdown(t.Context()))
		ln := spoetest.NewListener()
		assert.ErrorIs(t, a.Serve(ln), spoe.ErrAgentClosed)
		_, err := ln.DialContext(t.Context())
		assert.ErrorIs(t, err, net.ErrClosed)
	})
	t.Run("several", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := spoetest.New(t, byName{"slow": sleeper(3 * time.Second)})
			id, err := h.Notify(t.Context(), spoetest.Msg("slow"))
			require.NoError(t, err)
			synctest.Wait()
			all := []<-chan time.Duration{shutdown(h.Agent(), time.Minute), shutdown(h.Agent(), time.Hour), shutdown(h.Agent(), time.Minute)}
			_, err = h.Ack(t.Context(), id)
			require.NoError(t, err)
			h.Close()
			took := <-all[0]
			assert.InDelta(t, 3*time.Second, took, float64(time.Second))
			assert.Equal(t, took, <-all[1], "they wait for the same end")
			assert.Equal(t, took, <-all[2])
			assert.Zero(t, <-shutdown(h.Agent(), time.Minute))
		})
	})
	t.Run("several, one of them in a hurry", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := spoetest.New(t, byName{"hangs": untilOver})
			_, err := h.Notify(t.Context(), spoetest.Msg("hangs"))
			require.NoError(t, err)
			synctest.Wait()
			patient, hurried := shutdown(h.Agent(), time.Minute), shutdown(h.Agent(), time.Second)
			assert.Negative(t, <-hurried, "it runs out of time")
			assert.Equal(t, time.Second, <-patient, "and ends the agent for both")
		})
	})
	t.Run("by a handler", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var a *spoe.Agent
			h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(slog.DiscardHandler), Handler: byName{"end": func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
				ctx, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				return a.Shutdown(ctx)
			}}})
			a = h.Agent()
			_, err := h.Client.Ask(t.Context(), "end")
			assert.Error(t, err, "it waits for itself, until its time is over")
		})
	})
}

func TestShutdownRunsOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		h := spoetest.New(t, byName{"hang": func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		}})
		_, err := h.Notify(t.Context(), spoetest.Msg("hang"))
		require.NoError(t, err)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = h.Agent().Shutdown(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "spoe: shutdown ran out of time with 1 connections, 1 NOTIFYs in flight")
		assert.Equal(t, context.Canceled, <-ended, "the handler is told")
	})
}

// Run waits for what Message.Go has started.
func TestGoIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done bool
		h := spoetest.New(t, spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
			msg.Go(func(ctx context.Context) {
				time.Sleep(5 * time.Second)
				done = ctx.Err() == nil
			})
			return nil
		}))
		h.Ask("m")
		assert.InDelta(t, 5*time.Second, <-shutdown(h.Agent(), time.Minute), float64(time.Second))
		assert.True(t, done)
	})
}

// Handlers that heed nothing are left behind, and Run returns without them.
func TestCloseGivesHandlersUp(t *testing.T) {
	release := make(chan struct{})
	ln := spoetest.NewListener()
	a := &spoe.Agent{Handler: byName{"hang": func(context.Context, *spoe.Message, *spoe.Actions) error {
		<-release
		return nil
	}}}
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }()
	nc, err := ln.DialContext(t.Context())
	require.NoError(t, err)
	c := spoetest.NewClient(nc, time.Second)
	_, err = c.Handshake(t.Context(), spoetest.DefaultHello())
	require.NoError(t, err)
	_, err = c.Notify(t.Context(), spoetest.Msg("hang"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return a.Stats().InFlight == 1 }, eventually, tick)
	require.NoError(t, a.Close())
	select {
	case err := <-ended:
		assert.True(t, errors.Is(err, spoe.ErrAgentClosed))
	case <-time.After(eventually):
		t.Error("Run does not return")
	}
	close(release)
	c.Close()
}

// A HAProxy up to 3.0 that never pauses gets the DISCONNECT of a shutdown together
// with the ACKs of a full window: none of its NOTIFYs crosses it.
func TestShutdownWithFullWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing, Logger: slog.New(slog.DiscardHandler)})
		c := h.Dial(appletHello())
		took := shutdown(h.Agent(), time.Minute)
		time.Sleep(time.Millisecond)
		next, inFlight, answered, rounds := uint64(0), 0, 0, 0
		send := func(n int) {
			frames := make([]codec.Frame, n)
			for i := range frames {
				next++
				payload, err := spoetest.Payload(spoetest.Msg("m"))
				require.NoError(t, err)
				frames[i] = spoetest.NotifyFrame(spoetest.ID{Stream: next, Frame: 1}, payload)
			}
			require.NoError(t, c.WriteFrames(t.Context(), frames...))
			inFlight += n
		}
		for window := 3; ; window = 20 { // at first there is little to ask
			if rounds++; rounds > 10 {
				t.Fatal("the agent does not end")
			}
			send(window - inFlight)
			start := time.Now()
			for inFlight > 0 {
				f, err := c.Next(t.Context())
				require.NoError(t, err)
				require.Equal(t, codec.FrameAck, f.Type)
				inFlight, answered = inFlight-1, answered+1
			}
			assert.LessOrEqual(t, time.Since(start), 40*time.Millisecond, "an ACK is held back for so long at most")
			if window == 20 {
				break
			}
		}
		last := time.Now()
		_, err := c.ReadDisconnect(t.Context())
		require.NoError(t, err)
		assert.Zero(t, time.Since(last), "it comes with the ACKs")
		assert.EqualValues(t, next, answered)
		c.Close()
		assert.Less(t, <-took, 10*time.Second)
	})
}
