package e2e_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

// TestHealthChecks makes HAProxy check an agent's health from before it listens
// to after its end.
func TestHealthChecks(t *testing.T) {
	const fall = 3
	conf := spoeConf("messages ask", ask)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		addr := freeaddr.Find(t)
		h := setup(t, bin, addr+" check inter 50ms fall 3 rise 2\n    option spop-check\n    timeout check 5s", conf, decided)
		down := func() bool { return serverStates(t, h)["agent"] == "0" }
		up := func() bool { return serverStates(t, h)["agent"] == "2" }
		require.True(t, eventually(waitLimit, down), "up without an agent")

		asked, answer := make(chan struct{}), make(chan struct{})
		var closing closings
		sa := &spoe.Agent{
			Handler: spoe.HandlerFunc(func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
				close(asked)
				<-answer
				return acts.SetString(spoe.VarScopeTransaction, "decision", "late but there")
			}),
			ShutdownChecks: fall,
		}
		sa.ConnState = closing.note(sa)
		a := serve(t, sa, addr, func() error { return sa.ListenAndServe(addr) })
		require.True(t, eventually(waitLimit, up), "not up with an agent")
		require.Positive(t, a.Stats().HealthChecks)

		// A request is in flight when the agent gets SIGTERM.
		response := make(chan string, 1)
		go func() { // ends with the response, which close(answer) lets go
			resp, err := h.Client().Get(h.URL)
			if err != nil {
				response <- err.Error()
				return
			}
			_ = resp.Body.Close() // it is empty
			response <- resp.Header.Get("X-Decision")
		}()
		select {
		case <-asked:
		case <-time.After(waitLimit):
			require.FailNow(t, "HAProxy does not ask")
		}
		ended := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 2*waitLimit)
		defer cancel()
		go func() { ended <- a.Shutdown(ctx) }() // ends with ctx

		require.True(t, eventually(waitLimit, down), "up while the agent shuts down")
		assert.EqualValues(t, 1, a.Stats().InFlight, "nothing is cut off")
		assert.GreaterOrEqual(t, a.Stats().HealthChecksFailed, uint64(fall))
		close(answer)
		assert.Equal(t, "late but there", <-response)
		require.NoError(t, <-ended)

		failed := closing.take()
		require.NotEmpty(t, failed)
		assert.GreaterOrEqual(t, slices.Min(failed), uint64(fall), "failed checks when a connection was closed")
		time.Sleep(200 * time.Millisecond) // checks are refused by the system now
		assert.True(t, down())
		assert.Empty(t, a.logs.complaints())
	})
}

// closings keeps how many health checks had failed whenever the agent began to
// close a connection that was none.
type closings struct {
	mu     sync.Mutex // guards what follows
	ready  map[net.Conn]bool
	failed []uint64
}

func (c *closings) note(a *spoe.Agent) func(net.Conn, spoe.ConnState) {
	c.ready = map[net.Conn]bool{}
	return func(nc net.Conn, s spoe.ConnState) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case s == spoe.StateReady:
			c.ready[nc] = true
		case s == spoe.StateClosing && c.ready[nc], s == spoe.StateClosed && c.ready[nc]:
			delete(c.ready, nc)
			c.failed = append(c.failed, a.Stats().HealthChecksFailed)
		}
	}
}

func (c *closings) take() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// TestHealthChecksQuietLog checks and asks an agent for a while: its log has no warning,
// not even when HAProxy's connections end.
func TestHealthChecksQuietLog(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startHandler(t, decisions(0))
		h := setup(t, bin, a.addr+" check inter 20ms\n    option spop-check", spoeConf("messages ip-rep\n    timeout idle 100ms", ipRep), decided)
		for range 5 {
			assert.Equal(t, "pass 127.0.0.1", h.Get("/").Header.Get("X-Decision"))
			time.Sleep(50 * time.Millisecond)
		}
		require.True(t, eventually(waitLimit, func() bool { return a.Stats().HealthChecks > 3 }))
		h.Close() // at once: its connections are reset or end
		a.waitConnections(t, 0)
		s := a.Stats()
		t.Logf("%d health checks, %d connections", s.HealthChecks, s.ConnectionsTotal)
		assert.Empty(t, a.logs.complaints())
	})
}
