package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

// agent is an agent in the test's own process.
type agent struct {
	*spoe.Agent
	addr  string // as a server line of HAProxy's has it
	logs  *logs
	ended chan struct{} // closed when it ends; err is set then
	err   error
}

// start runs a on a free port until the test ends.
func start(t *testing.T, a *spoe.Agent) *agent {
	t.Helper()
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	return serve(t, a, ln.Addr().String(), func() error { return a.Serve(ln) })
}

// startHandler runs an agent with this handler and nothing else.
func startHandler(t *testing.T, h spoe.Handler) *agent {
	t.Helper()
	return start(t, &spoe.Agent{Handler: h})
}

// serve calls run, which serves the agent until the test ends.
func serve(t *testing.T, a *spoe.Agent, addr string, run func() error) *agent {
	t.Helper()
	l := newLogs(t)
	a.Logger = l.logger()
	running := &agent{Agent: a, addr: addr, logs: l, ended: make(chan struct{})}
	go func() { // ends with Close
		running.err = run()
		close(running.ended)
	}()
	t.Cleanup(func() { running.end(t) })
	return running
}

// end ends the agent at once. No part of it may be left then.
func (a *agent) end(t *testing.T) {
	t.Helper()
	assert.NoError(t, a.Close())
	select {
	case <-a.ended:
		assert.ErrorIs(t, a.err, spoe.ErrAgentClosed)
	case <-time.After(waitLimit):
		t.Error("the agent has not ended after Close")
	}
	s := a.Stats()
	assert.Zero(t, s.Connections, "connections are left over")
	assert.Zero(t, s.InFlight, "NOTIFYs are left over")
}

// settled returns the agent's Stats once each NOTIFY has its ACK: the agent counts an ACK
// after HAProxy gets it.
func (a *agent) settled(t *testing.T) spoe.Stats {
	t.Helper()
	var s spoe.Stats
	assert.True(t, eventually(waitLimit, func() bool {
		s = a.Stats()
		return s.Notifies == s.Acks && s.InFlight == 0
	}), "%d NOTIFYs, %d ACKs, %d in flight", s.Notifies, s.Acks, s.InFlight)
	return s
}

// waitConnections waits until n connections are open.
func (a *agent) waitConnections(t *testing.T, n int64) {
	t.Helper()
	ok := eventually(waitLimit, func() bool { return a.Stats().Connections == n })
	require.True(t, ok, "%d connections are open, want %d", a.Stats().Connections, n)
}
