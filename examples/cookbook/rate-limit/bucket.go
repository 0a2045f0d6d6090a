package main

import (
	"container/list"
	"sync"
	"time"
)

// limit is a visitor's limit: burst requests at once, then rate a second.
type limit struct{ rate, burst float64 }

// buckets has a token bucket for each key. It remembers a bounded number of them, and
// forgets the one that was away longest; that one then has a full bucket again. Its methods
// may be called concurrently.
type buckets struct {
	most int // keys

	mu     sync.Mutex // guards the fields below
	byKey  map[string]*list.Element
	recent *list.List // of *bucket, the latest in front
}

type bucket struct {
	key    string
	tokens float64
	at     time.Time // when it had that many
}

func newBuckets(most int) *buckets {
	return &buckets{most: most, byKey: map[string]*list.Element{}, recent: list.New()}
}

// take takes a token. If there is none, wait is the time until there is one.
func (bs *buckets) take(key string, l limit, now time.Time) (wait time.Duration, ok bool) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	b := bs.bucket(key, l, now)
	// Two callers may come in another order than that of their clocks.
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(l.burst, b.tokens+passed.Seconds()*l.rate)
		b.at = now
	}
	if b.tokens >= 1 {
		b.tokens--
		return 0, true
	}
	return time.Duration((1 - b.tokens) / l.rate * float64(time.Second)), false
}

// bucket returns the key's bucket, a new and full one if need be.
func (bs *buckets) bucket(key string, l limit, now time.Time) *bucket {
	if e := bs.byKey[key]; e != nil {
		bs.recent.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if len(bs.byKey) >= bs.most {
		oldest := bs.recent.Remove(bs.recent.Back()).(*bucket)
		delete(bs.byKey, oldest.key)
	}
	b := &bucket{key: key, tokens: l.burst, at: now}
	bs.byKey[key] = bs.recent.PushFront(b)
	return b
}
