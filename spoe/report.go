package spoe

import (
	"context"
	"math"
	"time"

	"github.com/spoke-go/spoke/internal/reporter"
)

// The lengths of the queues.
const (
	maxLogs    = 256
	maxStates  = 16384
	maxReports = 4096
)

// awaitReports waits for the hooks and the reporters, a second for all of them, because
// none of these functions is the agent's own.
func (s *agentState) awaitReports() {
	end := time.Now().Add(closeGrace)
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	if s.hooks.Acquire(ctx, math.MaxInt64) == nil {
		s.hooks.Release(math.MaxInt64)
	}
	for _, r := range []*reporter.Reporter{&s.states, &s.reports, &s.logs} {
		r.Wait(time.Until(end))
		r.Drop()
	}
}

// Report calls f later, from a goroutine that no message waits for. A middleware uses it to
// log or to send a record. Reports are called one after the other; up to 4096 wait, and
// further ones are dropped and counted in Stats.ReportsDropped. At its end Run waits for
// them for a second.
//
// f must not use the message, its arguments or the actions: copy what it needs.
func (m *Message) Report(f func()) {
	if m.shared == nil { // no agent received the message
		f()
		return
	}
	m.shared.reports.Add(f)
}
