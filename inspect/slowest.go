package inspect

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	slowestKept = 10
	slowestAge  = 5 * time.Minute
)

// slowest has the slowest messages of the last minutes.
type slowest struct {
	least atomic.Int64 // the list takes only messages that took longer than this

	samplesMu sync.Mutex // guards samples
	samples   []*sample  // slowest first
}

// wants reports whether the list takes a message with this duration. It runs for each
// message, so it only looks at the least time.
func (s *slowest) wants(took time.Duration) bool { return int64(took) > s.least.Load() }

func (s *slowest) add(x *sample) {
	s.samplesMu.Lock()
	defer s.samplesMu.Unlock()
	s.samples = append(s.samples, x)
	s.tidyLocked(x.at)
}

func (s *slowest) reset() {
	s.samplesMu.Lock()
	defer s.samplesMu.Unlock()
	s.samples = nil
	s.least.Store(0)
}

func (s *slowest) snapshot(now time.Time) []*sample {
	s.samplesMu.Lock()
	defer s.samplesMu.Unlock()
	s.tidyLocked(now)
	return slices.Clone(s.samples)
}

// tidyLocked drops samples that are too old or too many.
func (s *slowest) tidyLocked(now time.Time) {
	s.samples = slices.DeleteFunc(s.samples, func(x *sample) bool { return now.Sub(x.at) > slowestAge })
	slices.SortStableFunc(s.samples, func(a, b *sample) int { return cmp.Compare(b.took, a.took) })
	least := time.Duration(0)
	if len(s.samples) >= slowestKept {
		s.samples = slices.Delete(s.samples, slowestKept, len(s.samples))
		least = s.samples[slowestKept-1].took
	}
	s.least.Store(int64(least))
}
