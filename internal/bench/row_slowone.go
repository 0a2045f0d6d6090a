package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// rowI has one handler in 16 sleep for long, and looks at the others' latency.
func (b *bench) rowI(ctx context.Context) error {
	const limit = 2 * time.Millisecond
	t := traffic{shape: "ip", conns: 8, inFlight: 64, rate: 4000}
	s, err := b.compare(ctx, b.rounds, t, agent("one handler in 16 sleeps", "-sleep", "100ms", "-every", "16"))
	if err != nil {
		return err
	}
	quick := func(l report.Load) time.Duration { return l.QuickP99 }
	v := report.SpreadOf(s[0].values(quick))
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:    "i",
		Work:  "4,000 NOTIFYs a second, one handler in 16 sleeps 100 ms: p99 of the others",
		Bound: limit.String(),
		Measured: fmt.Sprintf("%v (%v to %v)", time.Duration(v.Median).Round(time.Microsecond),
			time.Duration(v.Low).Round(time.Microsecond), time.Duration(v.High).Round(time.Microsecond)),
		Verdict: report.Within(time.Duration(v.Median) <= limit),
	})
	return nil
}
