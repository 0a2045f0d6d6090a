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
	needed  int           // failed checks of each source, set by Shutdown
	done    chan struct{} // closed when each source has had them
}

type checkSource struct {
	last   time.Time
	failed int
}

const (
	// maxSources bounds the sources remembered.
	maxSources = 1024
	// checkMemory is after how long without a check a source counts as gone.
	checkMemory = time.Minute
)

// seen notes a health check from peer. fail returns as given.
func (k *checks) seen(peer net.Addr, fail bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := hostOf(peer)
	s := k.sources[key]
	if s == nil {
		if k.sources == nil {
			k.sources = make(map[string]*checkSource)
		}
		if len(k.sources) >= maxSources {
			clear(k.sources)
		}
		s = new(checkSource)
		k.sources[key] = s
	}
	s.last = time.Now()
	if fail {
		s.failed++
		k.endLocked()
	}
	return fail
}

// failing returns a channel that is closed once each source that has checked
// lately has seen n checks fail.
func (k *checks) failing(n int) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, s := range k.sources {
		if time.Since(s.last) > checkMemory {
			delete(k.sources, key)
		}
	}
	k.needed, k.done = n, make(chan struct{})
	k.endLocked()
	return k.done
}

func (k *checks) endLocked() {
	if k.done == nil {
		return
	}
	for _, s := range k.sources {
		if s.failed < k.needed {
			return
		}
	}
	closeLocked(k.done)
}

// hostOf is what tells one HAProxy from another: its address without the port.
func hostOf(a net.Addr) string {
	s := addrString(a)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().String()
	}
	return s
}
