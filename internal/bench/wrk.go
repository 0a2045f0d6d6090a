package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// wrk is the output of wrk.
type wrk struct {
	rate     float64 // requests a second
	requests float64
	failed   int // responses other than 2xx and 3xx, and socket errors
}

var (
	wrkRate     = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkStatus   = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	wrkSocket   = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
)

// runWrk asks for url from 64 connections.
func (b *bench) runWrk(ctx context.Context, url string) (wrk, error) {
	ctx, cancel := context.WithTimeout(ctx, b.wrk+30*time.Second)
	defer cancel()
	seconds := strconv.Itoa(max(1, int(b.wrk.Seconds())))
	out, err := exec.CommandContext(ctx, "wrk", "-t", "1", "-c", "64", "-d", seconds+"s", url).CombinedOutput()
	if err != nil {
		return wrk{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	m := wrkRate.FindSubmatch(out)
	if m == nil {
		return wrk{}, fmt.Errorf("wrk tells no rate:\n%s", out)
	}
	var w wrk
	if w.rate, err = strconv.ParseFloat(string(m[1]), 64); err != nil {
		return w, err
	}
	n := wrkRequests.FindSubmatch(out)
	if n == nil {
		return w, fmt.Errorf("wrk tells no number of requests:\n%s", out)
	}
	w.requests, err = strconv.ParseFloat(string(n[1]), 64)
	for _, re := range []*regexp.Regexp{wrkStatus, wrkSocket} {
		if m := re.FindSubmatch(out); m != nil {
			for _, n := range m[1:] {
				failed, _ := strconv.Atoi(string(n))
				w.failed += failed
			}
		}
	}
	return w, err
}
