package spoe_test

import (
	"log/slog"
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

// waitForSlot opens a connection and says hello, but does not wait for an answer.
func waitForSlot(t *testing.T, h *spoetest.Engine) *spoetest.Client {
	t.Helper()
	c := h.Connect()
	hello := spoetest.DefaultHello()
	require.NoError(t, c.WriteFrames(t.Context(), spoetest.HelloFrame(hello.Append(nil))))
	return c
}

// An agent at MaxConnections is full, not down: it answers health checks, however
// many connections wait for a slot.
func TestHealthChecksWhenFull(t *testing.T) {
	for _, waiting := range []int{0, 1, 1024, 1500} {
		t.Run(itoa(waiting), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := spoetest.NewAgent(t, &spoe.Agent{Handler: byName{"m": set("ok", 1)}, MaxConnections: 2, Logger: slog.New(slog.DiscardHandler)})
				second := h.Dial(spoetest.DefaultHello())
				for range waiting {
					waitForSlot(t, h)
				}
				synctest.Wait()
				_, err := h.Connect().HealthCheck(t.Context())
				require.NoError(t, err)
				vars, err := second.Ask(t.Context(), "m")
				require.NoError(t, err)
				assert.EqualValues(t, 1, vars.Int("txn.ok"))

				second.Close()
				synctest.Wait()
				open := 0
				for _, c := range h.Agent().Connections() {
					if c.Phase == "open" {
						open++
					}
				}
				assert.Equal(t, min(1+waiting, 2), open, "the slot goes to one that waits")
				assert.LessOrEqual(t, len(h.Agent().Connections()), 2+1024)
				_, err = h.Connect().HealthCheck(t.Context())
				require.NoError(t, err)
				assert.EqualValues(t, 2, h.Agent().Stats().HealthChecks)
			})
		})
	}
}

// A connection that has waited for HelloTimeout gets an AGENT-DISCONNECT, and gives its
// place back.
func TestWaitForSlotEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(lockedbuffer.Buffer)
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing, MaxConnections: 1, HelloTimeout: 3 * time.Second, Logger: slog.New(slog.NewTextHandler(log, nil))})
		c := waitForSlot(t, h)
		time.Sleep(3*time.Second + time.Millisecond)
		d, err := c.ReadDisconnect(t.Context())
		require.NoError(t, err)
		assert.Equal(t, codec.StatusTimeout, d.Status)
		assert.Contains(t, d.Message, "Agent.MaxConnections")
		time.Sleep(10 * time.Second)
		assert.Len(t, h.Agent().Connections(), 1)
		assert.Contains(t, log.String(), "1 connections are open (Agent.MaxConnections)")
	})
}

// A connection that waited and has its slot, or has ended, does not count as waiting: it
// costs no other its place, and loses none.
func TestPlacesAreGivenBack(t *testing.T) {
	for name, tt := range map[string]struct {
		waiting int
		leave   bool
	}{"by a slot": {1024, false}, "by the end": {600, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := spoetest.NewAgent(t, &spoe.Agent{Handler: byName{"m": set("ok", 1)}, MaxConnections: 1, Logger: slog.New(slog.DiscardHandler)})
				first := waitForSlot(t, h)
				synctest.Wait()
				if tt.leave {
					for range tt.waiting {
						h.Connect().Close()
					}
				} else {
					h.Close() // first gets its slot
				}
				synctest.Wait()
				for range tt.waiting {
					waitForSlot(t, h)
				}
				synctest.Wait()
				h.Close()
				vars, err := first.Ask(t.Context(), "m")
				require.NoError(t, err)
				assert.EqualValues(t, 1, vars.Int("txn.ok"))
				assert.Len(t, h.Agent().Connections(), 1+tt.waiting)
			})
		})
	}
}
