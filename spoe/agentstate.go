package spoe

import (
	"context"
	"math"
	"net"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/spoke-go/spoke/internal/reporter"
	"github.com/spoke-go/spoke/spoe/internal/checks"
	"github.com/spoke-go/spoke/spoe/internal/loglimit"
	"github.com/spoke-go/spoke/spoe/internal/names"
)

// agentState is the state of a running agent.
type agentState struct {
	start sync.Once
	err   error // of the configuration
	limits

	// ctx is the parent of all handlers' contexts; it ends with Close, or when
	// Shutdown runs out of time.
	ctx    context.Context
	cancel context.CancelFunc

	// notifySlots has MaxConcurrent, connSlots has MaxConnections.
	notifySlots, connSlots *semaphore.Weighted
	waiting                waitlist

	// bytes has MaxBuffered, see budget.go.
	bytes budget

	// The reporters call functions that are not the agent's own.
	logs, states, reports reporter.Reporter
	hooks                 *semaphore.Weighted // has a unit for each call of an OnFailure function at a deadline

	workers    workers
	preemption preemption
	names      names.Names
	counters   counters
	checks     checks.Checks

	connLog, failureLog loglimit.Limit

	mu        sync.Mutex // guards what follows
	listeners map[net.Listener]struct{}
	checked   bool // listeners has that of AgentCheckAddr
	conns     map[*conn]struct{}
	tasks     int           // goroutines of Message.Go
	gone      chan struct{} // closed when neither is left; made by the first waiting goroutine

	// The steps of the end, each closed once under mu.
	draining chan struct{} // health checks fail, or will after settled
	settled  chan struct{} // Agent.Drain returned
	closing  chan struct{} // no more connections

	abandoned context.Context // ends when handlers are waited for no longer
	abandon   context.CancelFunc
}

// init readies the state on the first use of the agent.
func (a *Agent) init() error {
	s := &a.shared
	s.start.Do(func() {
		s.connLog.Max, s.failureLog.Max = connLines, failureLines
		s.logs.Max, s.states.Max, s.reports.Max = maxLogs, maxStates, maxReports
		s.makeSteps()
		if s.limits, s.err = a.limits(); s.err != nil {
			return
		}
		s.ctx, s.cancel = context.WithCancel(context.Background())
		s.abandoned, s.abandon = context.WithCancel(context.Background())
		s.bytes.free = s.maxBuffered
		s.preemption.init()
		s.notifySlots = semaphore.NewWeighted(int64(s.maxConcurrent))
		s.hooks = semaphore.NewWeighted(math.MaxInt64)
		s.connSlots = semaphore.NewWeighted(int64(s.maxConnections))
	})
	return s.err
}

// makeSteps makes the fields that mu guards: Connections may be called before the first
// use of the agent, and at the same time.
func (s *agentState) makeSteps() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = make(chan struct{})
	s.settled = make(chan struct{})
	s.closing = make(chan struct{})
	s.listeners = make(map[net.Listener]struct{})
	s.conns = make(map[*conn]struct{})
}

// closeLocked closes a channel of the end's steps once.
func closeLocked(step chan struct{}) {
	if !isClosed(step) {
		close(step)
	}
}

func isClosed(step <-chan struct{}) bool {
	select {
	case <-step:
		return true
	default:
		return false
	}
}

// addConn takes a connection into account; it returns false if the agent is
// closing. From then on Close may end the connection.
func (s *agentState) addConn(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isClosed(s.closing) {
		return false
	}
	c.report(StateNew)
	s.conns[c] = struct{}{}
	s.counters.connections.Add(1)
	s.counters.accepted.Add(1)
	return true
}

// removeConn forgets a connection whose goroutine is about to end.
func (s *agentState) removeConn(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	close(c.ended)
	s.lookGoneLocked()
}

// lookGoneLocked closes gone if no connection and no goroutine is left, and none can come.
func (s *agentState) lookGoneLocked() {
	if s.gone != nil && len(s.conns) == 0 && s.tasks == 0 && isClosed(s.closing) {
		closeLocked(s.gone)
	}
}

// allGone returns the channel that is closed when no connection and no goroutine is left.
func (s *agentState) allGone() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == nil {
		s.gone = make(chan struct{})
	}
	s.lookGoneLocked()
	return s.gone
}

// awaitConns waits until no connection is left, or ctx ends.
func (s *agentState) awaitConns(ctx context.Context) {
	for conns := s.openConns(); len(conns) > 0 && ctx.Err() == nil; conns = s.openConns() {
		awaitEnd(ctx, conns[0])
	}
}

// openConns returns the connections there are.
func (s *agentState) openConns() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	cs := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		cs = append(cs, c)
	}
	return cs
}
