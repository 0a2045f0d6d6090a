package pair

// Stats is a snapshot of a store. The numbers belong together: Put = Taken +
// Expired + Evicted + ShutDown + Waiting.
type Stats struct {
	Waiting int   // values that can be taken
	Bytes   int64 // of these, by Config.Size

	Put      uint64 // values put
	Taken    uint64 // values taken
	Missed   uint64 // calls of Take that found no value
	Expired  uint64 // values not taken in time
	Evicted  uint64 // values that newer ones replaced
	ShutDown uint64 // values that waited at Close, or were put after it

	Panics uint64 // calls of Config.Evicted that panicked
}

// Stats returns a snapshot.
func (s *Store[T]) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

func (s *Stats) count(r Reason) {
	switch r {
	case Expired:
		s.Expired++
	case Evicted:
		s.Evicted++
	case ShutDown:
		s.ShutDown++
	}
}
