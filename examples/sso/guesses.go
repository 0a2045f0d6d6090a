package main

import (
	"net/netip"
	"sync"
	"time"
)

// guesses slows down who tries passwords. After a wrong one the user's name and the
// visitor's network have to wait, twice as long each time.
type guesses struct {
	delay time.Duration
	now   func() time.Time

	mu sync.Mutex // guards by
	by map[string]guess
}

type guess struct {
	wrong int
	until time.Time
}

// How long a network waits at most, and a name: that is shorter, since anybody can make
// the owner of a name wait. After guessMemory without a wrong password all is forgotten.
const (
	maxNetworkWait = time.Minute
	maxNameWait    = 2 * time.Second
	guessMemory    = 10 * time.Minute
	freeGuesses    = 3
)

func newGuesses(delay time.Duration, now func() time.Time) *guesses {
	return &guesses{delay: delay, now: now, by: make(map[string]guess)}
}

// network returns the part of an address that one visitor has to himself.
func network(from netip.Addr) string {
	from = from.Unmap()
	bits := 32
	if from.Is6() {
		bits = 64
	}
	p, _ := from.Prefix(bits)
	return "net " + p.String()
}

// may reports whether a password may be tried now.
func (g *guesses) may(name string, from netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	return !now.Before(g.by["name "+name].until) && !now.Before(g.by[network(from)].until)
}

func (g *guesses) wrong(name string, from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if len(g.by) >= maxCached {
		for k, w := range g.by {
			if now.Sub(w.until) > guessMemory || len(g.by) >= 2*maxCached {
				delete(g.by, k)
			}
		}
	}
	for key, longest := range map[string]time.Duration{"name " + name: maxNameWait, network(from): maxNetworkWait} {
		w := g.by[key]
		if now.Sub(w.until) > guessMemory {
			w = guess{}
		}
		w.wrong++
		w.until = now
		if w.wrong > freeGuesses {
			w.until = now.Add(min(longest, g.delay<<min(w.wrong-freeGuesses, 16)))
		}
		g.by[key] = w
	}
}
