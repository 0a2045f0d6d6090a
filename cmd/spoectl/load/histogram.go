package load

import (
	"iter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram counts latencies with two significant digits, from 1 ns to 1 h. The
// zero Histogram is empty. A copy shares the counts of its original.
type Histogram struct {
	h   *hdrhistogram.Histogram
	max time.Duration // exact
}

const longestLatency = time.Hour

func (h *Histogram) hdr() *hdrhistogram.Histogram {
	if h.h == nil {
		h.h = hdrhistogram.New(1, int64(longestLatency), 2)
	}
	return h.h
}

// Add counts one latency.
func (h *Histogram) Add(d time.Duration) { h.AddN(d, 1) }

// AddN counts n equal latencies.
func (h *Histogram) AddN(d time.Duration, n uint64) {
	d = min(max(d, 0), longestLatency)
	h.max = max(h.max, d)
	_ = h.hdr().RecordValues(int64(d), int64(n)) // it fails only for a value out of range
}

// Count is the number of latencies.
func (h *Histogram) Count() uint64 { return uint64(h.hdr().TotalCount()) }

// Max is the greatest latency.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean is the mean of the latencies, 0 if there is none.
func (h *Histogram) Mean() time.Duration { return time.Duration(h.hdr().Mean()) }

// Quantile returns the latency below which the share q of all is; q is 0 to 1.
func (h *Histogram) Quantile(q float64) time.Duration {
	return min(time.Duration(h.hdr().ValueAtPercentile(100*q)), h.max)
}

// Buckets returns the buckets that are not empty, by their lower ends and the
// lower ends of the next.
func (h *Histogram) Buckets() iter.Seq2[[2]time.Duration, uint64] {
	return func(yield func([2]time.Duration, uint64) bool) {
		for _, b := range h.hdr().Distribution() {
			if b.Count > 0 && !yield([2]time.Duration{time.Duration(b.From), time.Duration(b.To) + 1}, uint64(b.Count)) {
				return
			}
		}
	}
}

// Merge adds the counts of other.
func (h *Histogram) Merge(other *Histogram) {
	h.hdr().Merge(other.hdr())
	h.max = max(h.max, other.max)
}

// Corrected returns the histogram with the NOTIFYs that would have been due at the given
// interval while the generator waited for an answer: for a latency of ten intervals, nine
// more of nine, eight… intervals (coordinated omission). An interval of 0 corrects nothing.
func (h *Histogram) Corrected(interval time.Duration) Histogram {
	var c Histogram
	for b, n := range h.Buckets() {
		v := b[0]
		if h.max < b[1] {
			v = h.max // its bucket stands for the maximum
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
