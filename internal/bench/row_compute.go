package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/internal/bench/internal/report"
	"github.com/spoke-go/spoke/internal/bench/internal/shape"
)

// rowJ sends 16 NOTIFYs together whose handlers compute for 1 ms each, on one core: the
// ACKs should leave one after the other, not with the last one.
func (b *bench) rowJ(ctx context.Context) error {
	const limit, together = 0.65, 16
	s, err := b.serve(ctx, agent("agent that computes", "-compute", "1ms"), b.server)
	if err != nil {
		return err
	}
	sh, err := shape.Named("ip")
	if err != nil {
		return err
	}
	c, err := spoetest.Dial(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	var ratios []float64
	for round := range 10 * b.rounds {
		frames := make([]codec.Frame, together)
		for i := range frames {
			frames[i] = spoetest.NotifyFrame(spoetest.ID{Stream: uint64(together*round + i + 1), Frame: 1}, sh.Notify)
		}
		start := time.Now()
		if err := c.WriteFrames(ctx, frames...); err != nil {
			return err
		}
		var sum, last time.Duration
		for range frames {
			if _, err := c.AnyAck(ctx); err != nil {
				return err
			}
			last = time.Since(start)
			sum += last
		}
		ratios = append(ratios, float64(sum)/together/float64(last))
	}
	v := report.SpreadOf(ratios)
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:       "j",
		Work:     "16 NOTIFYs that compute 1 ms each, sent together: the mean ACK ÷ the last one",
		Bound:    fmt.Sprintf("%.2f", limit),
		Measured: v.String(),
		Verdict:  report.Within(v.Median <= limit),
	})
	c.Close()
	return s.stop()
}
