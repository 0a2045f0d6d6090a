// Package names keeps one string for each message name seen.
package names

import (
	"math"

	"github.com/spoke-go/spoke/internal/cowmap"
)

// Names keeps a string for each message name seen, so that a message's Name costs no
// allocation and is safe to keep. HAProxy has a handful of names; beyond 512 of them, or 128
// bytes, a message allocates its string. The zero Names is ready; the methods may be called
// concurrently.
type Names struct{ known cowmap.Map[string, string] }

const (
	maxNames      = 512
	maxNameLength = 128
)

// Get returns b as a string.
func (n *Names) Get(b []byte) string {
	known := n.known.All()
	if s, ok := known[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) > maxNameLength || len(known) >= maxNames {
		return s
	}
	return n.known.Add(s, math.MaxInt, "", func(s string) string { return s })
}

// Len returns how many names are kept.
func (n *Names) Len() int { return len(n.known.All()) }
