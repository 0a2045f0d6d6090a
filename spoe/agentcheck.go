package spoe

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spoke-go/spoke/spoe/internal/listen"
)

// The answers to HAProxy's agent-check. maxconn:1 stops HAProxy up to 3.0 from
// sending on the connections that it has; maxconn:0 takes that back. Later ones would
// send one message at a time, so they get no maxconn before HAProxy uses other servers.
const (
	agentReady    = "up ready maxconn:0\n"
	agentDrain    = "drain maxconn:1\n"
	agentDrainAll = "drain\n"
)

const (
	// agentCheckTimeout bounds one agent-check.
	agentCheckTimeout = 2 * time.Second
	// maxAgentChecks is the maximum number of agent-checks that are answered at once;
	// further connections are closed.
	maxAgentChecks = 64
	// drainTime is the time that Shutdown waits, once every HAProxy knows of the drain,
	// for them to close their connections. HAProxy up to 3.0 does so within a second;
	// later ones keep idle connections, which the agent then closes.
	drainTime = 2 * time.Second
	// drainPause is the time that HAProxy may take to act on a drain that it read.
	drainPause = 100 * time.Millisecond
)

// listenForAgentChecks listens on AgentCheckAddr for the first Run of the agent. It returns
// nil for any other Run, and where the address is not set.
func (a *Agent) listenForAgentChecks() (net.Listener, error) {
	s := &a.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case a.AgentCheckAddr == "" || s.checked:
		return nil, nil
	case isClosed(s.closing):
		return nil, ErrAgentClosed
	}
	ln, err := listen.Listen(a.AgentCheckAddr)
	if err != nil {
		return nil, fmt.Errorf("spoe: Agent.AgentCheckAddr: %w", err)
	}
	s.checked, s.listeners[ln] = true, struct{}{}
	return ln, nil
}

// answerAgentChecks answers agent-checks on ln until the agent closes it, and waits for
// checks under way.
func (a *Agent) answerAgentChecks(ctx context.Context, ln net.Listener) error {
	var checks errgroup.Group // each ends within agentCheckTimeout
	checks.SetLimit(maxAgentChecks)
	defer checks.Wait()
	for {
		nc, err := ln.Accept()
		if err != nil {
			if isClosed(a.shared.closing) {
				return nil
			}
			a.logAttrs(slog.LevelError, "cannot accept an agent-check", slog.Any("error", err))
			sleep(ctx, time.Second)
			continue
		}
		if !checks.TryGo(func() error { a.answerAgentCheck(nc); return nil }) {
			nc.Close()
		}
	}
}

// answerAgentCheck sends the state and waits for HAProxy to close: then it has
// read it.
func (a *Agent) answerAgentCheck(nc net.Conn) {
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(agentCheckTimeout))
	if !a.allowed(nc.RemoteAddr()) {
		return
	}
	s := &a.shared
	draining := isClosed(s.draining)
	s.checks.SeenAgentCheck(nc.RemoteAddr())
	answer := agentReady
	switch {
	case draining && !isClosed(s.settled) && len(s.applets()) == 0:
		answer = agentDrainAll
	case draining:
		answer = agentDrain
	}
	if _, err := io.WriteString(nc, answer); err != nil {
		return
	}
	if half, ok := nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(nc, 4096)); err == nil && draining {
		s.checks.Drained(nc.RemoteAddr())
	}
}

// awaitDrain waits until every HAProxy that has read the drain has had time to close its
// connections; if none has read it, awaitDrain returns at once.
func (s *agentState) awaitDrain(ctx context.Context) {
	if !s.checks.AnyDrained() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	sleep(ctx, drainPause)
	s.awaitConns(ctx)
}
