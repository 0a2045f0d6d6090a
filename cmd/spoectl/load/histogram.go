package load

import (
	"iter"
	"math/bits"
	"time"
)

// Histogram counts latencies in buckets of at most 1/64 of their value. The
// zero Histogram is empty.
type Histogram struct {
	buckets [(64 - subBits) << subBits]uint64
	n       uint64
	sum     float64 // nanoseconds
	max     time.Duration
}

// Values below 1<<(subBits+1) have a bucket each; above, each power of two is
// cut into 1<<subBits buckets.
const subBits = 6

// Add counts one latency.
func (h *Histogram) Add(d time.Duration) { h.AddN(d, 1) }

// AddN counts n equal latencies.
func (h *Histogram) AddN(d time.Duration, n uint64) {
	d = max(d, 0)
	h.buckets[bucketOf(uint64(d))] += n
	h.n += n
	h.sum += float64(n) * float64(d)
	h.max = max(h.max, d)
}

func bucketOf(v uint64) int {
	if v < 1<<(subBits+1) {
		return int(v)
	}
	e := bits.Len64(v) - subBits - 1 // v>>e is 1<<subBits to 2<<subBits - 1
	return e<<subBits + int(v>>e)
}

// low is the least value of a bucket.
func low(i int) time.Duration {
	if i < 1<<(subBits+1) {
		return time.Duration(i)
	}
	e := i>>subBits - 1
	return time.Duration(uint64(i-e<<subBits) << e)
}

// Count is the number of latencies.
func (h *Histogram) Count() uint64 { return h.n }

// Max is the greatest latency.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean is the mean of the latencies, 0 if there is none.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.n))
}

// Quantile returns the lower end of the bucket that holds it; q is 0 to 1.
func (h *Histogram) Quantile(q float64) time.Duration {
	rest := uint64(q * float64(h.n))
	for i, n := range h.buckets {
		if n > rest {
			return low(i)
		}
		rest -= n
	}
	return h.max
}

// Buckets returns the buckets that are not empty, by their lower ends and the
// lower ends of the next.
func (h *Histogram) Buckets() iter.Seq2[[2]time.Duration, uint64] {
	return func(yield func([2]time.Duration, uint64) bool) {
		for i, n := range h.buckets {
			if n > 0 && !yield([2]time.Duration{low(i), low(i + 1)}, n) {
				return
			}
		}
	}
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
	h.n += other.n
	h.sum += other.sum
	h.max = max(h.max, other.max)
}

// Corrected returns the histogram of those who would have come at the given
// interval while the generator waited for an answer, and did not: for a latency
// of ten intervals, nine others of nine, eight… intervals (coordinated omission,
// as HdrHistogram corrects it afterwards). An interval of 0 corrects nothing.
func (h *Histogram) Corrected(interval time.Duration) Histogram {
	var c Histogram
	for i, n := range h.buckets {
		if n == 0 {
			continue
		}
		// The bucket of the maximum stands for the maximum.
		v := min(low(i), h.max)
		if bucketOf(uint64(h.max)) == i {
			v = h.max
		}
		c.AddN(v, n)
		if interval <= 0 {
			continue
		}
		for missing := v - interval; missing >= interval; missing -= interval {
			c.AddN(missing, n)
		}
	}
	return c
}
