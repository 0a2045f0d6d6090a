package spoe

import (
	"sync"
	"time"

	"github.com/spoke-go/spoke/internal/reporter"
)

// The lengths of the queues.
const (
	maxLogs    = 256
	maxStates  = 16384
	maxReports = 4096
)

// tasks counts goroutines, so that the end of an agent can wait for them.
type tasks struct {
	mu   sync.Mutex // guards what follows
	n    int
	none chan struct{} // closed when n is 0; made by the waiting goroutine
}

func (k *tasks) add() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.n++
}

func (k *tasks) done() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n--; k.n == 0 && k.none != nil {
		closeLocked(k.none)
	}
}

// wait waits until no goroutine is left, or for d.
func (k *tasks) wait(d time.Duration) {
	k.mu.Lock()
	if k.n == 0 {
		k.mu.Unlock()
		return
	}
	k.none = make(chan struct{})
	none := k.none
	k.mu.Unlock()
	await(none, d)
}

// await waits for done, or for d.
func await(done <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// awaitReports waits for the hooks and the reporters, a second for all of them, because
// none of these functions is the agent's own.
func (e *engine) awaitReports() {
	end := time.Now().Add(closeGrace)
	e.hooks.wait(closeGrace)
	for _, r := range []*reporter.Reporter{&e.states, &e.reports, &e.logs} {
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
	if m.eng == nil { // no agent has received the message
		f()
		return
	}
	m.eng.reports.Add(f)
}
