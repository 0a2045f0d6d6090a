package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/proc"
	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// rowSlow has a crowd of slow clients, and looks at the server's memory meanwhile
// and at its goroutines afterwards.
func (b *bench) rowSlow(ctx context.Context) error {
	const (
		rate   = 1 << 20 // bytes a second each way
		growth = 1.10    // of memory, from early to late
	)
	ctx, cancel := context.WithTimeout(ctx, b.slow+5*time.Minute)
	defer cancel()
	s, err := b.serve(ctx, defaultAgent, b.server)
	if err != nil {
		return err
	}
	if _, err := b.pipeline(ctx, s, ipPipelined); err != nil {
		return err
	}
	before, err := s.ask("stats")
	if err != nil {
		return err
	}
	gen, err := b.generator(ctx, "slow", s, traffic{shape: "echo", conns: b.conns, inFlight: 4},
		"-for", b.slow.String(), "-rate", fmt.Sprint(rate*5/4)) // some pieces are cut short: 1.2 arrive
	if err != nil {
		return err
	}
	if err := gen.read(new(string)); err != nil {
		return err
	}
	if err := gen.tell("go on"); err != nil {
		return err
	}
	mem, err := b.watchMemory(s)
	if err != nil {
		return err
	}
	var slow report.Slow
	if err := gen.read(&slow); err != nil {
		return err
	}
	if err := gen.stop(); err != nil {
		return err
	}
	left, err := s.goroutinesLeft(before.Goroutines)
	if err != nil {
		return err
	}
	out, in := float64(slow.Sent)/slow.Wall.Seconds(), float64(slow.Received)/slow.Wall.Seconds()
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:    "slow",
		Work:  fmt.Sprintf("%d slow clients, 1 MiB/s each way in pieces cut at random", b.conns),
		Bound: "steady memory, no goroutine left",
		Measured: fmt.Sprintf("%.0f MiB early, %.0f MiB late, after a collection (peak %.0f MiB); goroutines left: %d; %.2f MiB/s to the agent, %.2f back",
			mem.early/(1<<20), mem.late/(1<<20), mem.peak/(1<<20), max(left, 0), out/(1<<20), in/(1<<20)),
		Verdict: report.Within(mem.late <= growth*mem.early && left <= 0 && min(out, in) >= rate),
	})
	return s.stop()
}

// memory is the resident memory under load, in bytes.
type memory struct {
	early, late float64 // right after a garbage collection, a third through and at the end
	peak        float64 // as it came, of the time between
}

// watchMemory looks at the server while the slow clients are at it. A garbage collection
// may be a minute away at this load, and memory before it looks like growth; so both
// measurements that are compared follow a collection.
func (b *bench) watchMemory(s *server) (m memory, err error) {
	const every = 250 * time.Millisecond
	begin := time.Now()
	time.Sleep(b.slow / 3)
	if m.early, err = s.swept(); err != nil {
		return m, err
	}
	for time.Since(begin) < b.slow-2*every {
		time.Sleep(every)
		rss, err := proc.Resident(s.pid())
		if err != nil {
			return m, err
		}
		m.peak = max(m.peak, float64(rss))
	}
	if m.late, err = s.swept(); err != nil {
		return m, err
	}
	log.Printf("  resident: %.1f MiB early, %.1f MiB late, %.1f MiB at the peak", m.early/(1<<20), m.late/(1<<20), m.peak/(1<<20))
	return m, nil
}

// swept returns the resident memory right after a garbage collection.
func (s *server) swept() (float64, error) {
	if _, err := s.ask("release"); err != nil {
		return 0, err
	}
	rss, err := proc.Resident(s.pid())
	return float64(rss), err
}

// goroutinesLeft returns the number of goroutines beyond those from before, once
// they had twelve seconds to end.
func (s *server) goroutinesLeft(before int) (int, error) {
	var left int
	for range 120 { // an idle worker of package spoe ends within 10 s
		stats, err := s.ask("stats")
		if err != nil {
			return 0, err
		}
		if left = stats.Goroutines - before; left <= 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return left, nil
}
