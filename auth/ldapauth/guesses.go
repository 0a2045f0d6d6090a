package ldapauth

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/spoke-go/spoke/auth/internal/cache"
)

// guesses slows down programs that try passwords. After a few wrong ones a user and the
// visitor's network have to wait, twice as long each time. A password in progress counts as
// a wrong one; otherwise many at once would cost as little as one.
type guesses struct {
	delay time.Duration
	now   func() time.Time

	mu sync.Mutex // guards by
	by map[source]guess
}

// source is a user or a network whose wrong passwords are counted.
type source struct{ kind, name string }

type guess struct {
	wrong, trying int
	until         time.Time
}

const (
	freeGuesses = 3
	guessMemory = 10 * time.Minute // without a wrong password for this time, the count is forgotten
)

// limits are the maximum number of passwords that a source may try at once, and its longest
// wait. Many people may share a network; the wait of a user is short, because any visitor
// can make the owner of a name wait.
var limits = map[string]struct {
	atOnce  int
	longest time.Duration
}{"user": {freeGuesses + 1, 2 * time.Second}, "network": {16, time.Minute}}

func newGuesses(delay time.Duration, now func() time.Time) *guesses {
	return &guesses{delay: delay, now: now, by: make(map[source]guess)}
}

// ofUser returns the user with a DN or, for a name without an entry, with that name. It
// ignores case and spaces, as a directory does.
func ofUser(name string) source {
	return source{"user", strings.ToLower(strings.ToUpper(strings.Join(strings.Fields(name), " ")))}
}

// ofNetwork returns the network of one visitor: a part of the address.
func ofNetwork(from netip.Addr) source {
	from = from.Unmap()
	bits := 32
	if from.Is6() {
		bits = 64
	}
	p, _ := from.Prefix(bits)
	return source{"network", p.String()}
}

// begin reports whether a password may be tried now. If so, end must follow.
func (g *guesses) begin(s source) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.by[s]
	if g.now().Before(w.until) || w.trying >= limits[s.kind].atOnce {
		return false
	}
	w.trying++
	g.by[s] = w
	return true
}

// end ends the attempt; wrong reports whether the password was wrong.
func (g *guesses) end(s source, wrong bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	w := g.by[s]
	w.trying--
	if now.Sub(w.until) > guessMemory {
		w.wrong = 0
	}
	if wrong {
		w.wrong++
		w.until = now
		if w.wrong > freeGuesses {
			w.until = now.Add(min(limits[s.kind].longest, g.delay<<min(w.wrong-freeGuesses, 16)))
		}
	}
	g.by[s] = w
	if w.wrong == 0 && w.trying == 0 {
		delete(g.by, s)
	}
	if len(g.by) >= cache.Size {
		for key, w := range g.by {
			if w.trying == 0 && (now.Sub(w.until) > guessMemory || len(g.by) >= 2*cache.Size) {
				delete(g.by, key)
			}
		}
	}
}
