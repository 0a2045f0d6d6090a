package spoe

import (
	"net"

	"github.com/spoke-go/spoke/codec"
)

// PoisonBuffers has a NOTIFY's bytes overwritten when its handlers are done.
func PoisonBuffers() { poison = true }

// IdleWorkers returns how many workers wait for work.
func (a *Agent) IdleWorkers() int {
	a.eng.workers.mu.Lock()
	defer a.eng.workers.mu.Unlock()
	return len(a.eng.workers.idle)
}

// KnownNames returns how many names of messages the agent keeps.
func (a *Agent) KnownNames() int {
	return a.eng.names.Len()
}

// NoteCheck notes a health check from peer, and returns how many peers are remembered.
func (a *Agent) NoteCheck(peer net.Addr) int {
	a.eng.checks.SeenHealth(peer, false, false)
	return a.eng.checks.Sources()
}

// AskReaders makes the readers end connections on which nothing is in flight, as the
// clock does after a quiet moment.
func (a *Agent) AskReaders() {
	for _, c := range a.eng.openConns() {
		c.askReader(&farewell{codec.StatusNormal, ""})
	}
}

// Taken returns how much of MaxBuffered is taken at the moment.
func (a *Agent) Taken() int {
	a.eng.bytes.mu.Lock()
	defer a.eng.bytes.mu.Unlock()
	return a.eng.maxBuffered - a.eng.bytes.free
}
