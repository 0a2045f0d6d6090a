package inspect

import (
	"math"
	"math/bits"
	"time"
)

// A histogram counts durations in eight buckets for each doubling, from about a
// microsecond to a minute, so that a quantile is off by at most 7 %.
type histogram [208]uint32

const shortest = 10 // 2^10 ns, where the first bucket ends

func bucketOf(d time.Duration) int {
	n := uint64(max(d, 1<<shortest))
	power := bits.Len64(n) - 1
	eighth := int(n>>(power-3)) & 7
	return min((power-shortest)*8+eighth, len(histogram{})-1)
}

func (h *histogram) add(d time.Duration) { h[bucketOf(d)]++ }

func (h *histogram) merge(o *histogram) {
	for i, n := range o {
		h[i] += n
	}
}

// quantile returns the middle of the bucket that has the quantile, in
// microseconds; 0 if the histogram is empty.
func (h *histogram) quantile(q float64) float64 {
	var total uint64
	for _, n := range h {
		total += uint64(n)
	}
	rank, seen := uint64(math.Ceil(q*float64(total))), uint64(0)
	for i, n := range h {
		if seen += uint64(n); n > 0 && seen >= rank {
			low := math.Ldexp(1+float64(i%8)/8, shortest+i/8)
			return low * (1 + 1/float64(2*(8+i%8))) / 1000
		}
	}
	return 0
}
