// Package checks remembers which HAProxies check an agent's health, so that its shutdown
// knows when they have turned to other servers.
package checks

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// Checks are the HAProxies that checked. The zero value is ready; the methods may be
// called concurrently.
type Checks struct {
	mu      sync.Mutex // guards what follows
	sources map[string]*source
	most    int           // failed checks of a source that is awaited, set by Failing
	done    chan struct{} // closed when each source has had them; made by Failing
	closed  bool          // done is closed
	again   *time.Timer   // looks for sources that are gone
}

type source struct {
	last    time.Time
	every   time.Duration // between the last two
	failed  int
	asks    bool // it asks at Agent.AgentCheckAddr
	drained bool // it read there that the agent drains
}

const (
	// maxSources bounds the sources remembered.
	maxSources = 1024
	// firstInterval is the assumed interval of a source that checked once.
	firstInterval = 5 * time.Second
	// maxInterval is the longest interval that Shutdown waits for; HAProxy's default is 2
	// s.
	maxInterval = time.Minute
	// missedChecks is after how many intervals without a check, and a second,
	// a source counts as gone.
	missedChecks = 3
)

// Drained notes that the HAProxy at peer knows that the agent drains.
func (k *Checks) Drained(peer net.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.sources[hostOf(peer)]; s != nil {
		s.drained = true
		k.lookLocked()
	}
}

// gone returns when the source will count as gone unless it checks again.
func (s *source) gone() time.Time {
	return s.last.Add(missedChecks*s.every + time.Second)
}

// SeenHealth notes a health check from peer and reports whether it must fail: while the
// agent drains, unless that HAProxy asks at Agent.AgentCheckAddr and the agent still waits
// for it to use other servers.
func (k *Checks) SeenHealth(peer net.Addr, draining, settled bool) (fail bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.seenLocked(peer)
	if !draining || s.asks && !settled {
		return false
	}
	s.failed++
	k.lookLocked()
	return true
}

// SeenAgentCheck notes an agent-check from peer.
func (k *Checks) SeenAgentCheck(peer net.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seenLocked(peer).asks = true
}

func (k *Checks) seenLocked(peer net.Addr) *source {
	t := time.Now()
	key := hostOf(peer)
	if s := k.sources[key]; s != nil {
		s.every, s.last = min(t.Sub(s.last), maxInterval), t
		return s
	}
	if k.sources == nil || len(k.sources) >= maxSources {
		k.sources = make(map[string]*source)
	}
	s := &source{last: t, every: firstInterval}
	k.sources[key] = s
	return s
}

// Failing returns a channel that is closed once each source that has not gone
// has seen more than n checks fail.
func (k *Checks) Failing(n int) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done == nil {
		k.most, k.done = n, make(chan struct{})
		k.lookLocked()
	}
	return k.done
}

// lookLocked closes done if no source is awaited, and runs again when the next source could
// be gone.
func (k *Checks) lookLocked() {
	if k.done == nil || k.closed {
		return
	}
	t := time.Now()
	var next time.Time
	for _, s := range k.sources {
		if gone := s.gone(); !s.drained && s.failed <= k.most && gone.After(t) && (next.IsZero() || gone.Before(next)) {
			next = gone
		}
	}
	if next.IsZero() {
		close(k.done)
		k.closed = true
		return
	}
	if k.again != nil {
		k.again.Stop()
	}
	k.again = time.AfterFunc(next.Sub(t), func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.lookLocked()
	})
}

// Stop ends the looking, for a Shutdown that goes on.
func (k *Checks) Stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.again != nil {
		k.again.Stop()
	}
}

// AnyDrained reports whether a HAProxy knows that the agent drains.
func (k *Checks) AnyDrained() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.sources {
		if s.drained {
			return true
		}
	}
	return false
}

// Sources returns how many HAProxies are remembered.
func (k *Checks) Sources() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.sources)
}

// hostOf returns the identity of a HAProxy: its address without the port.
func hostOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		return ap.Addr().String()
	}
	return a.String()
}
