package main

import (
	"context"
	"fmt"
	"log"
	"strconv"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// rowF has more handlers asleep than a pool of workers would have, and holds them against
// as many goroutines that only sleep: Go's timers wake these late, too.
func (b *bench) rowF(ctx context.Context) error {
	const (
		sleep = 5 * time.Millisecond
		share = 0.80
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
	var bare []float64
	for round := range b.rounds {
		wakes, err := b.sleepers(ctx, t.conns*t.inFlight, sleep)
		if err != nil {
			return err
		}
		l, err := b.pipeline(ctx, s, t)
		if err != nil {
			return err
		}
		log.Printf("  round %d of %d: %.0f NOTIFYs/s, p50 %v, p99 %v; %.0f/s by goroutines that only sleep",
			round+1, b.rounds, l.Rate(), l.P50, l.P99, wakes)
		result.loads = append(result.loads, l)
		bare = append(bare, wakes)
	}
	ratio := report.Ratios(result.rates(), bare)
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:    "f",
		Work:  "64 × 16, a handler that sleeps 5 ms, one core, against 1,024 goroutines that only sleep",
		Bound: fmt.Sprintf("at least %.0f %% of them", 100*share),
		Measured: fmt.Sprintf("%.0f %% (%.0f to %.0f %%): %.0f NOTIFYs/s, p99 %v; they wake %.0f times a second, %.0f %% of the ideal",
			100*ratio.Median, 100*ratio.Low, 100*ratio.High, report.SpreadOf(result.rates()).Median,
			result.median(func(l report.Load) time.Duration { return l.P99 }).Round(100*time.Microsecond),
			report.SpreadOf(bare).Median, 100*report.SpreadOf(bare).Median/ideal),
		Verdict: report.Within(ratio.Median >= share),
	})
	return s.stop()
}

// sleepers returns how often a second n goroutines wake that sleep for d, over and over.
func (b *bench) sleepers(ctx context.Context, n int, d time.Duration) (float64, error) {
	s, err := b.serve(ctx, program{name: "sleepers", bin: "floor", args: []string{"-sleepers", strconv.Itoa(n), "-sleep", d.String()}}, b.server)
	if err != nil {
		return 0, err
	}
	time.Sleep(b.warm)
	start := time.Now()
	first, err := s.ask("stats")
	if err != nil {
		return 0, err
	}
	time.Sleep(b.window)
	last, err := s.ask("stats")
	if err != nil {
		return 0, err
	}
	return float64(last.Count-first.Count) / time.Since(start).Seconds(), s.stop()
}
