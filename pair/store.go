package pair

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// Key is the type of the field that takes a value's key in the second message. By this
// type, haproxy.Check knows that the message must go to the agent that has the value.
type Key string

// Store keeps values from one message of a stream to a later one. Make it with [New], and
// close it after the agent ends. It is safe for concurrent use.
//
// All values have the same TTL, so the oldest is always the next to expire, and a list in
// the order of Put is enough. One timer evicts values that are not taken. A Put sets it if no
// other value waits.
type Store[T any] struct {
	cfg Config[T]

	mu     sync.Mutex // guards the fields below
	values map[string]*entry[T]
	oldest *entry[T] // the list's ends, nil if it is empty
	newest *entry[T]
	timer  *time.Timer   // nil before the first Put
	empty  chan struct{} // closed when no value waits; nil unless Drain waits for that
	closed bool
	stats  Stats
	untold int        // values for which Config.Evicted must still return
	told   *sync.Cond // of mu: untold is 0
}

// entry is a value that waits to be taken.
type entry[T any] struct {
	newer, older *entry[T]
	key          string
	value        T
	size         int64
	expires      time.Time
	reason       Reason // once it is evicted
}

// New returns a Store. It panics if the configuration cannot work.
func New[T any](cfg Config[T]) *Store[T] {
	s := &Store[T]{cfg: cfg.withDefaults(), values: make(map[string]*entry[T])}
	s.told = sync.NewCond(&s.mu)
	return s
}

// Put keeps v and returns its key: 26 letters and digits that a visitor cannot guess, so
// that it cannot name the value of another stream. It evicts a value at once after Close, or if
// the value is larger than Config.MaxBytes; Take then finds no value for the key.
func (s *Store[T]) Put(v T) (key string) {
	e := &entry[T]{key: rand.Text(), value: v} // 130 random bits
	if s.cfg.Size != nil {
		e.size = max(s.cfg.Size(v), 0)
	}
	s.mu.Lock()
	s.stats.Put++
	now := time.Now()
	gone := s.expireLocked(now)
	switch {
	case s.closed:
		gone = s.evictedLocked(gone, e, ShutDown)
	case e.size > s.cfg.MaxBytes:
		gone = s.evictedLocked(gone, e, Evicted)
	default:
		for s.stats.Waiting >= s.cfg.MaxEntries || s.stats.Bytes+e.size > s.cfg.MaxBytes {
			gone = s.evictedLocked(gone, s.removeLocked(s.oldest), Evicted)
		}
		e.expires = now.Add(s.cfg.TTL)
		s.addLocked(e)
	}
	s.mu.Unlock()
	s.tell(gone)
	return e.key
}

// Take returns the value of the key and removes it, so it is taken once. ok is false if the
// value was taken, expired or was evicted, or if another store made the key, such as
// another agent's.
func (s *Store[T]) Take(key string) (v T, ok bool) {
	s.mu.Lock()
	gone := s.expireLocked(time.Now())
	if e := s.values[key]; e != nil {
		s.removeLocked(e)
		s.stats.Taken++
		v, ok = e.value, true
	} else {
		s.stats.Missed++
	}
	s.mu.Unlock()
	s.tell(gone)
	return v, ok
}

// Drain waits until no value waits to be taken, or until ctx ends, and then returns the
// error of ctx. Call it from spoe.Agent.Drain: at the end of an agent, later messages still
// find their values. Close evicts the rest.
func (s *Store[T]) Drain(ctx context.Context) error {
	s.mu.Lock()
	if s.oldest == nil {
		s.mu.Unlock()
		return nil
	}
	if s.empty == nil {
		s.empty = make(chan struct{})
	}
	empty := s.empty
	s.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close evicts all values, and waits until Config.Evicted returns for each. Config.Evicted
// must not call Close. A second call only waits.
func (s *Store[T]) Close() {
	s.mu.Lock()
	s.closed = true
	var gone []*entry[T]
	for s.oldest != nil {
		gone = s.evictedLocked(gone, s.removeLocked(s.oldest), ShutDown)
	}
	s.mu.Unlock()
	s.tell(gone)
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.untold > 0 {
		s.told.Wait()
	}
}

// expireLocked removes the values whose TTL is over, and returns them.
func (s *Store[T]) expireLocked(now time.Time) (gone []*entry[T]) {
	for s.oldest != nil && !now.Before(s.oldest.expires) {
		gone = s.evictedLocked(gone, s.removeLocked(s.oldest), Expired)
	}
	return gone
}

// evictedLocked counts e as evicted and adds it to gone, for tell.
func (s *Store[T]) evictedLocked(gone []*entry[T], e *entry[T], r Reason) []*entry[T] {
	s.stats.count(r)
	if s.cfg.Evicted == nil {
		return gone
	}
	e.reason = r
	s.untold++
	return append(gone, e)
}

// tell calls Config.Evicted for each value, even if one call ends its goroutine. The
// caller does not hold the lock.
func (s *Store[T]) tell(gone []*entry[T]) {
	if len(gone) == 0 {
		return
	}
	defer func() { s.tell(gone[1:]) }()
	defer func() {
		panicked := recover() != nil
		s.mu.Lock()
		defer s.mu.Unlock()
		if panicked {
			s.stats.Panics++
		}
		if s.untold--; s.untold == 0 {
			s.told.Broadcast()
		}
	}()
	s.cfg.Evicted(gone[0].value, gone[0].reason)
}

// expire is the function that the timer calls.
func (s *Store[T]) expire() {
	s.mu.Lock()
	gone := s.expireLocked(time.Now())
	if s.oldest != nil {
		s.timer.Reset(time.Until(s.oldest.expires))
	}
	s.mu.Unlock()
	s.tell(gone)
}

// addLocked adds e as the newest.
func (s *Store[T]) addLocked(e *entry[T]) {
	s.values[e.key] = e
	s.stats.Waiting++
	s.stats.Bytes += e.size
	if e.older = s.newest; e.older != nil {
		e.older.newer = e
	} else {
		s.oldest = e
		s.setTimerLocked()
	}
	s.newest = e
}

// setTimerLocked sets the timer for the only value that waits. If several wait, the timer
// sets itself again.
func (s *Store[T]) setTimerLocked() {
	if s.timer == nil {
		s.timer = time.AfterFunc(s.cfg.TTL, s.expire)
	} else {
		s.timer.Reset(s.cfg.TTL)
	}
}

// removeLocked removes e and returns it.
func (s *Store[T]) removeLocked(e *entry[T]) *entry[T] {
	delete(s.values, e.key)
	s.stats.Waiting--
	s.stats.Bytes -= e.size
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		s.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		s.newest = e.older
	}
	if s.oldest == nil && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
	return e
}
