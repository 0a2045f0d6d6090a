package main

import (
	"net/netip"
	"sync"
	"time"
)

// guesses slows down who tries passwords. After a few wrong ones the user's name and the
// visitor's network have to wait, twice as long each time. Passwords that are being tried
// count as wrong ones, or many at once would cost as little as one.
type guesses struct {
	delay time.Duration
	now   func() time.Time

	mu sync.Mutex // guards by
	by map[string]guess
}

type guess struct {
	wrong, trying int
	until         time.Time
}

// How long a network waits at most, and a name: that is shorter, since anybody can make
// the owner of a name wait. After guessMemory without a wrong password all is forgotten.
const (
	maxNetworkWait = time.Minute
	maxNameWait    = 2 * time.Second
	guessMemory    = 10 * time.Minute
	freeGuesses    = 3  // of a name
	freeTries      = 16 // of a network at once: many people may share one
)

func newGuesses(delay time.Duration, now func() time.Time) *guesses {
	return &guesses{delay: delay, now: now, by: make(map[string]guess)}
}

// network names the part of an address that one visitor has for itself.
func network(from netip.Addr) string {
	from = from.Unmap()
	bits := 32
	if from.Is6() {
		bits = 64
	}
	p, _ := from.Prefix(bits)
	return "net " + p.String()
}

// begin reports whether a password may be tried now. If so, end must follow.
func (g *guesses) begin(name string, from netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	n, f := g.by["name "+name], g.by[network(from)]
	if now.Before(n.until) || now.Before(f.until) || n.trying > freeGuesses || f.trying >= freeTries {
		return false
	}
	n.trying++
	f.trying++
	g.by["name "+name], g.by[network(from)] = n, f
	return true
}

// end tells whether the password was wrong.
func (g *guesses) end(name string, from netip.Addr, wrong bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for key, longest := range map[string]time.Duration{"name " + name: maxNameWait, network(from): maxNetworkWait} {
		w := g.by[key]
		w.trying--
		if now.Sub(w.until) > guessMemory {
			w.wrong = 0
		}
		if wrong {
			w.wrong++
			w.until = now
			if w.wrong > freeGuesses {
				w.until = now.Add(min(longest, g.delay<<min(w.wrong-freeGuesses, 16)))
			}
		}
		g.by[key] = w
		if w.wrong == 0 && w.trying == 0 {
			delete(g.by, key)
		}
	}
	if len(g.by) >= maxCached {
		for key, w := range g.by {
			if w.trying == 0 && (now.Sub(w.until) > guessMemory || len(g.by) >= 2*maxCached) {
				delete(g.by, key)
			}
		}
	}
}
