package spoe_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// Connections that are never quiet end one after another: HAProxy moves the traffic of
// one to the others.
func TestGoodbyesAreStaggered(t *testing.T) {
	for _, tt := range []struct {
		name       string
		hello      spoetest.Hello
		first, gap time.Duration
	}{
		{"up to 3.0", appletHello(), 5 * time.Second, 50 * time.Millisecond}, // no full window comes
		{"3.1 and later", spoetest.DefaultHello(), 5 * time.Second, 25 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 8
				h := spoetest.NewAgent(t, &spoe.Agent{Handler: byName{"m": sleeper(2 * time.Millisecond)}, Logger: slog.New(slog.DiscardHandler)})
				h.Close() // its own connection
				start, ends := time.Now().Add(100*time.Millisecond), make(chan time.Time, n)
				for range n {
					c := h.Dial(tt.hello)
					go keepAsking(c, ends)
				}
				time.Sleep(100 * time.Millisecond)
				took := shutdown(h.Agent(), 10*time.Second)
				var all []time.Duration
				for range n {
					all = append(all, (<-ends).Sub(start))
				}
				slices.Sort(all)
				for i, at := range all {
					want := tt.first + time.Duration(i)*tt.gap
					assert.Greater(t, at, want-5*time.Millisecond, "the end of connection %d", i+1)
					assert.Less(t, at, want+100*time.Millisecond, "the end of connection %d", i+1)
				}
				assert.Positive(t, <-took)
			})
		})
	}
}

// keepAsking asks over c, never quiet for long, and sends the time at which it ends.
func keepAsking(c *spoetest.Client, ended chan<- time.Time) {
	for {
		if _, err := c.Ask(context.Background(), "m"); err != nil {
			ended <- time.Now()
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// A plan to end a connection by its age, at a quiet moment, does not keep Shutdown from
// ending it under traffic.
func TestShutdownEndsOldConnections(t *testing.T) {
	for name, hello := range map[string]spoetest.Hello{"up to 3.0": appletHello(), "3.1 and later": spoetest.DefaultHello()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := spoetest.NewAgent(t, &spoe.Agent{Handler: byName{"m": sleeper(2 * time.Millisecond)}, MaxConnectionAge: time.Second, Logger: slog.New(slog.DiscardHandler)})
				h.Close()
				ended := make(chan time.Time, 1)
				go keepAsking(h.Dial(hello), ended)
				time.Sleep(3 * time.Second)
				start := time.Now()
				assert.Positive(t, <-shutdown(h.Agent(), 10*time.Second))
				assert.Less(t, (<-ended).Sub(start), 6*time.Second)
			})
		})
	}
}

// Up to 3.0, connections that are quiet end after those under traffic: HAProxy takes one up
// when another ends.
func TestQuietAppletsEndLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: byName{"m": set("ok", 1)}, Logger: slog.New(slog.DiscardHandler)})
		h.Close()
		full, quiet := h.Dial(appletHello()), h.Dial(appletHello())
		time.Sleep(5 * time.Second)
		ended := make(chan time.Time, 1)
		halt := make(chan struct{})
		go func() { // a few NOTIFYs at a time, then a window after the other
			defer func() { ended <- time.Now(); _ = full.Close() }()
			for {
				n := 3
				if isDone(halt) {
					n = 20
				}
				var ids []spoetest.ID
				for range n {
					id, _ := full.Notify(context.Background(), spoetest.Msg("m"))
					ids = append(ids, id)
				}
				for _, id := range ids {
					if _, err := full.Ack(context.Background(), id); err != nil {
						return
					}
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		took := shutdown(h.Agent(), 10*time.Second)
		time.Sleep(3 * time.Second)
		close(halt)
		_, err := quiet.ReadDisconnect(t.Context())
		require.NoError(t, err)
		assert.Less(t, (<-ended).Sub(start), 3200*time.Millisecond, "its window was full then")
		assert.Greater(t, time.Since(start), 3*time.Second)
		require.NoError(t, quiet.Close())
		assert.InDelta(t, 4.05, (<-took).Seconds(), 0.1, "1 s after the last ACK")
	})
}

func isDone(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// No ACK takes the DISCONNECT along while part of the next NOTIFY has come.
func TestGoodbyeWaitsForHalfANotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(lockedbuffer.Buffer)
		h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(slog.NewTextHandler(log, nil)), Handler: byName{
			"slow": sleeper(6 * time.Second), "quick": set("ok", 1),
		}})
		first, err := h.Notify(t.Context(), spoetest.Msg("slow"))
		require.NoError(t, err)
		took := shutdown(h.Agent(), 10*time.Second)
		time.Sleep(5500 * time.Millisecond) // from 5 s on, an ACK may take it along
		id := spoetest.ID{Stream: 99, Frame: 1}
		payload, err := spoetest.Payload(spoetest.Msg("quick"))
		require.NoError(t, err)
		b := codec.AppendFrame(nil, spoetest.NotifyFrame(id, payload))
		_, err = h.Conn().Write(b[:7])
		require.NoError(t, err)
		_, err = h.Client.Ack(t.Context(), first)
		require.NoError(t, err)
		time.Sleep(200 * time.Millisecond)
		_, err = h.Conn().Write(b[7:])
		require.NoError(t, err)
		ack, err := h.Client.Ack(t.Context(), id)
		require.NoError(t, err)
		vars, err := ack.Vars()
		require.NoError(t, err)
		assert.EqualValues(t, 1, vars.Int("txn.ok"))
		_, err = h.ReadDisconnect(t.Context())
		require.NoError(t, err)
		assert.Positive(t, <-took)
		synctest.Wait()
		assert.NotContains(t, log.String(), "level=ERROR", "nothing has gone wrong")
	})
}

// Malformed bytes end a connection, once the NOTIFYs before them are answered or a
// second has passed.
func TestAnswersBeforeTheRefusal(t *testing.T) {
	for _, tt := range []struct {
		handler  time.Duration
		answered bool
		end      time.Duration
	}{{700 * time.Millisecond, true, 700 * time.Millisecond}, {3 * time.Second, false, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			h := spoetest.NewAgent(t, &spoe.Agent{Handler: spoe.HandlerFunc(sleeper(tt.handler)), Logger: slog.New(slog.DiscardHandler)})
			start := time.Now()
			id, err := h.Notify(t.Context(), spoetest.Msg("m"))
			require.NoError(t, err)
			_, err = h.Conn().Write([]byte{0, 0, 0, 1, 0})
			require.NoError(t, err)
			_, err = h.Ack(t.Context(), id)
			assert.Equal(t, tt.answered, err == nil, "%v", err)
			d, err := h.ReadDisconnect(t.Context())
			require.NoError(t, err)
			assert.Equal(t, codec.StatusInvalid, d.Status)
			assert.Equal(t, tt.end, time.Since(start))
			time.Sleep(5 * time.Second)
		})
	}
}

// Behind an inner deadline that was met, the outer one holds again: for the ACK, for the
// context, and for what the context says.
func TestOuterDeadlineHoldsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const outer, inner = time.Second, 10 * time.Millisecond
		start := time.Now()
		var deadline time.Time
		var ended time.Duration
		h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(slog.DiscardHandler), Handler: spoe.HandlerFunc(within(outer,
			func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				if err := within(inner, handlerFunc(nothing))(ctx, msg, acts); err != nil {
					return err
				}
				deadline, _ = ctx.Deadline()
				<-ctx.Done()
				ended = time.Since(start)
				time.Sleep(time.Minute)
				return nil
			}))})
		h.Ask("m")
		assert.Equal(t, outer, time.Since(start), "the ACK")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.Equal(t, outer, deadline.Sub(start))
		assert.Equal(t, outer, ended)
	})
}

// No DISCONNECT leaves while a NOTIFY is in flight, even if the reader finds no bytes.
func TestNoGoodbyeWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: spoe.HandlerFunc(sleeper(time.Second))})
		id, err := h.Notify(t.Context(), spoetest.Msg("m"))
		require.NoError(t, err)
		synctest.Wait()
		h.Agent().AskReaders()
		_, err = h.Ack(t.Context(), id)
		require.NoError(t, err)
		h.Ask("m")
		h.Agent().AskReaders()
		d, err := h.ReadDisconnect(t.Context())
		require.NoError(t, err, "it ends when nothing is in flight")
		assert.Equal(t, codec.StatusNormal, d.Status)
	})
}

// An ACK takes the DISCONNECT along only if it is the last.
func TestGoodbyeGoesWithTheLastAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: byName{
			"short": sleeper(100 * time.Millisecond), "long": sleeper(300 * time.Millisecond),
		}})
		c := h.Dial(appletHello())
		var ids []spoetest.ID
		for _, name := range []string{"short", "long"} {
			id, err := c.Notify(t.Context(), spoetest.Msg(name))
			require.NoError(t, err)
			ids = append(ids, id)
		}
		synctest.Wait()
		took := shutdown(h.Agent(), 30*time.Second)
		for _, id := range ids {
			_, err := c.Ack(t.Context(), id)
			require.NoError(t, err)
		}
		_, err := c.ReadDisconnect(t.Context())
		assert.NoError(t, err)
		assert.Positive(t, <-took)
	})
}
