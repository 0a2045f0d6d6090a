// Package secret has the names of the arguments and variables that the structs of
// registered handlers tag as secret. Package router notes them at registration; packages
// middleware and inspect ask before they show a value to people.
//
// The names hold in the whole process, for every message: a message that is never bound,
// because it was refused before, has its values hidden, too.
package secret

import (
	"maps"
	"strings"
	"sync/atomic"

	"github.com/spoke-go/spoke/codec"
)

var (
	args names[string]
	vars names[variable]
	// patterns has the beginnings of the names that a map sets.
	patterns names[variable]
)

type variable struct {
	scope codec.Scope
	name  string
}

// Note adds the fields that are tagged as secret. It may be called concurrently.
func Note(fields []codec.FieldInfo, results []codec.VarInfo) {
	for _, f := range fields {
		if f.Secret && f.Name != "" {
			args.add(f.Name)
		}
	}
	for _, v := range results {
		switch {
		case v.Secret && v.Pattern:
			patterns.add(variable{v.Scope, strings.TrimSuffix(v.Name, "*")})
		case v.Secret:
			vars.add(variable{v.Scope, v.Name})
		}
	}
}

// Arg reports whether a struct takes the argument of that name into a secret field.
func Arg(name string) bool { return args.has(name) }

// Var reports whether a struct sets the variable from a secret field.
func Var(scope codec.Scope, name string) bool {
	return vars.has(variable{scope, name}) || patterns.any(func(v variable) bool {
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
