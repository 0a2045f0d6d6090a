package main

import (
	"context"
	"fmt"
	"log"
	"os/exec"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/spoke-go/spoke/internal/bench/internal/proc"
	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// rowHAProxy has wrk ask each HAProxy of this machine for pages that HAProxy
// itself answers: without SPOE, with the floor and with the agent in turn.
func (b *bench) rowHAProxy(ctx context.Context) error {
	if _, err := exec.LookPath("wrk"); err != nil {
		log.Print("  left out: wrk is not installed (apt-get install wrk)")
		return nil
	}
	found, err := haproxytest.Installed()
	if err != nil {
		return err
	}
	if len(found) == 0 {
		log.Print("  left out: no haproxy was found (apt-get install haproxy)")
	}
	for _, bin := range found {
		h, err := b.throughHAProxy(ctx, bin)
		if err != nil {
			return fmt.Errorf("%s: %w", bin, err)
		}
		b.report.HAProxy = append(b.report.HAProxy, h)
	}
	return nil
}

// roundsHAProxy is fewer than the other rows have: each is of three parts.
const roundsHAProxy = 3

func (b *bench) throughHAProxy(ctx context.Context, bin haproxytest.Binary) (report.HAProxy, error) {
	result := report.HAProxy{Version: bin.Version}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	anywhere := place{core: -1, procs: b.report.Cores}
	floor, err := b.serve(ctx, ipPipelined.floor(), anywhere)
	if err != nil {
		return result, err
	}
	agent, err := b.serve(ctx, defaultAgent, anywhere)
	if err != nil {
		return result, err
	}
	h, err := b.startHAProxy(ctx, bin, floor.addr, agent.addr)
	if err != nil {
		return result, err
	}
	var rates [3][]float64
	var cpu [2][]float64 // of the floor and of the agent, a request
	servers := [2]*server{floor, agent}
	for round := range roundsHAProxy {
		for turn := range rates {
			i := (turn + round) % len(rates)
			var before time.Duration
			if i > 0 {
				if before, err = proc.CPUTime(servers[i-1].pid()); err != nil {
					return result, err
				}
			}
			w, err := b.runWrk(ctx, h.urls[i])
			if err != nil {
				return result, err
			}
			if i > 0 {
				after, err := proc.CPUTime(servers[i-1].pid())
				if err != nil {
					return result, err
				}
				cpu[i-1] = append(cpu[i-1], float64(after-before)/w.requests)
			}
			rates[i] = append(rates[i], w.rate)
			result.Failed += w.failed
			log.Printf("  %s, round %d of %d, %s: %.0f requests/s, %d failed", bin, round+1, roundsHAProxy, ways[i], w.rate, w.failed)
		}
	}
	r := report.Ratios(cpu[1], cpu[0])
	b.report.Rows = append(b.report.Rows, report.Row{
		ID:       "m",
		Work:     "the agent's CPU time for a request, behind HAProxy " + bin.Version,
		Bound:    "1.05 × floor",
		Measured: fmt.Sprintf("%s × floor: %v a request", r, time.Duration(report.SpreadOf(cpu[1]).Median).Round(100*time.Nanosecond)),
		Verdict:  report.Within(r.Median <= 1.05),
	})
	result.None, result.Floor, result.Agent = report.SpreadOf(rates[0]), report.SpreadOf(rates[1]), report.SpreadOf(rates[2])
	if err := h.stop(); err != nil {
		return result, err
	}
	if err := floor.stop(); err != nil {
		return result, err
	}
	return result, agent.stop()
}
