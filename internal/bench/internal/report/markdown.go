package report

import (
	"fmt"
	"strings"
	"time"
)

// Markdown returns the tables.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Made on %s by `%s`: %s, %d cores of %s, Linux %s.\n\n",
		r.Date.Format(time.DateOnly), r.Command, r.Go, r.Cores, r.CPU, r.Kernel)
	r.rows(&b)
	r.costs(&b)
	r.haproxy(&b)
	return b.String()
}

func (r *Report) rows(b *strings.Builder) {
	if len(r.Rows) == 0 {
		return
	}
	b.WriteString("| | work | bound | measured | |\n| --- | --- | --- | --- | --- |\n")
	for _, row := range r.Rows {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", row.ID, row.Work, row.Bound, row.Measured, row.Verdict)
	}
	b.WriteString("\n")
}

func (r *Report) costs(b *strings.Builder) {
	if len(r.Costs) == 0 {
		return
	}
	b.WriteString("CPU time and memory of each server, the medians of the rounds. CPU time is that of the server\n" +
		"process, user and system, for one NOTIFY; latencies are those of a machine at its limit.\n\n")
	b.WriteString("| load | server | CPU time per NOTIFY | × floor | NOTIFYs/s | p50 | p99 |\n" +
		"| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, c := range r.Costs {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", c.Load, c.Server,
			time.Duration(c.NS.Median), c.Ratio, thousands(c.Rate.Median), round(c.P50), round(c.P99))
	}
	b.WriteString("\n")
}

func (r *Report) haproxy(b *strings.Builder) {
	if len(r.HAProxy) == 0 {
		return
	}
	b.WriteString("Through a real HAProxy, requests a second that wrk got from 64 connections, all on the\n" +
		"same cores; in brackets the share of what HAProxy does without SPOE.\n\n")
	b.WriteString("| HAProxy | without SPOE | with the floor | with the agent | agent ÷ floor | failed |\n" +
		"| --- | --- | --- | --- | --- | --- |\n")
	for _, h := range r.HAProxy {
		fmt.Fprintf(b, "| %s | %s | %s (%.0f %%) | %s (%.0f %%) | %.2f | %d |\n", h.Version,
			thousands(h.None.Median),
			thousands(h.Floor.Median), 100*h.Floor.Median/h.None.Median,
			thousands(h.Agent.Median), 100*h.Agent.Median/h.None.Median,
			h.Agent.Median/h.Floor.Median, h.Failed)
	}
	b.WriteString("\n")
}

// String returns the spread as the tables have it.
func (s Spread) String() string {
	if s.Low == s.High {
		return fmt.Sprintf("%.2f", s.Median)
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", s.Median, s.Low, s.High)
}

// thousands writes 123456 as 123,456.
func thousands(f float64) string {
	s := fmt.Sprintf("%.0f", f)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func round(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Millisecond:
		return d.Round(time.Millisecond)
	case d > 10*time.Microsecond:
		return d.Round(time.Microsecond)
	}
	return d
}
