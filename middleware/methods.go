package middleware

import (
	"maps"
	"sync"
	"sync/atomic"
)

const (
	// maxMethods is how many message names telemetry tells apart. HAProxy has a
	// handful; whoever sends others must not fill the memory with them.
	maxMethods      = 256
	maxMethodLength = 128 // bytes
	// otherMethod is the name of all others, by the conventions.
	otherMethod = "_OTHER"
)

// methods keeps a T for each message name.
type methods[T any] struct {
	make  func(method string) T
	known atomic.Pointer[map[string]T]
	mu    sync.Mutex // guards replacing known
}

func (m *methods[T]) get(name string) T {
	if known := m.known.Load(); known != nil {
		if t, ok := (*known)[name]; ok {
			return t
		}
	}
	return m.add(name)
}

func (m *methods[T]) add(name string) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	grown := make(map[string]T)
	if known := m.known.Load(); known != nil {
		if len(*known) >= maxMethods || len(name) > maxMethodLength {
			name = otherMethod
		}
		if t, ok := (*known)[name]; ok {
			return t
		}
		maps.Copy(grown, *known)
	} else if len(name) > maxMethodLength {
		name = otherMethod
	}
	t := m.make(name)
	grown[name] = t
	m.known.Store(&grown)
	return t
}

// all returns what is kept, by name.
func (m *methods[T]) all() map[string]T {
	if known := m.known.Load(); known != nil {
		return *known
	}
	return nil
}
