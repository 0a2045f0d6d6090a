// Command demo is `make run`, `make run-waf`, `make run-rate-limit` and `make run-mirror`:
// it builds and starts an example, an origin and HAProxy in front of it, sends several
// requests, and shows the outcome of each. internal/scripts/run.sh starts it in the repository's
// root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var d demo
	flag.BoolVar(&d.haproxy, "haproxy", true, "put HAProxy in front; without it, its side of SPOP is package spoetest's")
	flag.BoolVar(&d.stay, "stay", false, "stay until Ctrl-C")
	flag.DurationVar(&d.during, "for", 0, "go on asking for that long, then exit")
	name := flag.String("example", "ip-reputation", "the `NAME` of the example: ip-reputation, mirror, rate-limit or waf")
	flag.Parse()
	var ok bool
	if d.scene, ok = scenes[*name]; !ok {
		fmt.Fprintf(os.Stderr, "there is no example %q to run: write ip-reputation, mirror, rate-limit or waf\n", *name)
		os.Exit(2)
	}
	d.out = &lines{w: os.Stdout}

	if err := d.runUntilSignal(); err != nil {
		fmt.Fprintf(os.Stderr, "FAILED: %v\n", err)
		os.Exit(1)
	}
}

func (d *demo) runUntilSignal() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := d.run(ctx)
	switch {
	case ctx.Err() == nil:
		return err
	case d.stay:
		d.out.printf("\nStopped. Nothing is left running.")
		return nil
	default:
		return errors.Join(errors.New("interrupted"), err)
	}
}

// Bounds of what should take milliseconds, on a machine that is busy.
const (
	startLimit = 20 * time.Second
	stopLimit  = 15 * time.Second
	askLimit   = 10 * time.Second
)
