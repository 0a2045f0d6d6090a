package main

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBuckets(t *testing.T) {
	bs := newBuckets(10)
	now := time.Now()
	take := func(key string) (time.Duration, bool) { return bs.take(key, limit{rate: 2, burst: 3}, now) }
	for range 3 {
		_, ok := take("a")
		assert.True(t, ok, "the burst")
	}
	wait, ok := take("a")
	assert.False(t, ok)
	assert.Equal(t, 500*time.Millisecond, wait)
	_, ok = take("b")
	assert.True(t, ok, "another key has a bucket of its own")

	now = now.Add(wait)
	_, ok = take("a")
	assert.True(t, ok, "it has waited for the time of Retry-After")
	_, ok = take("a")
	assert.False(t, ok)

	now = now.Add(time.Hour)
	for range 3 {
		_, ok = take("a")
		assert.True(t, ok)
	}
	_, ok = take("a")
	assert.False(t, ok, "no more than the burst, however long nobody came")

	now = now.Add(-time.Minute)
	_, ok = take("a")
	assert.False(t, ok, "time that goes backwards fills nothing")
}

func TestBucketsAreBounded(t *testing.T) {
	bs := newBuckets(3)
	now := time.Now()
	for _, key := range []string{"a", "b", "c", "a", "d"} {
		bs.take(key, limit{1, 1}, now)
	}
	_, ok := bs.take("a", limit{1, 1}, now)
	assert.False(t, ok, "it was asked about lately")
	_, ok = bs.take("b", limit{1, 1}, now)
	assert.True(t, ok, "it was not, and has been forgotten")
	for i := range 100 {
		bs.take(strconv.Itoa(i), limit{1, 1}, now)
		assert.LessOrEqual(t, len(bs.byKey), 3)
		assert.Equal(t, len(bs.byKey), bs.recent.Len())
	}
}

func TestBucketsTogether(t *testing.T) {
	bs := newBuckets(1000)
	now := time.Now()
	var all sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for range 8 {
		all.Go(func() {
			for range 50 {
				if _, ok := bs.take("a", limit{rate: 1, burst: 100}, now); ok {
					mu.Lock()
					passed++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	assert.Equal(t, 100, passed)
}
