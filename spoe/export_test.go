package spoe

import (
	"net"

	"github.com/spoke-go/spoke/codec"
)

// PoisonBuffers has a NOTIFY's bytes overwritten when its handlers are done.
func PoisonBuffers() { poison = true }

// IdleWorkers returns how many workers wait for work.
func (a *Agent) IdleWorkers() int {
	a.shared.workers.mu.Lock()
	defer a.shared.workers.mu.Unlock()
	return len(a.shared.workers.idle)
}

// KnownNames returns how many names of messages the agent keeps.
func (a *Agent) KnownNames() int {
	return a.shared.names.Len()
}

// NoteCheck notes a health check from peer, and returns how many peers are remembered.
func (a *Agent) NoteCheck(peer net.Addr) int {
	a.shared.checks.SeenHealth(peer, false, false)
	return a.shared.checks.Sources()
}

// AskReaders makes the readers end connections on which nothing is in flight, as the
// clock does after a quiet moment.
func (a *Agent) AskReaders() {
	for _, c := range a.shared.openConns() {
		c.askReader(&farewell{codec.StatusNormal, ""})
	}
}

// Taken returns how much of MaxBuffered is taken at the moment.
func (a *Agent) Taken() int {
	a.shared.bytes.mu.Lock()
	defer a.shared.bytes.mu.Unlock()
	return a.shared.maxBuffered - a.shared.bytes.free
}
