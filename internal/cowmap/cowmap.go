// Package cowmap has a map that is read at each message and grows a few times in the life
// of the process. Reading takes no lock: to grow, the map is replaced by a larger copy.
package cowmap

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Map is such a map. The zero Map is empty. It may be used concurrently.
type Map[K comparable, V any] struct {
	mu    sync.Mutex // guards replacing known
	known atomic.Pointer[map[K]V]
}

// All returns the map as it is now. It must not be changed.
func (m *Map[K, V]) All() map[K]V {
	if known := m.known.Load(); known != nil {
		return *known
	}
	return nil
}

// Add returns the value of key and, if there is none, adds the one that make returns.
// make is not called concurrently. A map of limit keys does not grow, but for other,
// which then stands for all further keys.
func (m *Map[K, V]) Add(key K, limit int, other K, make func(K) V) V {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.All()
	if _, ok := known[key]; !ok && len(known) >= limit {
		key = other
	}
	if v, ok := known[key]; ok {
		return v
	}
	grown := maps.Clone(known)
	if grown == nil {
		grown = map[K]V{}
	}
	v := make(key)
	grown[key] = v
	m.known.Store(&grown)
	return v
}

// Clear removes all keys.
func (m *Map[K, V]) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known.Store(nil)
}
