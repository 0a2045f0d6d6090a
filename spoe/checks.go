package spoe

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// checks remembers which HAProxies check the agent's health, so that Shutdown
// knows when they have turned to other servers.
type checks struct {
	mu      sync.Mutex // guards what follows
	sources map[string]*checkSource
	needed  int           // failed checks of each source, set by failing
	done    chan struct{} // closed when each source has had them; made by failing
	again   *time.Timer   // looks for sources that are gone
}

type checkSource struct {
	last    time.Time
	every   time.Duration // between the last two
	failed  int
	asks    bool // it asks at Agent.AgentCheckAddr
	drained bool // it has read there that the agent drains
}

const (
	// maxSources bounds the sources remembered.
	maxSources = 1024
	// firstInterval is the assumed interval of a source that has checked once.
	firstInterval = 5 * time.Second
	// maxInterval is the longest interval that Shutdown waits for; HAProxy's default is 2
	// s.
	maxInterval = time.Minute
	// missedChecks is after how many intervals without a check, and a second,
	// a source counts as gone.
	missedChecks = 3
)

// drained notes that the HAProxy at peer has read that the agent drains.
func (k *checks) drained(peer net.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.sources[hostOf(peer)]; s != nil {
		s.drained = true
		k.lookLocked()
	}
}

// gone returns when the source will count as gone unless it checks again.
func (s *checkSource) gone() time.Time {
	return s.last.Add(missedChecks*s.every + time.Second)
}

// seenHealth notes a health check from peer and reports whether it must fail: while the
// agent drains, unless that HAProxy asks at Agent.AgentCheckAddr and the agent still waits
// for it to use other servers.
func (k *checks) seenHealth(peer net.Addr, draining, settled bool) (fail bool) {
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

// seenAgentCheck notes an agent-check from peer.
func (k *checks) seenAgentCheck(peer net.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seenLocked(peer).asks = true
}

func (k *checks) seenLocked(peer net.Addr) *checkSource {
	t := time.Now()
	key := hostOf(peer)
	if s := k.sources[key]; s != nil {
		s.every, s.last = min(t.Sub(s.last), maxInterval), t
		return s
	}
	if k.sources == nil || len(k.sources) >= maxSources {
		k.sources = make(map[string]*checkSource)
	}
	s := &checkSource{last: t, every: firstInterval}
	k.sources[key] = s
	return s
}

// failing returns a channel that is closed once each source that has not gone
// has seen n checks fail.
func (k *checks) failing(n int) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done == nil {
		k.needed, k.done = n, make(chan struct{})
		k.lookLocked()
	}
	return k.done
}

// lookLocked closes done if no source is awaited, and runs again when the next source could
// be gone.
func (k *checks) lookLocked() {
	if k.done == nil || isClosed(k.done) {
		return
	}
	t := time.Now()
	var next time.Time
	for _, s := range k.sources {
		if gone := s.gone(); !s.drained && s.failed < k.needed && gone.After(t) && (next.IsZero() || gone.Before(next)) {
			next = gone
		}
	}
	if next.IsZero() {
		close(k.done)
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

// stop ends the looking, for a Shutdown that has gone on.
func (k *checks) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.again != nil {
		k.again.Stop()
	}
}

// hostOf returns the identity of a HAProxy: its address without the port.
func hostOf(a net.Addr) string {
	s := addrString(a)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().String()
	}
	return s
}
