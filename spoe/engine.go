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

// engine is the state of a running agent.
type engine struct {
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
	conns     map[*conn]struct{}
	tasks     int           // goroutines of Message.Go
	gone      chan struct{} // closed when neither is left; made by the first waiting goroutine

	// The steps of the end, each closed once under mu.
	draining chan struct{} // health checks fail, or will after settled
	settled  chan struct{} // Agent.Drain has returned
	closing  chan struct{} // no more connections

	abandoned context.Context // ends when handlers are waited for no longer
	abandon   context.CancelFunc
}

// init readies the engine on the first use of the agent.
func (a *Agent) init() error {
	e := &a.eng
	e.start.Do(func() {
		e.connLog.Max, e.failureLog.Max = connLines, failureLines
		e.logs.Max, e.states.Max, e.reports.Max = maxLogs, maxStates, maxReports
		e.makeSteps()
		if e.limits, e.err = a.limits(); e.err != nil {
			return
		}
		e.ctx, e.cancel = context.WithCancel(context.Background())
		e.abandoned, e.abandon = context.WithCancel(context.Background())
		e.bytes.free = e.maxBuffered
		e.preemption.init()
		e.notifySlots = semaphore.NewWeighted(int64(e.maxConcurrent))
		e.hooks = semaphore.NewWeighted(math.MaxInt64)
		e.connSlots = semaphore.NewWeighted(int64(e.maxConnections))
	})
	return e.err
}

// makeSteps makes the fields that mu guards: Connections may be called before the first
// use of the agent, and at the same time.
func (e *engine) makeSteps() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.draining = make(chan struct{})
	e.settled = make(chan struct{})
	e.closing = make(chan struct{})
	e.listeners = make(map[net.Listener]struct{})
	e.conns = make(map[*conn]struct{})
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
// closing.
func (e *engine) addConn(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if isClosed(e.closing) {
		return false
	}
	e.conns[c] = struct{}{}
	e.counters.connections.Add(1)
	e.counters.accepted.Add(1)
	return true
}

// removeConn forgets a connection whose goroutine is about to end.
func (e *engine) removeConn(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
	close(c.ended)
	e.lookGoneLocked()
}

// lookGoneLocked closes gone if no connection and no goroutine is left, and none can come.
func (e *engine) lookGoneLocked() {
	if e.gone != nil && len(e.conns) == 0 && e.tasks == 0 && isClosed(e.closing) {
		closeLocked(e.gone)
	}
}

// allGone returns the channel that is closed when no connection and no goroutine is left.
func (e *engine) allGone() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.gone == nil {
		e.gone = make(chan struct{})
	}
	e.lookGoneLocked()
	return e.gone
}

// awaitConns waits until no connection is left, or ctx ends.
func (e *engine) awaitConns(ctx context.Context) {
	for conns := e.openConns(); len(conns) > 0 && ctx.Err() == nil; conns = e.openConns() {
		select {
		case <-conns[0].ended:
		case <-ctx.Done():
		}
	}
}

// openConns returns the connections there are.
func (e *engine) openConns() []*conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	cs := make([]*conn, 0, len(e.conns))
	for c := range e.conns {
		cs = append(cs, c)
	}
	return cs
}
