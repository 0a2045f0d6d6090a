package codec

import (
	"maps"
	"strings"
	"sync/atomic"
)

// secretArgs and secretVars have the names that the tags of any compiled
// struct mark as secret.
var (
	secretArgs names[string]
	secretVars names[secretVar]
	// secretPatterns has the beginnings of the names that a map sets.
	secretPatterns names[secretVar]
)

type secretVar struct {
	scope Scope
	name  string
}

// SecretArg reports whether a struct of this program takes the argument of that name
// into a field that its tag marks as secret. It goes by the name alone, whatever the
// message, so that it holds before the message is bound, and if it never is. Ask it
// before you show a value to people.
func SecretArg(name string) bool { return secretArgs.has(name) }

// SecretVar reports whether a struct of this program sets the variable from a
// field that its tag marks as secret.
func SecretVar(scope Scope, name string) bool {
	return secretVars.has(secretVar{scope, name}) || secretPatterns.any(func(v secretVar) bool {
		return v.scope == scope && strings.HasPrefix(name, v.name)
	})
}

// names is a set that grows while it is read.
type names[K comparable] struct {
	known atomic.Pointer[map[K]struct{}]
}

func (n *names[K]) has(name K) bool {
	known := n.known.Load()
	if known == nil {
		return false
	}
	_, ok := (*known)[name]
	return ok
}

// any reports whether f holds for one of the names.
func (n *names[K]) any(f func(K) bool) bool {
	known := n.known.Load()
	if known == nil {
		return false
	}
	for name := range *known {
		if f(name) {
			return true
		}
	}
	return false
}

func (n *names[K]) add(name K) {
	for {
		old, grown := n.known.Load(), map[K]struct{}{name: {}}
		if old != nil {
			maps.Copy(grown, *old)
		}
		if n.known.CompareAndSwap(old, &grown) {
			return
		}
	}
}
