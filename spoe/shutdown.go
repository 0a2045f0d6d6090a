package spoe

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

const (
	// shutdownQuiet is the time for which a connection must be quiet to be
	// closed by Shutdown.
	shutdownQuiet = 100 * time.Millisecond
	// shutdownGap is the time between the ends of two connections that are
	// never quiet.
	shutdownGap = 50 * time.Millisecond
	// closeGrace is the time that handlers may take to heed their context after Close,
	// before Run returns without them.
	closeGrace = time.Second
)

// Shutdown ends the agent without losing a NOTIFY, as far as the protocol lets
// it, in these steps:
//
//  1. Health checks fail: HAProxy's are closed without an answer. Everything
//     else goes on as before, new connections too, until each HAProxy that
//     checks has seen one more than ShutdownChecks of them fail and so has turned
//     to other servers. A HAProxy that asks at AgentCheckAddr reads there that the
//     agent drains; it moves its traffic away and closes its connections itself,
//     for which Shutdown waits. Where no HAProxy checks, this takes no time; then
//     Agent.Drain waits for later messages. At half of ctx's time all of this ends in
//     any case.
//  2. The listeners are closed.
//  3. Each connection that has gone quiet, nothing in flight and no frame for
//     100 ms, gets an AGENT-DISCONNECT with status 0 and is closed once HAProxy has
//     read it. After half of the time that is left (30 s where ctx has no deadline),
//     an ACK that leaves nothing in flight takes the DISCONNECT along. HAProxy up to
//     3.0 goes on using its connections: those under traffic end first, one after
//     another; quiet ones end once all are quiet for 1 s, at the latest after 8 s.
//  4. Handlers that are late, see [Message.ServeWithin], and goroutines of [Message.Go] are waited for.
//
// When ctx ends first, Shutdown closes the remaining connections as Close does, and returns
// an error that says so. A further call waits for the same end. A handler that calls
// Shutdown waits for itself until ctx ends.
func (a *Agent) Shutdown(ctx context.Context) error {
	if err := a.init(); err != nil {
		return err
	}
	s := &a.shared
	s.mu.Lock()
	if a.Drain == nil {
		closeLocked(s.settled)
	}
	closeLocked(s.draining)
	s.mu.Unlock()

	half, cancel := halfOf(ctx)
	select {
	case <-s.checks.Failing(s.shutdownChecks):
	case <-s.closing:
	case <-half.Done():
	}
	a.settle(half)
	s.awaitDrain(half)
	cancel()
	s.checks.Stop()

	s.stopListening()
	force := time.Now().Add(defaultShutdownTimeout)
	if end, ok := ctx.Deadline(); ok {
		force = time.Now().Add(time.Until(end) / 2)
	}
	s.retireAll(ctx, force)
	select {
	case <-s.allGone():
		a.logAttrs(slog.LevelInfo, "shut down")
		s.awaitReports()
		return nil
	case <-ctx.Done():
	}
	left := a.Stats()
	err := fmt.Errorf("spoe: shutdown ran out of time with %d connections, %d NOTIFYs in flight and %d late handlers: %w",
		left.Connections, left.InFlight, left.Late, context.Cause(ctx))
	a.logAttrs(slog.LevelWarn, "shutdown ran out of time", slog.Any("error", err))
	a.Close()
	return err
}

// settle waits for Agent.Drain. Connections of HAProxy up to 3.0, which goes on sending
// new messages on them, end before: HAProxy opens connections to this agent only for
// messages that must go there.
func (a *Agent) settle(ctx context.Context) {
	s := &a.shared
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		closeLocked(s.settled)
	}()
	if a.Drain == nil {
		return
	}
	if s.checks.AnyDrained() {
		sleep(ctx, drainPause)
		endApplets(ctx, s.applets(), shutdownGap, time.Now().Add(holdTry))
		a.Drain(ctx)
		sleep(ctx, drainPause) // for requests that HAProxy sent before it acted on the drain
	}
	a.Drain(ctx)
}

// retireAll plans the end of all connections, and waits for those of HAProxy up to 3.0.
// HAProxy moves the traffic of a connection that ends to the others: if all ended
// together, the last ones would get all of it at the very moment of their DISCONNECT. So
// connections under traffic end one after another: up to 3.0 at once, later from force on.
func (s *agentState) retireAll(ctx context.Context, force time.Time) {
	conns := s.openConns()
	t := time.Now()
	gap := min(shutdownGap, time.Until(force)/time.Duration(len(conns)+1))
	slices.SortFunc(conns, func(a, b *conn) int { // quiet ones first
		return cmp.Compare(a.clock.lastFrame.Load(), b.clock.lastFrame.Load())
	})
	for i, c := range conns {
		if !c.haproxy.Load().applet {
			after := time.Duration(i) * gap / 2
			c.retire(retirement{at: since(t), quiet: shutdownQuiet, force: since(force.Add(after)), late: never})
		}
	}
	late := t.Add(holdTry)
	if force.Before(late) {
		late = force
	}
	endApplets(ctx, s.applets(), gap, late)
}

// Close ends the agent at once: listeners and connections are closed, NOTIFYs
// in flight are lost, and their handlers' contexts end. It does not wait. See
// Shutdown for the graceful way.
func (a *Agent) Close() error {
	if err := a.init(); err != nil {
		return err
	}
	s := &a.shared
	s.mu.Lock()
	closeLocked(s.draining)
	s.mu.Unlock()
	s.stopListening()
	s.cancel()
	for _, c := range s.openConns() {
		c.kill()
	}
	time.AfterFunc(closeGrace, s.abandon) // Run may return by then
	return nil
}

// stopListening closes the listeners; from then on no connection is added.
func (s *agentState) stopListening() {
	s.mu.Lock()
	defer s.mu.Unlock()
	closeLocked(s.closing)
	for ln := range s.listeners {
		ln.Close()
	}
	s.lookGoneLocked()
}

// halfOf returns a context that ends after half of ctx's time.
func halfOf(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}
