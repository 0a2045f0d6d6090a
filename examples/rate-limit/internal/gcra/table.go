package gcra

import (
	"hash/maphash"
	"sync"
	"time"
)

// Table keeps the TATs of a bounded number of keys on this process's monotonic clock. It
// keeps keys as hashes of 64 bits with a secret seed. Its methods may be called
// concurrently.
type Table struct {
	most  int
	seed  maphash.Seed
	begun time.Time

	mu   sync.Mutex // guards tats
	tats map[uint64]int64
}

// NewTable returns a table of at most that many keys, 1 or more.
func NewTable(most int) *Table {
	return &Table{most: most, seed: maphash.MakeSeed(), begun: time.Now(), tats: make(map[uint64]int64)}
}

// Ahead sets ahead to how far the TAT of each charge's key is ahead, in ticks.
func (t *Table) Ahead(charges []Charge, ahead []int64) {
	now := t.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.aheadLocked(charges, ahead, now)
}

// Charge is Ahead, and charges the request unless it is refused.
func (t *Table) Charge(charges []Charge, ahead []int64) {
	now := t.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.aheadLocked(charges, ahead, now)
	if Refused(charges, ahead) {
		return
	}
	for i, c := range charges {
		if !c.Over(ahead[i]) {
			t.setLocked(t.hash(c.Key), now+ahead[i]+c.Increment())
		}
	}
}

// Set sets a key's TAT, in ticks of [Table.Now].
func (t *Table) Set(key string, tat int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setLocked(t.hash(key), tat)
}

// Len returns the number of keys in the table.
func (t *Table) Len() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(len(t.tats))
}

// Now is the table's clock, in ticks since NewTable.
func (t *Table) Now() int64 { return int64(time.Since(t.begun) / Tick) }

func (t *Table) hash(key string) uint64 { return maphash.String(t.seed, key) }

func (t *Table) aheadLocked(charges []Charge, ahead []int64, now int64) {
	for i, c := range charges {
		ahead[i] = min(max(t.tats[t.hash(c.Key)]-now, 0), c.Tolerance())
	}
}

// setLocked makes space: of a few random keys it forgets the one with the earliest TAT,
// which may be in the past, so that forgetting it changes nothing.
func (t *Table) setLocked(hash uint64, tat int64) {
	if _, there := t.tats[hash]; !there && len(t.tats) >= t.most {
		const few = 8
		var earliest uint64
		seen := 0
		for h, at := range t.tats {
			if seen == 0 || at < t.tats[earliest] {
				earliest = h
			}
			if seen++; seen == few {
				break
			}
		}
		delete(t.tats, earliest)
	}
	t.tats[hash] = tat
}
