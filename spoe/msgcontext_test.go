package spoe_test

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// A handler's context that is kept has ended for ever, however many messages
// follow it, and whether its Done was called in time or not.
func TestKeptContexts(t *testing.T) {
	var mu sync.Mutex // guards kept
	var kept []context.Context
	n := 0
	keep := func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
		mu.Lock()
		defer mu.Unlock()
		assert.NoError(t, ctx.Err(), "its own message is not over")
		deadline, ok := ctx.Deadline()
		assert.True(t, ok)
		assert.Greater(t, time.Until(deadline), 10*time.Second)
		if n++; n%3 == 0 {
			select {
			case <-ctx.Done():
				t.Error("Done is closed while the handler runs")
			default:
			}
		}
		if n%5 == 0 {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			kept = append(kept, child)
		}
		kept = append(kept, ctx)
		return nil
	}
	h := spoetest.New(t, byName{"m": keep})
	for range 1000 {
		_, err := h.Client.AskAll(t.Context(), spoetest.Msg("m"), spoetest.Msg("m"))
		require.NoError(t, err)
	}
	runtime.GC()
	mu.Lock()
	defer mu.Unlock()
	for _, ctx := range kept {
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		select {
		case <-ctx.Done():
		default:
			t.Fatal("Done is open")
		}
		ran := make(chan struct{})
		context.AfterFunc(ctx, func() { close(ran) })
		<-ran
		require.ErrorIs(t, context.Cause(ctx), context.Canceled)
		require.Nil(t, ctx.Value("key"))
	}
}

// The context of a message that was late says so for ever.
func TestKeptContextOfLateMessage(t *testing.T) {
	kept := make(chan context.Context, 1)
	h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(slog.DiscardHandler), Handler: byName{
		"late": within(time.Millisecond, func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
			for ctx.Err() == nil {
				runtime.Gosched()
			}
			kept <- ctx
			return nil
		}),
		"m": nothing.ServeSPOE,
	}})
	_, err := h.Client.Ask(t.Context(), "late")
	require.NoError(t, err)
	ctx := <-kept
	for range 100 {
		_, err := h.Client.Ask(t.Context(), "m")
		require.NoError(t, err)
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	}
}

// Contexts that are watched by other goroutines while their messages end, and the
// next ones begin, never mistake one for the other.
func TestContextsWatchedFromElsewhere(t *testing.T) {
	var running sync.WaitGroup
	h := spoetest.New(t, byName{"m": func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
		running.Go(func() { // ends with ctx
			for range 3 {
				_ = ctx.Err()
				runtime.Gosched()
			}
			<-ctx.Done()
			if ctx.Err() == nil {
				t.Error("Done is closed before Err says why")
			}
		})
		if ctx.Err() != nil {
			t.Error("the message's context ended with another one")
		}
		return nil
	}})
	for range 3000 {
		_, err := h.Client.Notify(t.Context(), spoetest.Msg("m"))
		require.NoError(t, err)
		_, err = h.Client.AnyAck(t.Context())
		require.NoError(t, err)
	}
	running.Wait()
}
