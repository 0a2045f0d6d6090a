package middleware

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// store is a bounded map from keys to answers, in shards so that handlers do not wait
// for each other. It needs no goroutine: the next answer for its key replaces an answer that
// is too old, or it is dropped as the least recently used.
type store struct {
	seed   maphash.Seed
	shards [16]shard
}

type shard struct {
	mu      sync.Mutex // guards the fields below
	entries map[string]*entry
	used    entry // the ring's ends: used.next is the most recently used
	size    int   // bytes
	max     int
}

type entry struct {
	next, prev *entry
	key        string
	kept       kept
	expires    time.Time
	size       int
}

// kept is a handler's answer for messages with the same key.
type kept struct {
	answer    answer
	onFailure func(error, *spoe.Actions) // or nil
}

// entryBytes is the approximate size of an entry without its key and answer, in bytes.
const entryBytes = 240

func newStore(maxBytes int) *store {
	s := &store{seed: maphash.MakeSeed()}
	for i := range s.shards {
		sh := &s.shards[i]
		sh.entries = make(map[string]*entry)
		sh.used.next, sh.used.prev = &sh.used, &sh.used
		sh.max = maxBytes / len(s.shards)
	}
	return s
}

func (s *store) shard(key []byte) *shard {
	return &s.shards[maphash.Bytes(s.seed, key)%uint64(len(s.shards))]
}

// get returns the answer kept under key, if it is not too old.
func (s *store) get(key []byte, now time.Time) (kept, bool) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.entries[string(key)]
	if e == nil || !now.Before(e.expires) {
		return kept{}, false
	}
	e.unlink()
	e.link(&sh.used)
	return e.kept, true
}

// put keeps an answer, if it is not too large to keep.
func (s *store) put(key []byte, k kept, expires time.Time) {
	sh := s.shard(key)
	e := &entry{kept: k, expires: expires, size: entryBytes + len(key) + k.answer.size()}
	if e.size > sh.max {
		return
	}
	e.key = string(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if old := sh.entries[e.key]; old != nil {
		sh.removeLocked(old)
	}
	for sh.size+e.size > sh.max {
		sh.removeLocked(sh.used.prev)
	}
	sh.entries[e.key] = e
	sh.size += e.size
	e.link(&sh.used)
}

func (sh *shard) removeLocked(e *entry) {
	e.unlink()
	delete(sh.entries, e.key)
	sh.size -= e.size
}

func (e *entry) link(after *entry) {
	e.prev, e.next = after, after.next
	e.prev.next, e.next.prev = e, e
}

func (e *entry) unlink() { e.prev.next, e.next.prev = e.next, e.prev }
