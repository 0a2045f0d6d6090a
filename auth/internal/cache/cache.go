// Package cache remembers values by credentials, and keeps no credential.
package cache

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// Size is the maximum number of values in each of a cache's two generations.
const Size = 10_000

// Cache keeps values by a keyed hash of their credential. When its new generation is full,
// that becomes the old one, and the one before is forgotten.
type Cache[T any] struct {
	size int
	now  func() time.Time
	key  [32]byte

	mu         sync.Mutex // guards the generations
	young, old map[[32]byte]entry[T]
}

type entry[T any] struct {
	value T
	until time.Time
}

// New returns an empty cache.
func New[T any](size int, now func() time.Time) *Cache[T] {
	c := &Cache[T]{size: size, now: now, young: make(map[[32]byte]entry[T])}
	rand.Read(c.key[:])
	return c
}

// Get returns the value of a credential, and whether its time is not over yet.
func (c *Cache[T]) Get(credential string) (value T, fresh bool) {
	sum := c.sum(credential)
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[sum]
	if !ok {
		e = c.old[sum]
	}
	return e.value, c.now().Before(e.until)
}

// Put keeps a value until a time.
func (c *Cache[T]) Put(credential string, value T, until time.Time) {
	sum := c.sum(credential)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.size {
		c.young, c.old = make(map[[32]byte]entry[T]), c.young
	}
	c.young[sum] = entry[T]{value, until}
}

func (c *Cache[T]) sum(credential string) [32]byte {
	h := hmac.New(sha256.New, c.key[:])
	h.Write([]byte(credential))
	return [32]byte(h.Sum(nil))
}
