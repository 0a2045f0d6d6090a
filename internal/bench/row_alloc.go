package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// allocSlack is the number of allocations by which a NOTIFY may exceed its bound: a connection allocates
// at its start, and a pool after a garbage collection.
const allocSlack = 0.05

// rowE counts allocations of the whole server process. Tests gate them one by one; this row
// counts them under load.
func (b *bench) rowE(ctx context.Context) error {
	var measured []string
	verdict := report.Pass
	for _, c := range []struct {
		t     traffic
		p     program
		bound float64 // negative: none
	}{
		{ipPipelined, defaultAgent, 0},
		{requestPipelined, defaultAgent, 1},
		{ipPipelined, agent("agent with Trace", "-trace"), -1},
	} {
		n, err := b.allocations(ctx, c.t, c.p)
		if err != nil {
			return err
		}
		if c.bound >= 0 && n > c.bound+allocSlack {
			verdict = report.Miss
		}
		measured = append(measured, fmt.Sprintf("%s, %s: %.3f", c.t.shape, c.p.name, n))
	}
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:       "e",
		Work:     "allocations a NOTIFY, of the whole process under load (tests gate them)",
		Bound:    "0 without strings (ip), 1 with (request)",
		Measured: strings.Join(measured, "; "),
		Verdict:  verdict,
	})
	return nil
}

func (b *bench) allocations(ctx context.Context, t traffic, p program) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := b.serve(ctx, p, b.server)
	if err != nil {
		return 0, err
	}
	if _, err := b.pipeline(ctx, s, t); err != nil { // fills the pools
		return 0, err
	}
	before, err := s.ask("stats")
	if err != nil {
		return 0, err
	}
	l, err := b.pipeline(ctx, s, t)
	if err != nil {
		return 0, err
	}
	after, err := s.ask("stats")
	if err != nil {
		return 0, err
	}
	return float64(after.Mallocs-before.Mallocs) / float64(l.All), s.stop()
}
