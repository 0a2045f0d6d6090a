package spoe_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// slowLog is a log sink that takes its time, or blocks until its channel closes.
type slowLog struct {
	slog.Handler
	takes time.Duration
	until chan struct{}
}

func (l slowLog) Enabled(context.Context, slog.Level) bool { return true }

func (l slowLog) Handle(context.Context, slog.Record) error {
	time.Sleep(l.takes)
	if l.until != nil {
		<-l.until
	}
	return nil
}

// An ACK waits for no log line: neither at a deadline nor after a failure.
func TestAcksDoNotWaitForTheLog(t *testing.T) {
	for name, blocks := range map[string]bool{"slow": false, "blocked": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				t.Cleanup(func() { time.Sleep(time.Second) }) // until the last line is written
				log := slowLog{takes: 500 * time.Millisecond}
				if blocks {
					log = slowLog{until: make(chan struct{})}
				}
				stuck := make(chan struct{})
				h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(log), Handler: byName{
					"late": within(20*time.Millisecond, hanging(stuck)),
					"fail": func(context.Context, *spoe.Message, *spoe.Actions) error { return errors.New("failing") },
				}})
				start := time.Now()
				for range 10 {
					for _, m := range []string{"late", "fail"} {
						_, err := h.Notify(t.Context(), spoetest.Msg(m))
						require.NoError(t, err)
					}
				}
				for range 20 {
					_, err := h.AnyAck(t.Context())
					require.NoError(t, err)
				}
				assert.Equal(t, 20*time.Millisecond, time.Since(start))
				close(stuck)
				start = time.Now()
				assert.NoError(t, h.Agent().Shutdown(t.Context()))
				assert.Less(t, time.Since(start), 4*time.Second, "nor does Shutdown")
				if blocks {
					close(log.until)
				}
			})
		})
	}
}

// Lines that do not fit into the queue are counted.
func TestDroppedLinesAreCounted(t *testing.T) {
	log := slowLog{until: make(chan struct{})}
	h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(log), Handler: nothing})
	for range 300 {
		c := h.Dial(spoetest.DefaultHello())
		c.Close()
	}
	assert.Eventually(t, func() bool { return h.Agent().Stats().ReportsDropped > 0 }, eventually, tick)
	close(log.until)
}

// A function given to OnFailure that blocks, or ends its goroutine, costs its own
// actions only: the ACK leaves, with what the functions before it have set.
func TestOnFailureThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		mark := func(_ error, acts *spoe.Actions) { _ = acts.SetBool(spoe.VarScopeTransaction, "error", true) }
		hooked := func(hook func(error, *spoe.Actions), h handlerFunc) handlerFunc {
			return func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				msg.OnFailure(mark)
				msg.OnFailure(hook)
				return h(ctx, msg, acts)
			}
		}
		block := func(error, *spoe.Actions) { <-release }
		exit := func(error, *spoe.Actions) { runtime.Goexit() }
		fail := func(context.Context, *spoe.Message, *spoe.Actions) error { return errors.New("failing") }
		late := within(20*time.Millisecond, sleeper(time.Second))
		h := spoetest.New(t, byName{
			"fail-block": hooked(block, fail), "late-block": hooked(block, late),
			"fail-exit": hooked(exit, fail), "late-exit": hooked(exit, late),
			"ok": set("ok", 1),
		})
		for name, want := range map[string]string{
			"fail-block": "", "late-block": "",
			"fail-exit": "txn.error=true", "late-exit": "txn.error=true",
		} {
			start := time.Now()
			assert.Equal(t, want, h.Ask(name).String(), name)
			assert.LessOrEqual(t, time.Since(start), 600*time.Millisecond, name)
			assert.Equal(t, "txn.ok=1", h.Ask("ok").String())
		}
		time.Sleep(2 * time.Second) // the late handlers return
		close(release)
		assert.NoError(t, h.Agent().Shutdown(t.Context()))
	})
}

// ConnState may block or end its goroutine: connections come and go, and it gets the states
// of each in order.
func TestConnStateThatDoesNotReturn(t *testing.T) {
	for name, hook := range map[string]func(net.Conn, spoe.ConnState){
		"panics": func(net.Conn, spoe.ConnState) { panic("state") },
		"exits":  func(net.Conn, spoe.ConnState) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			a := &spoe.Agent{Handler: spoe.HandlerFunc(set("ok", 1)), ConnState: hook, Logger: slog.New(slog.DiscardHandler), MaxConnections: 4}
			h := spoetest.NewAgent(t, a)
			for range 20 {
				c := h.Dial(spoetest.DefaultHello())
				_, err := c.Ask(t.Context(), "m")
				require.NoError(t, err)
				c.Close()
			}
		})
	}
	t.Run("blocks", func(t *testing.T) {
		release := make(chan struct{})
		var calls atomic.Int64
		a := &spoe.Agent{Handler: spoe.HandlerFunc(set("ok", 1)), ConnState: func(net.Conn, spoe.ConnState) {
			calls.Add(1)
			<-release
		}}
		h := spoetest.NewAgent(t, a)
		assert.Equal(t, "txn.ok=1", h.Ask("m").String())
		took := shutdown(a, 30*time.Second)
		_, err := h.ReadDisconnect(t.Context())
		assert.NoError(t, err)
		assert.Positive(t, <-took, "Shutdown does not wait for it")
		dropped := a.Stats().ReportsDropped
		assert.Positive(t, dropped, "states that the hook did not get to are counted")
		before := calls.Load()
		close(release)
		assert.Never(t, func() bool { return calls.Load() > before }, 20*time.Millisecond, tick, "and not told any more")
	})
	t.Run("tells all", func(t *testing.T) {
		states := make(chan spoe.ConnState, 100)
		a := &spoe.Agent{Handler: spoe.HandlerFunc(set("ok", 1)), ConnState: func(_ net.Conn, s spoe.ConnState) { states <- s }}
		h := spoetest.NewAgent(t, a)
		h.Ask("m")
		took := shutdown(a, 30*time.Second)
		_, err := h.ReadDisconnect(t.Context())
		assert.NoError(t, err)
		assert.Positive(t, <-took)
		for _, want := range []spoe.ConnState{spoe.StateNew, spoe.StateReady, spoe.StateClosing, spoe.StateClosed} {
			assert.Equal(t, want, <-states)
		}
	})
}

// A hello that comes after its timeout changes no state any more.
func TestLateHelloKeepsTheOrderOfStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		states := map[net.Conn][]spoe.ConnState{}
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing, HelloTimeout: time.Second, ConnState: func(nc net.Conn, s spoe.ConnState) {
			states[nc] = append(states[nc], s)
		}})
		nc, err := h.Listener().DialContext(t.Context())
		require.NoError(t, err)
		hello := spoetest.DefaultHello()
		time.Sleep(time.Second)
		c := spoetest.NewClient(nc, time.Second)
		_ = c.WriteFrames(t.Context(), spoetest.HelloFrame(hello.Append(nil)))
		time.Sleep(5 * time.Second)
		c.Close()
		synctest.Wait()
		assert.Len(t, states, 2)
		for _, seen := range states {
			assert.True(t, slices.IsSorted(seen), "%v", seen)
			if slices.Contains(seen, spoe.StateReady) {
				continue // the client of h
			}
			assert.Equal(t, spoe.StateClosed, seen[len(seen)-1])
		}
	})
}

// Report calls what a message has to tell, behind its ACK.
func TestReport(t *testing.T) {
	release, done := make(chan struct{}), make(chan string, 1)
	h := spoetest.New(t, spoe.HandlerFunc(func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
		name := msg.Name
		msg.Report(func() {
			<-release
			done <- name
		})
		return acts.SetInt(spoe.VarScopeTransaction, "x", 1)
	}))
	assert.Equal(t, "txn.x=1", h.Ask("m").String())
	close(release)
	assert.Equal(t, "m", <-done)
}

// The states of a connection have names, and so has a number that is no state.
func TestConnStateNames(t *testing.T) {
	for s, want := range map[spoe.ConnState]string{
		spoe.StateNew: "new", spoe.StateReady: "ready", spoe.StateClosing: "closing", spoe.StateClosed: "closed",
		-1: "state -1", 4: "state 4",
	} {
		assert.Equal(t, want, s.String())
	}
}
