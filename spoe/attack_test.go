package spoe_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
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

// Attacks on the agent that once succeeded.

// Handlers that hang until stuck is closed.
func hanging(stuck chan struct{}) handlerFunc {
	return func(context.Context, *spoe.Message, *spoe.Actions) error {
		<-stuck
		return nil
	}
}

// appletHello is the hello of HAProxy up to 3.0.
func appletHello() spoetest.Hello {
	h := spoetest.DefaultHello()
	h.Capabilities = "pipelining,async"
	return h
}

func TestLateAcksBeforeTheGoodbye(t *testing.T) {
	for name, hello := range map[string]spoetest.Hello{"up to 3.0": appletHello(), "3.1 and later": spoetest.DefaultHello()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stuck := make(chan struct{})
				h := spoetest.New(t, byName{"m": func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
					msg.OnFailure(func(error, *spoe.Actions) { time.Sleep(150 * time.Millisecond) })
					return within(500*time.Millisecond, hanging(stuck))(ctx, msg, acts)
				}})
				c := h.Dial(hello)
				const n = 10
				for range n {
					_, err := c.Notify(t.Context(), spoetest.Msg("m"))
					require.NoError(t, err)
				}
				synctest.Wait()
				took := shutdown(h.Agent(), 30*time.Second)
				for range n {
					_, err := c.AnyAck(t.Context())
					require.NoError(t, err)
				}
				_, err := c.ReadDisconnect(t.Context())
				assert.NoError(t, err)
				close(stuck)
				assert.Positive(t, <-took)
			})
		})
	}
}

// nilError is the ordinary slip: a nil pointer in an error.
type nilError struct{ err error }

func (e *nilError) Error() string { return e.err.Error() }
func (e *nilError) Unwrap() error { return e.err }

func TestPanicsOutsideHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := slog.New(slog.DiscardHandler)
		hook := func(error, *spoe.Actions) { panic("hook") }
		h := spoetest.NewAgent(t, &spoe.Agent{
			Logger:    quiet,
			ConnState: func(net.Conn, spoe.ConnState) { panic("state") },
			Handler: byName{
				"typed-nil": func(context.Context, *spoe.Message, *spoe.Actions) error { return (*nilError)(nil) },
				"hook": func(_ context.Context, msg *spoe.Message, _ *spoe.Actions) error {
					msg.OnFailure(hook)
					panic("handler")
				},
				"late": within(5*time.Millisecond, func(ctx context.Context, msg *spoe.Message, _ *spoe.Actions) error {
					msg.OnFailure(hook)
					<-ctx.Done()
					return ctx.Err()
				}),
				"ok": set("ok", 1),
			},
		})
		for _, name := range []string{"typed-nil", "hook", "late"} {
			assert.Equal(t, "", h.Ask(name).String(), name)
			assert.Equal(t, "txn.ok=1", h.Ask("ok").String())
		}

		pred := spoe.New(func(*spoe.MessageIterator) ([]spoe.Action, error) {
			return []spoe.Action{(*spoe.ActionSetVar)(nil), spoe.ActionUnsetVar{Name: "x"}}, nil
		})
		pred.Logger = quiet
		assert.Equal(t, "unset(proc.x)", spoetest.NewAgent(t, pred).Ask("m").String())
	})
}

// A HAProxy that does not read its ACKs takes no other's place, and bytes that do not fit
// at once do not wait for all to fit.
func TestOthersHavePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		h := spoetest.NewAgent(t, &spoe.Agent{MaxConcurrent: 20, Handler: byName{"slow": hanging(stuck), "ok": set("ok", 1)}})
		silent := h.Dial(spoetest.DefaultHello())
		for range 500 {
			_, err := silent.Notify(t.Context(), spoetest.Msg("ok"))
			require.NoError(t, err)
		}
		_, err := h.Notify(t.Context(), spoetest.Msg("slow"))
		require.NoError(t, err)
		synctest.Wait()

		batch := h.Dial(spoetest.DefaultHello())
		var frames []byte
		payload, err := spoetest.Payload(spoetest.Msg("ok"))
		require.NoError(t, err)
		for i := range 40 {
			frames = codec.AppendFrame(frames, spoetest.NotifyFrame(spoetest.ID{Stream: uint64(i), Frame: 1}, payload))
		}
		require.NoError(t, batch.Write(t.Context(), frames))
		for range 40 {
			_, err := batch.AnyAck(t.Context())
			require.NoError(t, err)
		}
		close(stuck)
	})
}

// A peer that floods does not keep the agent from closing.
func TestCloseUnderFlood(t *testing.T) {
	unknown := codec.AppendFrame(nil, codec.Frame{Type: 77, Flags: codec.FlagFIN})
	payload, err := spoetest.Payload(spoetest.Msg("m"))
	require.NoError(t, err)
	notify := codec.AppendFrame(nil, spoetest.NotifyFrame(spoetest.ID{Stream: 1, Frame: 1}, payload))
	for name, frame := range map[string][]byte{"unknown frames": unknown, "NOTIFYs": notify} {
		t.Run(name, func(t *testing.T) {
			ln, err := spoe.Listen("127.0.0.1:0")
			require.NoError(t, err)
			a := &spoe.Agent{Handler: nothing, Logger: slog.New(slog.DiscardHandler)}
			ended := make(chan error, 1)
			go func() { ended <- a.Serve(ln) }()
			c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
			require.NoError(t, err)
			var flood []byte
			for len(flood) < 1<<20 {
				flood = append(flood, frame...)
			}
			var sent atomic.Int64
			done := make(chan struct{})
			go func() { // ends with the connection
				defer close(done)
				for {
					n, err := c.Conn().Write(flood)
					if sent.Add(int64(n)); err != nil {
						return
					}
				}
			}()
			require.Eventually(t, func() bool { return sent.Load() > 1<<20 }, eventually, tick)
			require.NoError(t, a.Close())
			select {
			case <-ended:
			case <-time.After(eventually):
				t.Error("Serve does not return")
			}
			c.Close()
			<-done
		})
	}
}

// "As good as unlimited" is as much as there is.
func TestLimitsWithoutEnd(t *testing.T) {
	for _, tt := range []spoe.Config{{}, {ReadTimeout: math.MaxInt64, WriteTimeout: math.MaxInt64, IdleTimeout: math.MaxInt64, MaxConnections: math.MaxInt}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := spoetest.NewAgent(t, &spoe.Agent{
					ReadTimeout: tt.ReadTimeout, WriteTimeout: tt.WriteTimeout, IdleTimeout: tt.IdleTimeout, MaxConnections: tt.MaxConnections,
					HelloTimeout: math.MaxInt64, NotifyTimeout: math.MaxInt64, MaxConnectionAge: math.MaxInt64,
					Handler: byName{
						"late": within(20*time.Millisecond, sleeper(time.Second)),
						"past": within(math.MinInt64, sleeper(time.Second)),
						"ever": within(math.MaxInt64, sleeper(time.Second)),
					},
				})
				for name, want := range map[string]time.Duration{"late": 20 * time.Millisecond, "past": 0, "ever": time.Second} {
					start := time.Now()
					h.Ask(name)
					assert.Equal(t, want, time.Since(start), name)
				}
				time.Sleep(time.Minute)
				h.Ask("late")
			})
		})
	}
}

// Half a request is not cut off by a connection's age.
func TestAgeAwaitsARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const age = time.Minute
		h := spoetest.NewAgent(t, &spoe.Agent{MaxConnectionAge: age, Handler: nothing, ReadTimeout: time.Hour})
		c := h.Dial(appletHello())
		payload, err := spoetest.Payload(spoetest.Msg("m"))
		require.NoError(t, err)
		time.Sleep(age - age/5)
		id := spoetest.ID{Stream: 5, Frame: 1}
		parts := spoetest.Fragments(id, payload, 1)
		require.NoError(t, c.WriteFrames(t.Context(), parts[0]))
		time.Sleep(age)
		require.NoError(t, c.WriteFrames(t.Context(), parts[1:]...))
		_, err = c.Ack(t.Context(), id)
		assert.NoError(t, err)
		_, err = c.ReadDisconnect(t.Context())
		assert.NoError(t, err)
	})
}
