// Command load is the generator of the benchmarks: package load of spoectl,
// with the messages of the benchmarks. It sends NOTIFYs encoded beforehand and
// checks that each is answered exactly once, with its stream-id and frame-id and
// with the right actions.
//
// It has three modes. "pipeline" keeps -inflight NOTIFYs in flight on each
// connection and prints what the server's CPU time and the latencies were.
// "idle" opens connections and leaves them alone. "slow" is a crowd of clients
// that write and read a few bytes at a time. The last two wait for a line of
// input between their phases, so that the runner can look at the server.
package main

import (
	"context"
	"flag"
	"log"
	"runtime/debug"
	"time"

	"github.com/spoke-go/spoke/cmd/spoectl/load"
	"github.com/spoke-go/spoke/internal/bench/internal/shape"
)

type config struct {
	load.Config
	pid  int
	rate int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("load: ")
	debug.SetGCPercent(-1) // it allocates at its start alone

	c := config{Config: load.Config{Network: "tcp"}}
	mode := flag.String("mode", "pipeline", "pipeline, idle or slow")
	flag.StringVar(&c.Addr, "addr", "127.0.0.1:9000", "the agent's `host:port`")
	flag.IntVar(&c.pid, "pid", 0, "measure the CPU time of this `process`, the agent")
	name := flag.String("shape", "ip", "send this message: "+shape.Names())
	flag.IntVar(&c.Conns, "conns", 8, "connections")
	flag.IntVar(&c.InFlight, "inflight", 16, "NOTIFYs in flight on each connection")
	flag.DurationVar(&c.Warm, "warm", 500*time.Millisecond, "send for this long before measuring")
	flag.DurationVar(&c.Window, "for", 2*time.Second, "measure for this long, an hour at most")
	flag.Float64Var(&c.Rate, "per-second", 0, "send so `many` NOTIFYs a second, at a constant rate; 0: as many as the agent answers")
	flag.IntVar(&c.rate, "rate", 1<<20, "slow: `bytes` a second that all connections together send")
	flag.Parse()

	s, err := shape.Named(*name)
	if err != nil {
		log.Fatal(err)
	}
	c.Messages = []load.Message{{Notify: s.Notify, Ack: s.Ack, Check: true}}
	c.Window = min(c.Window, time.Hour)
	modes := map[string]func(context.Context, config) error{"pipeline": pipeline, "idle": idle, "slow": slow}
	run, ok := modes[*mode]
	if !ok {
		log.Fatalf("-mode %s is neither pipeline, idle nor slow", *mode)
	}
	if err := run(context.Background(), c); err != nil {
		log.Fatal(err)
	}
}
