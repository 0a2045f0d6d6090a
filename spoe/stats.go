package spoe

import (
	"sync/atomic"

	"github.com/spoke-go/spoke/codec"
)

// Stats is a snapshot of an agent's counters since its start. The counters are read one by
// one and may not be consistent with each other.
type Stats struct {
	Connections        int64  // open now
	ConnectionsTotal   uint64 // accepted, health checks included
	ConnectionsRefused uint64 // not from one of AllowedPeers
	HealthChecks       uint64 // answered
	HealthChecksFailed uint64 // closed without an answer while shutting down

	Notifies uint64 // NOTIFYs received whole
	Acks     uint64 // ACKs written to the connection
	InFlight int64  // NOTIFYs received and not acknowledged
	Late     int64  // handlers that run on after their ACK left

	ReportsDropped uint64 // dropped log lines, ConnState calls and Message.Report calls

	Errors         uint64 // messages whose handler returned an error
	Panics         uint64 // messages whose handler panicked
	Timeouts       uint64 // messages whose handler missed its deadline
	DroppedActions uint64 // messages whose actions did not fit into the ACK
	Aborted        uint64 // fragmented payloads over MaxPayload, or aborted by HAProxy

	// DisconnectsSent and DisconnectsReceived count DISCONNECT frames by
	// status.
	DisconnectsSent, DisconnectsReceived map[codec.Status]uint64
}

type counters struct {
	connections                          atomic.Int64
	accepted, refused                    atomic.Uint64
	healthChecks, healthChecksFailed     atomic.Uint64
	notifies, acks                       atomic.Uint64
	inFlight, late                       atomic.Int64
	errors, panics, timeouts             atomic.Uint64
	droppedActions, aborted              atomic.Uint64
	disconnectsSent, disconnectsReceived statusCounters
}

// statusCounters has a counter for each status of §3.5; another status counts as unknown.
type statusCounters [16]atomic.Uint64

const otherStatus = 15

func (s *statusCounters) add(status codec.Status) {
	if status > codec.StatusNoResource {
		status = otherStatus
	}
	s[status].Add(1)
}

func (s *statusCounters) snapshot() map[codec.Status]uint64 {
	m := make(map[codec.Status]uint64)
	for i := range s {
		if n := s[i].Load(); n > 0 {
			status := codec.Status(i)
			if i == otherStatus {
				status = codec.StatusUnknown
			}
			m[status] = n
		}
	}
	return m
}

// Stats returns a snapshot of the agent's counters.
func (a *Agent) Stats() Stats {
	c := &a.shared.counters
	return Stats{
		Connections:         c.connections.Load(),
		ConnectionsTotal:    c.accepted.Load(),
		ConnectionsRefused:  c.refused.Load(),
		HealthChecks:        c.healthChecks.Load(),
		HealthChecksFailed:  c.healthChecksFailed.Load(),
		Notifies:            c.notifies.Load(),
		Acks:                c.acks.Load(),
		InFlight:            c.inFlight.Load(),
		Late:                c.late.Load(),
		ReportsDropped:      a.shared.logs.Dropped() + a.shared.states.Dropped() + a.shared.reports.Dropped(),
		Errors:              c.errors.Load(),
		Panics:              c.panics.Load(),
		Timeouts:            c.timeouts.Load(),
		DroppedActions:      c.droppedActions.Load(),
		Aborted:             c.aborted.Load(),
		DisconnectsSent:     c.disconnectsSent.snapshot(),
		DisconnectsReceived: c.disconnectsReceived.snapshot(),
	}
}
