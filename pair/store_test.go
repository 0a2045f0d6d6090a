package pair_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/pair"
)

func TestTakeOnce(t *testing.T) {
	s := pair.New(pair.Config[string]{})
	defer s.Close()
	a, b := s.Put("a"), s.Put("b")
	assert.Regexp(t, `^[A-Z2-7]{26}$`, a)
	assert.NotEqual(t, a, b)
	for _, want := range []bool{true, false} {
		v, ok := s.Take(a)
		assert.Equal(t, want, ok)
		if ok {
			assert.Equal(t, "a", v)
		}
	}
	_, ok := s.Take("")
	assert.False(t, ok)
	assert.Equal(t, pair.Stats{Waiting: 1, Put: 2, Taken: 1, Missed: 2}, s.Stats())
}

// eviction is a call of Config.Evicted.
type eviction struct {
	value  int
	reason pair.Reason
}

// TestModel holds a store against a list: random calls, the same evictions in the
// same order, the same numbers.
func TestModel(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { model(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func model(t *testing.T, r *rand.Rand) {
	type waiting struct {
		key     string
		value   int
		expires time.Time
	}
	const ttl, maxEntries, maxBytes = time.Second, 8, 200
	size := func(v int) int64 { return int64(v % 97) }
	var mu sync.Mutex // guards got: the timer has a goroutine of its own
	var got, want []eviction
	s := pair.New(pair.Config[int]{
		TTL: ttl, MaxEntries: maxEntries, MaxBytes: maxBytes,
		Size: func(v int) int64 { return size(v) * 4 },
		Evicted: func(v int, reason pair.Reason) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, eviction{v, reason})
		},
	})
	var list []waiting
	var keys []string
	var stats pair.Stats
	leave := func(i int, reason pair.Reason) {
		w := list[i]
		list = append(list[:i:i], list[i+1:]...)
		stats.Waiting--
		stats.Bytes -= 4 * size(w.value)
		switch reason {
		case pair.Expired:
			stats.Expired++
		case pair.Evicted:
			stats.Evicted++
		case pair.ShutDown:
			stats.ShutDown++
		default:
			stats.Taken++
			return
		}
		want = append(want, eviction{w.value, reason})
	}
	for i := range 400 {
		switch op := r.IntN(10); {
		case op < 5:
			key := s.Put(i)
			keys = append(keys, key)
			stats.Put++
			if 4*size(i) > maxBytes {
				stats.Evicted++
				want = append(want, eviction{i, pair.Evicted})
				break
			}
			for len(list) == maxEntries || stats.Bytes+4*size(i) > maxBytes {
				leave(0, pair.Evicted)
			}
			list = append(list, waiting{key, i, time.Now().Add(ttl)})
			stats.Waiting++
			stats.Bytes += 4 * size(i)
		case op < 8 && len(keys) > 0:
			key := keys[r.IntN(len(keys))]
			if r.IntN(2) == 0 && len(list) > 0 {
				key = list[r.IntN(len(list))].key
			}
			v, ok := s.Take(key)
			found := false
			for j, w := range list {
				if found = w.key == key; found {
					assert.Equal(t, w.value, v)
					leave(j, 0)
					break
				}
			}
			assert.Equal(t, found, ok)
			if !found {
				stats.Missed++
			}
		default:
			time.Sleep(time.Duration(r.Int64N(int64(ttl))))
			synctest.Wait()
			for len(list) > 0 && !time.Now().Before(list[0].expires) {
				leave(0, pair.Expired)
			}
		}
		require.Equal(t, stats, s.Stats())
		mu.Lock()
		require.Equal(t, want, got)
		mu.Unlock()
	}
	s.Close()
	for len(list) > 0 {
		leave(0, pair.ShutDown)
	}
	assert.Equal(t, stats, s.Stats())
	assert.Equal(t, want, got)

	s.Put(-1)
	assert.Equal(t, eviction{-1, pair.ShutDown}, got[len(got)-1], "put too late")
}

// TestExpiresOnTime: the timer evicts at TTL, without another call of the store.
func TestExpiresOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		s := pair.New(pair.Config[int]{TTL: time.Second, Evicted: func(_ int, r pair.Reason) {
			assert.Equal(t, pair.Expired, r)
			at = append(at, time.Since(start))
		}})
		s.Put(1)
		time.Sleep(300 * time.Millisecond)
		key := s.Put(2)
		s.Put(3)
		time.Sleep(800 * time.Millisecond)
		_, ok := s.Take(key)
		assert.True(t, ok, "at 1.1 s of 1.3")
		time.Sleep(time.Hour)
		s.Put(4)
		time.Sleep(time.Second - time.Nanosecond)
		assert.Len(t, at, 2)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, []time.Duration{time.Second, 1300 * time.Millisecond, time.Hour + 2100*time.Millisecond}, at)
		s.Close()
	})
}

// TestTakeTooLate: Take evicts a value that it finds expired, unless the timer does.
func TestTakeTooLate(t *testing.T) {
	var evicted atomic.Int64
	s := pair.New(pair.Config[int]{TTL: 1, Evicted: func(_ int, r pair.Reason) {
		assert.Equal(t, pair.Expired, r)
		evicted.Add(1)
	}})
	const rounds = 200
	for i := range rounds {
		key := s.Put(i)
		for start := time.Now(); !time.Now().After(start); { // until the clock has moved
		}
		_, ok := s.Take(key)
		assert.False(t, ok)
	}
	s.Close()
	assert.EqualValues(t, rounds, evicted.Load())
}

// TestExactlyOnce: under load each value is taken or evicted, once.
func TestExactlyOnce(t *testing.T) {
	const workers, each = 8, 2000
	var left [workers * each]atomic.Int32
	s := pair.New(pair.Config[int]{TTL: 2 * time.Millisecond, MaxEntries: 100, Evicted: func(v int, _ pair.Reason) { left[v].Add(1) }})
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			var keys []string
			for i := range each {
				keys = append(keys, s.Put(w*each+i))
				if i%3 != 0 {
					if v, ok := s.Take(keys[i/2]); ok {
						left[v].Add(1)
					}
				}
				if w == 0 && i == each-100 {
					s.Close()
				}
			}
		})
	}
	all.Wait()
	s.Close()
	for v := range left {
		require.EqualValues(t, 1, left[v].Load(), v)
	}
	stats := s.Stats()
	assert.EqualValues(t, workers*each, stats.Taken+stats.Expired+stats.Evicted+stats.ShutDown)
	assert.Zero(t, stats.Waiting)
	assert.NotZero(t, stats.Taken)
}

// TestEvictedMisbehaves: a callback that panics, ends its goroutine or uses the
// store costs no other value its call.
func TestEvictedMisbehaves(t *testing.T) {
	var calls atomic.Int64
	var s *pair.Store[string]
	s = pair.New(pair.Config[string]{Evicted: func(v string, _ pair.Reason) {
		calls.Add(1)
		s.Take(v)
		s.Stats()
		switch v {
		case "panic":
			panic(v)
		case "exit":
			runtime.Goexit()
		}
	}})
	for _, v := range []string{"a", "panic", "b", "exit", "panic", "c"} {
		s.Put(v)
	}
	ended := make(chan struct{})
	go func() { // ends with Close, or by Goexit
		defer close(ended)
		s.Close()
	}()
	<-ended
	s.Close()
	assert.EqualValues(t, 6, calls.Load())
	assert.EqualValues(t, 2, s.Stats().Panics)
}

// TestCloseWaits for calls of Evicted that others began.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pair.New(pair.Config[int]{TTL: time.Second, Evicted: func(int, pair.Reason) { time.Sleep(time.Minute) }})
		s.Put(1)
		start := time.Now()
		time.Sleep(2 * time.Second)
		s.Close()
		assert.Equal(t, time.Minute+time.Second, time.Since(start))
	})
}

// Without MaxBytes, values of 64 MiB together wait.
func TestDefaultMaxBytes(t *testing.T) {
	s := pair.New(pair.Config[int]{Size: func(int) int64 { return 16 << 20 }})
	defer s.Close()
	for i := range 6 {
		s.Put(i)
	}
	assert.Equal(t, 4, s.Stats().Waiting)
}

// Without MaxEntries, 65536 values wait.
func TestDefaultMaxEntries(t *testing.T) {
	s := pair.New(pair.Config[int]{})
	defer s.Close()
	for i := range 1<<16 + 10 {
		s.Put(i)
	}
	assert.Equal(t, 1<<16, s.Stats().Waiting)
}

func TestReasons(t *testing.T) {
	for reason, want := range map[pair.Reason]string{
		pair.Expired: "expired", pair.Evicted: "evicted", pair.ShutDown: "shut down", 0: "Reason(0)", 4: "Reason(4)",
	} {
		assert.Equal(t, want, reason.String())
	}
}

// TestDrain: Drain returns when no value waits, whether the last one was taken or has
// expired, and at the end of its context otherwise.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pair.New(pair.Config[int]{TTL: time.Minute})
		defer s.Close()
		require.NoError(t, s.Drain(t.Context()))
		first, second := s.Put(1), s.Put(2)
		drained := make(chan error, 2)
		for range 2 {
			go func() { drained <- s.Drain(t.Context()) }()
		}
		s.Take(first)
		synctest.Wait()
		require.Empty(t, drained)
		s.Take(second)
		require.NoError(t, <-drained)
		require.NoError(t, <-drained)

		s.Put(3)
		start := time.Now()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("too late"))
		defer cancel()
		assert.EqualError(t, s.Drain(ctx), "too late")
		require.NoError(t, s.Drain(t.Context()))
		assert.Equal(t, time.Minute, time.Since(start))
	})
}

func TestAllocations(t *testing.T) {
	s := pair.New(pair.Config[*int]{Size: func(*int) int64 { return 8 }})
	defer s.Close()
	v := new(int)
	for range 1000 {
		s.Take(s.Put(v))
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(1000, func() { s.Take(s.Put(v)) }), 3.0, "the entry, the key and its random bytes")
	assert.Zero(t, testing.AllocsPerRun(1000, func() { s.Take("none") }))
}

func TestWrongConfigurationPanics(t *testing.T) {
	for want, cfg := range map[string]pair.Config[int]{
		"pair: Config.TTL is -1ns: write a time above 0, or 0 for 1m0s":          {TTL: -1},
		"pair: Config.MaxEntries is -1: write a number above 0, or 0 for 65536":  {MaxEntries: -1},
		"pair: Config.MaxBytes is -1: write a number above 0, or 0 for 67108864": {MaxBytes: -1},
		"pair: Config.MaxBytes bounds nothing without Config.Size: set both":     {MaxBytes: 1},
	} {
		assert.PanicsWithValue(t, want, func() { pair.New(cfg) })
	}
	assert.Equal(t, []string{"expired", "evicted", "shut down", "Reason(9)"},
		[]string{pair.Expired.String(), pair.Evicted.String(), pair.ShutDown.String(), pair.Reason(9).String()})
}
