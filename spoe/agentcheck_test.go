package spoe_test

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// serveChecked runs an agent that answers agent-checks, until the test ends.
func serveChecked(t *testing.T, a *spoe.Agent) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(spoetest.NewListener()) }() // ends with Close
	t.Cleanup(func() {
		a.Close()
		assert.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
	})
}

// dialEventually connects to an address on which an agent is about to listen.
func dialEventually(t *testing.T, addr string) (nc net.Conn) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		nc, err = net.Dial("tcp", addr)
		return err == nil
	}, eventually, tick)
	t.Cleanup(func() { nc.Close() })
	return nc
}

// The agent closes an agent-check of a peer that is not in AllowedPeers, without an answer.
func TestAgentCheckFromElsewhere(t *testing.T) {
	addr := freeaddr.Find(t)
	serveChecked(t, &spoe.Agent{Handler: nothing, AgentCheckAddr: addr, AllowedPeers: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	b, _ := io.ReadAll(dialEventually(t, addr))
	assert.Empty(t, b)
}

// The answer ends at once: HAProxy reads up to the end, and closes then.
func TestAgentCheckAnswerEnds(t *testing.T) {
	addr := freeaddr.Find(t)
	serveChecked(t, &spoe.Agent{Handler: nothing, AgentCheckAddr: addr})
	assert.Eventually(t, func() bool { // a busy machine may take long for one
		start := time.Now()
		b, err := io.ReadAll(dialEventually(t, addr))
		return err == nil && string(b) == "up ready maxconn:0\n" && time.Since(start) < time.Second
	}, eventually, tick)
}

// 64 agent-checks are answered at once, and further ones are closed.
func TestAgentChecksAreBounded(t *testing.T) {
	addr := freeaddr.Find(t)
	serveChecked(t, &spoe.Agent{Handler: nothing, AgentCheckAddr: addr})
	dialEventually(t, addr).Close()
	answered := func() int { // before the first that is not; the agent ends each after two seconds
		for i := 0; ; i++ {
			n, _ := io.ReadAll(dialEventually(t, addr))
			if len(n) == 0 {
				return i
			}
		}
	}
	assert.Eventually(t, func() bool {
		start := time.Now()
		n := answered()
		switch took := time.Since(start); {
		case n == 64:
			return true
		case n < 64:
			time.Sleep(10 * time.Millisecond) // the agent still counts the earlier ones
		case took < time.Second:
			t.Fatalf("%d were answered within %v", n, took)
		}
		return false
	}, eventually, tick)
}

// An agent-check that cannot be accepted is logged, once a second.
func TestAgentCheckThatFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	f, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd())) // the agent takes it over
	require.NoError(t, err)
	require.NoError(t, syscall.Shutdown(fd, syscall.SHUT_RDWR)) // accept fails from now on
	log := new(lockedbuffer.Buffer)
	start := time.Now()
	serveChecked(t, &spoe.Agent{Handler: nothing, AgentCheckAddr: "fd:" + itoa(fd), Logger: slog.New(slog.NewTextHandler(log, nil))})
	lines := func() int { return strings.Count(log.String(), "cannot accept an agent-check") }
	require.Eventually(t, func() bool { return lines() > 0 }, eventually, tick)
	time.Sleep(50 * time.Millisecond)
	n := lines()
	assert.LessOrEqual(t, n, 1+int(time.Since(start)/time.Second))
}

// An address for agent-checks that cannot be listened on ends Run, and closes its listeners.
func TestAgentCheckAddrInUse(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	ln := spoetest.NewListener()
	err = (&spoe.Agent{Handler: nothing, AgentCheckAddr: busy.Addr().String(), Logger: slog.New(slog.DiscardHandler)}).Run(t.Context(), ln)
	assert.ErrorContains(t, err, "spoe: Agent.AgentCheckAddr: ")
	_, err = ln.Accept()
	assert.ErrorIs(t, err, net.ErrClosed)
}

// Shutdown waits until a HAProxy that asks has read the drain, and then for it to close its
// connections.
func TestShutdownAwaitsTheDrain(t *testing.T) {
	a := &spoe.Agent{Handler: byName{"m": set("x", 1)}, AgentCheckAddr: freeaddr.Find(t), Logger: slog.New(slog.DiscardHandler)}
	nc, _ := dialAgent(t, a)
	c := spoetest.NewClient(nc, eventually)
	_, err := c.Handshake(t.Context(), spoetest.DefaultHello())
	require.NoError(t, err)
	require.Equal(t, "up ready maxconn:0\n", agentCheck(a.AgentCheckAddr))
	took := shutdown(a, time.Hour)
	time.Sleep(400 * time.Millisecond) // more than the quiet moment at which Shutdown closes connections
	_, err = c.Ask(t.Context(), "m")
	require.NoError(t, err, "HAProxy has not read the drain")
	require.Equal(t, "drain maxconn:1\n", agentCheck(a.AgentCheckAddr))
	start := time.Now()
	time.Sleep(600 * time.Millisecond)
	c.Close()
	inTime := time.Since(start) < 2*time.Second
	assert.Less(t, <-took, 10*time.Second, "neither failed checks nor their end are waited for")
	if inTime { // as long as the agent waits for HAProxy's close
		assert.Zero(t, a.Stats().DisconnectsSent[codec.StatusNormal], "HAProxy closed the connection")
	}
}
