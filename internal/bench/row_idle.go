package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/proc"
	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// settle is the pause in which memory comes to rest. The row does not ask the garbage
// collector to run, because uncollected memory is resident, too.
const settle = 3 * time.Second

// rowG opens connections that do nothing, looks at the server's memory, uses
// each connection once with 16 NOTIFYs, and looks again.
func (b *bench) rowG(ctx context.Context) error {
	const bound = 6 << 10
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	s, err := b.serve(ctx, defaultAgent, b.server)
	if err != nil {
		return err
	}
	if _, err := b.pipeline(ctx, s, ipPipelined); err != nil { // the first use costs memory that is not a connection's
		return err
	}
	base, err := proc.Resident(s.pid())
	if err != nil {
		return err
	}
	gen, err := b.generator(ctx, "idle", s, traffic{shape: "ip", conns: b.conns, inFlight: 16})
	if err != nil {
		return err
	}
	var each [2]float64 // bytes a connection: after the handshake, after use
	for i := range each {
		var phase string
		if err := gen.read(&phase); err != nil {
			return err
		}
		time.Sleep(settle)
		rss, err := proc.Resident(s.pid())
		if err != nil {
			return err
		}
		stats, err := s.ask("stats")
		if err != nil {
			return err
		}
		each[i] = float64(rss-base) / float64(b.conns)
		log.Printf("  %s: %.0f bytes a connection; heap %d, stacks %d, goroutines %d", phase, each[i],
			stats.HeapBytes/uint64(b.conns), stats.StackBytes/uint64(b.conns), stats.Goroutines)
		if err := gen.tell("go on"); err != nil {
			return err
		}
	}
	if err := gen.read(new(string)); err != nil {
		return err
	}
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:    "g",
		Work:  fmt.Sprintf("%d idle connections, resident memory of each", b.conns),
		Bound: "6 KiB",
		Measured: fmt.Sprintf("%.1f KiB after the handshake, %.1f KiB after 16 NOTIFYs on each",
			each[0]/1024, each[1]/1024),
		Verdict: report.Within(max(each[0], each[1]) <= bound),
	})
	if err := gen.stop(); err != nil {
		return err
	}
	return s.stop()
}
