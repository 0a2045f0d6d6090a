package chart

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/load"
)

// bin is a bar of the histogram.
type bin struct {
	from, to time.Duration
	n        uint64
}

// bins puts latencies into at most n bars of equal width on a logarithmic scale.
func bins(h *load.Histogram, n int) []bin {
	first := time.Duration(0)
	for b := range h.Buckets() {
		first = max(b[0], 1)
		break
	}
	if h.Count() == 0 {
		return nil
	}
	span := math.Log(float64(h.Max()+1) / float64(first))
	step := math.Max(span/float64(n), math.Log(1.1))
	var all []bin
	for b, count := range h.Buckets() {
		i := min(int(math.Log(float64(max(b[0], 1))/float64(first))/step), n-1)
		for len(all) <= i {
			at := float64(len(all))
			all = append(all, bin{
				from: time.Duration(float64(first) * math.Exp(at*step)),
				to:   time.Duration(float64(first) * math.Exp((at+1)*step)),
			})
		}
		all[i].n += count
	}
	return all
}

// Text returns a histogram of bars that are at most width characters long, each
// with the latencies up to which it counts and its share.
func Text(h *load.Histogram, rows, width int) string {
	all := bins(h, rows)
	top := uint64(1)
	for _, b := range all {
		top = max(top, b.n)
	}
	var s strings.Builder
	for _, b := range all {
		share := 100 * float64(b.n) / float64(h.Count())
		line := fmt.Sprintf("  ≤ %9s %6.2f %% %s", Round(b.to), share, bar(float64(b.n)/float64(top), width))
		s.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return s.String()
}

// bar is a bar of eighths of a character; a value above zero has at least one.
func bar(share float64, width int) string {
	eighths := int(share * float64(width) * 8)
	if share > 0 {
		eighths = max(eighths, 1)
	}
	return strings.Repeat("█", eighths/8) + string([]rune(" ▏▎▍▌▋▊▉")[eighths%8])
}

// Round rounds a latency to three digits.
func Round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
