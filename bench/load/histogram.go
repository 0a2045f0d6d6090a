package main

import (
	"math/bits"
	"time"
)

// histogram counts latencies in buckets of at most 1/16 of their value.
type histogram struct {
	buckets [64 * 16]uint64
	n       uint64
	max     time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.buckets[bucket(uint64(max(d, 0)))]++
	h.n++
	h.max = max(h.max, d)
}

func bucket(v uint64) int {
	if v < 16 {
		return int(v)
	}
	e := bits.Len64(v) - 5 // v>>e is 16 to 31
	return e*16 + int(v>>e)
}

// quantile returns the lower end of the bucket that holds it.
func (h *histogram) quantile(q float64) time.Duration {
	rest := uint64(q * float64(h.n))
	for i, n := range h.buckets {
		if n > rest {
			if i < 32 {
				return time.Duration(i)
			}
			e := i/16 - 1
			return time.Duration(uint64(i%16+16) << e)
		}
		rest -= n
	}
	return h.max
}
