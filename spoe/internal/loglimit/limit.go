// Package loglimit bounds how many log lines of a kind are written.
package loglimit

import (
	"sync"
	"time"
)

// Limit lets Max lines pass in a second. Take may be called concurrently.
type Limit struct {
	Max int

	mu      sync.Mutex // guards what follows
	since   time.Time
	passed  int
	skipped uint64
}

// Take reports whether one more line may pass at the time t, and how many have not since
// the last one that did.
func (k *Limit) Take(t time.Time) (ok bool, skipped uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t.Sub(k.since) >= time.Second {
		k.since, k.passed = t, 0
	}
	if k.passed == k.Max {
		k.skipped++
		return false, 0
	}
	k.passed++
	skipped, k.skipped = k.skipped, 0
	return true, skipped
}
