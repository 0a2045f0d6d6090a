// Package secret has the names of headers that are secrets for nearly everybody, and of
// the arguments and variables that the structs of registered handlers tag as secret. Package router notes them at registration; packages
// middleware and inspect ask before they show a value to people.
//
// The names hold in the whole process, for every message: a message that is never bound,
// because it was refused before, has its values hidden, too.
package secret

import (
	"math"
	"slices"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/cowmap"
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
	if vars.has(variable{scope, name}) {
		return true
	}
	for v := range patterns.known.All() {
		if v.scope == scope && strings.HasPrefix(name, v.name) {
			return true
		}
	}
	return false
}

// Headers are the headers whose values are secrets, in lower case.
var Headers = []string{"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-csrf-token"}

// Header reports whether a header is secret, or the argument or variable that is named
// after one, with '_' for '-'.
func Header(name string) bool {
	return slices.Contains(Headers, strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), "_", "-")))
}

// Names holds the names, from a configuration, of arguments and variables whose values are
// hidden in addition to those of Arg and Var; variables are without their scope.
type Names map[string]bool

// NewNames returns the set of these names.
func NewNames(names []string) Names {
	n := make(Names, len(names))
	for _, name := range names {
		n[name] = true
	}
	return n
}

// Arg is the function Arg for these names, too.
func (n Names) Arg(name string) bool { return n[name] || Arg(name) }

// Var is the function Var for these names, too.
func (n Names) Var(scope codec.Scope, name string) bool { return n[name] || Var(scope, name) }

// names is a set that grows while it is read.
type names[K comparable] struct{ known cowmap.Map[K, bool] }

func (n *names[K]) has(name K) bool { return n.known.All()[name] }

func (n *names[K]) add(name K) {
	n.known.Add(name, math.MaxInt, name, func(K) bool { return true })
}
