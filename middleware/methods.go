package middleware

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/spoke-go/spoke/internal/safetext"
)

const (
	// maxMethods is the number of message names that telemetry distinguishes. HAProxy
	// has a handful; a peer that sends others must not fill the memory with them.
	maxMethods      = 256
	maxMethodLength = 128 // bytes
	// otherMethod stands for all other names, by the conventions.
	otherMethod = "_OTHER"
)

// methods keeps a T for each message name. Names that HAProxy cannot have, being
// too long or not fit for a label, count as otherMethod.
type methods[T any] struct {
	make  func(method string) T
	known atomic.Pointer[map[string]T]
	mu    sync.Mutex // guards replacing known
}

func (m *methods[T]) get(name string) T {
	if t, ok := m.all()[name]; ok {
		return t
	}
	return m.add(name)
}

func (m *methods[T]) add(name string) T {
	if safetext.Clip(name, maxMethodLength) != name {
		name = otherMethod
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.all()
	if len(known) >= maxMethods {
		name = otherMethod
	}
	if t, ok := known[name]; ok {
		return t
	}
	grown := make(map[string]T, len(known)+1)
	maps.Copy(grown, known)
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
