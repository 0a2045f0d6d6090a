package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// rowF has more handlers asleep than a pool of workers would have.
func (b *bench) rowF(ctx context.Context) error {
	const (
		sleep = 5 * time.Millisecond
		share = 0.75
	)
	t := traffic{shape: "ip", conns: 64, inFlight: 16}
	ideal := float64(t.conns*t.inFlight) / sleep.Seconds()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := b.serve(ctx, agent("agent that sleeps", "-sleep", sleep.String()), b.server)
	if err != nil {
		return err
	}
	result := series{program: s.program}
	for round := range b.rounds {
		l, err := b.pipeline(ctx, s, t)
		if err != nil {
			return err
		}
		log.Printf("  round %d of %d: %.0f NOTIFYs/s, p50 %v, p99 %v", round+1, b.rounds, l.Rate(), l.P50, l.P99)
		result.loads = append(result.loads, l)
	}
	rate := report.SpreadOf(result.rates())
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:    "f",
		Work:  "64 × 16, a handler that sleeps 5 ms, NOTIFYs a second on one core",
		Bound: fmt.Sprintf("at least %.0f %% of %.0f", 100*share, ideal),
		Measured: fmt.Sprintf("%.0f %% (%.0f to %.0f %%): %.0f, p99 %v", 100*rate.Median/ideal, 100*rate.Low/ideal, 100*rate.High/ideal,
			rate.Median, result.median(func(l report.Load) time.Duration { return l.P99 }).Round(100*time.Microsecond)),
		Verdict: report.Within(rate.Median >= share*ideal),
	})
	return s.stop()
}
