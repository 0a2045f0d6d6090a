package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// maxCached bounds a cache; it is emptied when it is full.
const maxCached = 10_000

// cache keeps who a credential is of, by a keyed hash: it has no credential in it.
type cache struct {
	key [32]byte
	now func() time.Time

	mu      sync.Mutex // guards entries
	entries map[[32]byte]entry
}

type entry struct {
	id    *identity // nil for one that is refused
	until time.Time
}

func newCache(now func() time.Time) *cache {
	c := &cache{now: now, entries: make(map[[32]byte]entry)}
	rand.Read(c.key[:])
	return c
}

// get returns who the credential is of; found is false if the cache does not know.
func (c *cache) get(credential string) (id *identity, found bool) {
	sum := c.sum(credential)
	c.mu.Lock()
	defer c.mu.Unlock()
	e, found := c.entries[sum]
	return e.id, found && c.now().Before(e.until)
}

func (c *cache) put(credential string, id *identity, until time.Time) {
	sum := c.sum(credential)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= maxCached {
		clear(c.entries)
	}
	c.entries[sum] = entry{id, until}
}

func (c *cache) sum(credential string) [32]byte {
	h := hmac.New(sha256.New, c.key[:])
	h.Write([]byte(credential))
	return [32]byte(h.Sum(nil))
}
