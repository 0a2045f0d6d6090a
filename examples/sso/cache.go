package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/spoke-go/spoke/auth"
)

// maxCached bounds each generation of a cache.
const maxCached = 10_000

// cache keeps the users of credentials, by a keyed hash: it has no credential in it. When
// its new generation is full, that becomes the old one, which is then forgotten.
type cache struct {
	key [32]byte
	now func() time.Time

	mu         sync.Mutex // guards the generations
	young, old map[[32]byte]entry
}

type entry struct {
	id    *auth.User
	until time.Time
}

func newCache(now func() time.Time) *cache {
	c := &cache{now: now, young: make(map[[32]byte]entry)}
	rand.Read(c.key[:])
	return c
}

// get returns the user of a credential, and whether that still holds.
func (c *cache) get(credential string) (id *auth.User, fresh bool) {
	sum := c.sum(credential)
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[sum]
	if !ok {
		e = c.old[sum]
	}
	return e.id, c.now().Before(e.until)
}

func (c *cache) put(credential string, id *auth.User, until time.Time) {
	sum := c.sum(credential)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= maxCached {
		c.young, c.old = make(map[[32]byte]entry), c.young
	}
	c.young[sum] = entry{id, until}
}

func (c *cache) sum(credential string) [32]byte {
	h := hmac.New(sha256.New, c.key[:])
	h.Write([]byte(credential))
	return [32]byte(h.Sum(nil))
}
