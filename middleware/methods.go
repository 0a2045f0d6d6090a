package middleware

import (
	"github.com/spoke-go/spoke/internal/cowmap"
	"github.com/spoke-go/spoke/internal/safetext"
)

const (
	// maxMethods is the number of message names that telemetry distinguishes. HAProxy
	// has a few; a peer that sends others must not fill the memory with them.
	maxMethods      = 256
	maxMethodLength = 128 // bytes
	// otherMethod stands for all other names, by the conventions.
	otherMethod = "_OTHER"
)

// methods keeps a T for each message name. A name that is too long, or that HAProxy or
// a label cannot have, counts as otherMethod.
type methods[T any] struct {
	make   func(method string) T
	byName cowmap.Map[string, T]
}

func (m *methods[T]) get(name string) T {
	if t, ok := m.byName.All()[name]; ok {
		return t
	}
	if safetext.Clip(name, maxMethodLength) != name {
		name = otherMethod
	}
	return m.byName.Add(name, maxMethods, otherMethod, m.make)
}

// all returns the values by name.
func (m *methods[T]) all() map[string]T { return m.byName.All() }
