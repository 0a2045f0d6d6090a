// Command agent is the agent that the benchmarks hold against the floor: typed
// handlers on a router with middleware, as users write them. Flags
// remove its parts or change their form, to measure the cost of each.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"runtime/pprof"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/ctl"
	"github.com/spoke-go/spoke/spoe"
)

type config struct {
	addr       string
	form       string
	recover    bool
	timeout    time.Duration
	trace      bool
	sleep      time.Duration
	compute    time.Duration
	every      uint64
	inspect    bool
	cpuProfile string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("agent: ")
	slog.SetLogLoggerLevel(slog.LevelWarn)
	var c config
	flag.StringVar(&c.addr, "addr", "127.0.0.1:0", "listen on this `host:port`")
	flag.StringVar(&c.form, "form", "typed", formsUsage)
	flag.BoolVar(&c.recover, "recover", false, "use middleware.Recover")
	flag.DurationVar(&c.timeout, "timeout", 0, "use middleware.Timeout with this `time`")
	flag.BoolVar(&c.trace, "trace", false, "use middleware.Trace, with OpenTelemetry's SDK that samples nothing")
	flag.DurationVar(&c.sleep, "sleep", 0, "have the handler sleep for this `time`")
	flag.DurationVar(&c.compute, "compute", 0, "make the handler compute for this `time`")
	flag.Uint64Var(&c.every, "every", 1, "sleep or compute in one message of so `many` alone")
	flag.BoolVar(&c.inspect, "inspect", false, "use the middleware of package inspect, and serve its page")
	flag.StringVar(&c.cpuProfile, "cpuprofile", "", "write a CPU profile to this `file`")
	flag.Parse()
	if err := run(c); err != nil {
		log.Fatal(err)
	}
}

func run(c config) error {
	page, err := newPage(c)
	if err != nil {
		return err
	}
	defer page.close()
	handler, err := newHandler(c, page)
	if err != nil {
		return err
	}
	lis, err := net.Listen("tcp", c.addr)
	if err != nil {
		return err
	}
	if c.cpuProfile != "" {
		f, err := os.Create(c.cpuProfile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	agent := &spoe.Agent{Handler: handler, ShutdownTimeout: 5 * time.Second}
	// Ended by cancel, awaited below.
	go func() { ended <- agent.Run(ctx, lis) }()

	ctlErr := ctl.Serve(os.Stdin, os.Stdout, ctl.Hello{Addr: lis.Addr().String(), Page: page.url()})
	cancel()
	if err := <-ended; err != nil && ctlErr == nil {
		return fmt.Errorf("run: %w", err)
	}
	return ctlErr
}
