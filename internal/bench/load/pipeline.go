package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/load"
	"github.com/spoke-go/spoke/internal/bench/internal/proc"
	"github.com/spoke-go/spoke/internal/bench/internal/report"
)

// pipeline keeps all connections full and measures the window in the middle.
func pipeline(ctx context.Context, c config) error {
	var server, own []time.Duration // at the two ends of the window
	c.Edge = func() error {
		var errServer, errOwn error
		var s, o time.Duration
		if c.pid != 0 {
			s, errServer = proc.CPUTime(c.pid)
		}
		o, errOwn = proc.CPUTime(os.Getpid())
		server, own = append(server, s), append(own, o)
		return errors.Join(errServer, errOwn)
	}
	r, err := load.Pipeline(ctx, c.Config)
	if err != nil {
		return err
	}
	if r.Disconnect != nil {
		return r.Disconnect
	}
	return print(report.Load{
		Notifies:   r.Acks,
		All:        r.All,
		Wall:       r.Wall,
		ServerCPU:  server[1] - server[0],
		LoadCPU:    own[1] - own[0],
		P50:        r.Latency.Quantile(0.50),
		P99:        r.Latency.Quantile(0.99),
		QuickP99:   r.Latency.Quantile(0.99 * 15 / 16),
		P999:       r.Latency.Quantile(0.999),
		MaxLatency: r.Latency.Max(),
	})
}
