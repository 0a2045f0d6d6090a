package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// rowH sends NOTIFYs one by one, spread over more and more connections.
func (b *bench) rowH(ctx context.Context) error {
	const limit = 1.05
	for _, conns := range []int{10, 100, 1000, 5000} {
		t := traffic{shape: "ip", conns: conns, inFlight: 4, rate: 8000}
		if err := b.ratio(ctx, "h", fmt.Sprintf("8,000 NOTIFYs a second over %d connections", conns), limit, t, defaultAgent); err != nil {
			return err
		}
	}
	return nil
}

// rowK compares latencies where the server has time: at 30 % of the agent's maximum.
func (b *bench) rowK(ctx context.Context) error {
	const limit, share = 1.2, 0.3
	most, err := b.compare(ctx, b.fewer(), ipPipelined, defaultAgent)
	if err != nil {
		return err
	}
	t := ipPipelined
	t.rate = share * report.SpreadOf(most[0].rates()).Median
	s, err := b.compare(ctx, b.rounds, t, t.floor(), defaultAgent)
	if err != nil {
		return err
	}
	p999 := func(l report.Load) time.Duration { return l.P999 }
	r := report.Ratios(s[1].values(p999), s[0].values(p999))
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:    "k",
		Work:  "8 × 16, p99.9 at 30 % of the maximum, at a constant rate",
		Bound: fmt.Sprintf("%.2f × floor", limit),
		Measured: fmt.Sprintf("%s × floor: %v to %v at %.0f/s", r, s[0].median(p999).Round(time.Microsecond),
			s[1].median(p999).Round(time.Microsecond), t.rate),
		Verdict: report.Within(r.Median <= limit),
	})
	return nil
}

// rowL is row a with all cores for the server and the generator.
func (b *bench) rowL(ctx context.Context) error {
	defer b.unpin()()
	return b.ratio(ctx, "l", "8 × 16, as in a, on all cores", 1.3, ipPipelined, defaultAgent)
}
