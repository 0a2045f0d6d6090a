package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// rowPage holds the agent of row a with the page of package inspect to the same agent without
// it: first the page is closed, then two browsers have it open.
func (b *bench) rowPage(ctx context.Context) error {
	unseen, seen := agent("agent with the page", "-inspect"), agent("agent with the page, two open", "-inspect")
	seen.looking = 2
	s, err := b.compare(ctx, b.rounds, ipPipelined, ipPipelined.floor(), defaultAgent, unseen, seen)
	if err != nil {
		return err
	}
	for i, c := range []struct {
		work  string
		limit float64
	}{
		{"8 × 16, as in a, with the page of package inspect that no browser has open", 1.02},
		{"8 × 16, the same, two browsers having it open", 1.15},
	} {
		r := report.Ratios(s[2+i].perNotify(), s[1].perNotify())
		b.report.Rows = append(b.report.Rows, report.Row{
			ID:       "page",
			Work:     c.work,
			Bound:    fmt.Sprintf("%.2f × agent", c.limit),
			Measured: r.String() + " × agent",
			Verdict:  report.Within(r.Median <= c.limit),
		})
	}
	return nil
}

// look opens a server's page n times and reads what it streams until ctx ends or
// the server does.
func look(ctx context.Context, s *server, n int) error {
	for range n {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.page+"events", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answered %s at its page", s.name, resp.Status)
		}
		go func() { // ends with ctx, as the caller's servers do
			defer resp.Body.Close()
			_, _ = io.Copy(io.Discard, resp.Body)
		}()
	}
	return nil
}
