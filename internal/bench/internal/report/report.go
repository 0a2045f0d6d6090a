package report

import (
	"math"
	"slices"
	"time"
)

// Report is one run of the benchmarks.
type Report struct {
	Date    time.Time
	Go      string // version
	CPU     string
	Cores   int
	Kernel  string
	Command string

	Rows    []Row
	Costs   []Cost
	HAProxy []HAProxy
}

// Verdict reports whether a row holds its bound.
type Verdict int

// The verdicts. Info is the verdict of a row without a bound.
const (
	Info Verdict = iota
	Pass
	Miss
)

// String returns the word that the table has.
func (v Verdict) String() string { return [...]string{"", "pass", "MISS"}[v] }

// Within returns Pass if ok, else Miss.
func Within(ok bool) Verdict {
	if ok {
		return Pass
	}
	return Miss
}

// Row is one line of the table of costs.
type Row struct {
	ID       string
	Work     string
	Bound    string
	Measured string
	Verdict  Verdict
	// Ratio and Limit are set where the row is a ratio to the floor.
	Ratio Spread
	Limit float64
}

// Cost is the cost of one server under one load.
type Cost struct {
	Load   string // such as "8 × 16, ip"
	Server string
	NS     Spread // CPU time per NOTIFY in nanoseconds
	Ratio  Spread // to the floor of the same round
	Rate   Spread // NOTIFYs a second
	P50    time.Duration
	P99    time.Duration
}

// HAProxy is the result of wrk with one version of HAProxy.
type HAProxy struct {
	Version            string
	None, Floor, Agent Spread // requests a second
	Failed             int    // responses other than 2xx, and socket errors
}

// Spread is the median of some rounds, between the least and the greatest.
type Spread struct{ Median, Low, High float64 }

// SpreadOf returns the spread of values, of which there is one at least.
func SpreadOf(values []float64) Spread {
	v := slices.Sorted(slices.Values(values))
	m := v[len(v)/2]
	if len(v)%2 == 0 {
		m = (m + v[len(v)/2-1]) / 2
	}
	return Spread{Median: m, Low: v[0], High: v[len(v)-1]}
}

// Ratios divides two series of rounds, round by round, so that what disturbed
// both cancels out.
func Ratios(a, b []float64) Spread {
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = a[i] / b[i]
	}
	if len(r) == 0 {
		return Spread{math.NaN(), math.NaN(), math.NaN()}
	}
	return SpreadOf(r)
}
