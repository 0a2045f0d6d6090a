package cache_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/auth/internal/cache"
)

// TestCache: a value is fresh until its time, and an old one is still known.
func TestCache(t *testing.T) {
	now := time.Unix(1000, 0)
	c := cache.New[int](10, func() time.Time { return now })
	_, fresh := c.Get("a")
	assert.False(t, fresh)
	c.Put("a", 1, now.Add(time.Second))
	value, fresh := c.Get("a")
	assert.True(t, fresh)
	assert.Equal(t, 1, value)
	now = now.Add(time.Second)
	value, fresh = c.Get("a")
	assert.False(t, fresh)
	assert.Equal(t, 1, value)
}

// TestBound: a full cache keeps the newest values, and at most two generations.
func TestBound(t *testing.T) {
	now := time.Unix(1000, 0)
	c := cache.New[int](10, func() time.Time { return now })
	for i := range 100 {
		c.Put(fmt.Sprint(i), i, now.Add(time.Hour))
	}
	kept := 0
	for i := range 100 {
		if _, fresh := c.Get(fmt.Sprint(i)); fresh {
			kept++
			assert.GreaterOrEqual(t, i, 80)
		}
	}
	assert.Equal(t, 20, kept)
}
