package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// counted is a handler that takes a second, and counts its calls.
func counted(calls *atomic.Int64) handlerFunc {
	return func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		n := calls.Add(1)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		ip, _ := msg.Args.Lookup("ip")
		return errors.Join(
			acts.SetString(spoe.VarScopeTransaction, "ip", ip.Str()),
			acts.SetInt(spoe.VarScopeTransaction, "call", n),
			acts.UnsetVar(spoe.VarScopeTransaction, "old"))
	}
}

func TestCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		h := spoetest.NewAgent(t, quiet(middleware.Coalesce(middleware.KeyArgs("ip"))(counted(&calls))))
		start := time.Now()
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				ip := fmt.Sprint("192.0.2.", i%2)
				vars, err := h.Client.Ask(t.Context(), "m", spoetest.Arg("ip", ip), spoetest.Arg("id", i))
				assert.NoError(t, err)
				assert.Equal(t, ip, vars.Str("txn.ip"))
				assert.True(t, vars.Unset("txn.old"))
			})
		}
		all.Wait()
		assert.EqualValues(t, 2, calls.Load(), "one for each address")
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, "txn.ip=192.0.2.1 txn.call=3 unset(txn.old)", h.Ask("m", spoetest.Arg("ip", "192.0.2.1")).String(), "nothing is kept")
	})
}

// TestCoalesceTellsApart names, values and types; without a key nothing is
// shared.
func TestCoalesceTellsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		h := middleware.Coalesce(middleware.KeyFunc(func(b []byte, msg *spoe.Message) []byte {
			if _, ok := msg.Args.Lookup("private"); ok {
				return nil
			}
			return append(b, msg.Args.Raw().Raw()...)
		}))(counted(&calls))
		private := spoetest.Arg("private", true)
		var all sync.WaitGroup
		for _, msg := range []*spoe.Message{
			newMessage(t, "a", spoetest.Arg("ip", "1")), newMessage(t, "a", spoetest.Arg("ip", "1")),
			newMessage(t, "b", spoetest.Arg("ip", "1")), newMessage(t, "a", spoetest.Arg("ip", 1)),
			newMessage(t, "a", spoetest.Arg("ip", "2")), newMessage(t, "a"),
			newMessage(t, "a", private), newMessage(t, "a", private),
		} {
			all.Go(func() { assert.NoError(t, h.ServeSPOE(t.Context(), msg, new(spoe.Actions))) })
		}
		all.Wait()
		assert.EqualValues(t, 7, calls.Load())
	})
}

// TestCoalesceLeaving: a caller that stops waiting, the first one too, ends the wait of no
// other; after the last one the handler's context ends, and the next message calls the
// handler again.
func TestCoalesceLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, ended atomic.Int64
		work := counted(&calls)
		h := middleware.Coalesce(middleware.KeyArgs())(handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			err := work(ctx, msg, acts)
			if errors.Is(err, context.Canceled) {
				ended.Add(1)
			}
			return err
		}))
		ask := func(ctx context.Context) <-chan error {
			got := make(chan error, 1)
			go func() { got <- h.ServeSPOE(ctx, newMessage(t, "m"), new(spoe.Actions)) }() // ends by then
			synctest.Wait()
			return got
		}
		firstCtx, leave := context.WithCancel(t.Context())
		first, second := ask(firstCtx), ask(t.Context())
		leave()
		assert.ErrorIs(t, <-first, context.Canceled)
		assert.NoError(t, <-second)
		assert.EqualValues(t, 1, calls.Load())
		assert.Zero(t, ended.Load())

		bothCtx, leave := context.WithCancel(t.Context())
		first, second = ask(bothCtx), ask(bothCtx)
		leave()
		assert.ErrorIs(t, <-first, context.Canceled)
		assert.ErrorIs(t, <-second, context.Canceled)
		third := ask(t.Context())
		assert.EqualValues(t, 1, ended.Load())
		assert.NoError(t, <-third)
		assert.EqualValues(t, 3, calls.Load())
	})
}

// TestCoalesceAfterLeaving: after the last caller has left, the next message calls the
// handler again, even if the old call ignores its context.
func TestCoalesceAfterLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		h := middleware.Coalesce(middleware.KeyArgs())(handlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error {
			calls.Add(1)
			time.Sleep(time.Second)
			return nil
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, h.ServeSPOE(ctx, newMessage(t, "m"), new(spoe.Actions)), context.DeadlineExceeded)
		start := time.Now()
		assert.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
		assert.Equal(t, time.Second, time.Since(start))
		assert.EqualValues(t, 2, calls.Load())
	})
}

// TestCoalesceContextEnds: the handler's context ends when the handler returns.
func TestCoalesceContextEnds(t *testing.T) {
	ended := make(chan struct{})
	h := middleware.Coalesce(middleware.KeyArgs())(handlerFunc(func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
		context.AfterFunc(ctx, func() { close(ended) })
		return nil
	}))
	require.NoError(t, h.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions)))
	<-ended
}

// TestCoalesceEndsWhenShutdownGivesUp: the handler's context ends, even if a caller waits
// for it with a context that does not.
func TestCoalesceEndsWhenShutdownGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		endless := func(next spoe.Handler) spoe.Handler {
			return handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				return next.ServeSPOE(context.WithoutCancel(ctx), msg, acts)
			})
		}
		agent := quiet(spoe.Chain(waits, endless, middleware.Coalesce(middleware.KeyArgs())))
		h := spoetest.NewAgent(t, agent)
		_, err := h.Notify(t.Context(), spoetest.Msg("m"))
		require.NoError(t, err)
		synctest.Wait()
		h.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, agent.Shutdown(ctx))
	})
}

// TestCoalesceInTimeout: all ACKs leave at the deadline, though the handler ignores its
// context, and no late handler is left behind.
func TestCoalesceInTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, quiet(spoe.Chain(handlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
			time.Sleep(time.Second)
			return acts.SetBool(spoe.VarScopeTransaction, "late", true)
		}), middleware.Timeout(20*time.Millisecond), middleware.Coalesce(middleware.KeyArgs()))))
		start := time.Now()
		assert.Equal(t, map[string]int{"": 10}, askAtOnce(t, h, 10))
		assert.Equal(t, 20*time.Millisecond, time.Since(start))
		synctest.Wait()
		assert.Zero(t, h.Agent().Stats().Late)
		h.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, h.Agent().Shutdown(ctx), "which waits for the handler")
		assert.GreaterOrEqual(t, time.Since(start), time.Second)
	})
}

// TestCoalesceFailures are everybody's, and no panic is the program's.
func TestCoalesceFailures(t *testing.T) {
	boom := errors.New("boom")
	for name, h := range map[string]handlerFunc{
		"error": func(context.Context, *spoe.Message, *spoe.Actions) error { return boom },
		"panic": func(context.Context, *spoe.Message, *spoe.Actions) error { panic(boom) },
		"exit":  func(context.Context, *spoe.Message, *spoe.Actions) error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mw := middleware.Coalesce(middleware.KeyArgs())(handlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
					time.Sleep(time.Second)
					return h(ctx, msg, acts)
				}))
				var all sync.WaitGroup
				for range 3 {
					all.Go(func() {
						err := mw.ServeSPOE(t.Context(), newMessage(t, "m"), new(spoe.Actions))
						if name == "exit" {
							assert.ErrorAs(t, err, new(*spoe.PanicError))
						} else {
							assert.ErrorIs(t, err, boom)
						}
					})
				}
				all.Wait()
			})
		})
	}
}

func ExampleCoalesce() {
	lookup := spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		// … asks a slow service about the argument ip
		return acts.SetInt(spoe.VarScopeSession, "ip_score", 90)
	})
	handler := spoe.Chain(lookup,
		middleware.Timeout(20*time.Millisecond),       // outside: each one waits as long as it can
		middleware.Coalesce(middleware.KeyArgs("ip")), // by the address, whatever else is sent
		middleware.Recover())

	ask(&spoe.Agent{Handler: handler, Logger: slog.New(slog.DiscardHandler)}, "ip-rep")
	// Output:
	// ip-rep: sess.ip_score=90
}
