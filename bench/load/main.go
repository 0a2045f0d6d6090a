// Command load is the generator of the benchmarks: HAProxy's side of many
// connections, from one thread. It speaks to the sockets by system calls of
// its own (epoll), so that it is faster than any agent on Go's net package and
// never what is measured. It sends NOTIFYs encoded beforehand and checks that
// each is answered exactly once, with its stream-id and frame-id and with the
// right actions.
//
// It has three modes. "pipeline" keeps -inflight NOTIFYs in flight on each
// connection and prints what the server's CPU time and the latencies were.
// "idle" opens connections and leaves them alone. "slow" is a crowd of clients
// that write and read a few bytes at a time. The last two wait for a line of
// input between their phases, so that the runner can look at the server.
package main

import (
	"flag"
	"log"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spoke-go/spoke/bench/internal/shape"
)

type config struct {
	addr     string
	pid      int
	shape    shape.Shape
	conns    int
	inFlight int
	warm     time.Duration
	window   time.Duration
	rate     int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("load: ")
	runtime.LockOSThread()
	debug.SetGCPercent(-1) // it allocates at its start alone

	var c config
	mode := flag.String("mode", "pipeline", "pipeline, idle or slow")
	flag.StringVar(&c.addr, "addr", "127.0.0.1:9000", "the agent's `host:port`, IPv4")
	flag.IntVar(&c.pid, "pid", 0, "measure the CPU time of this `process`, the agent")
	name := flag.String("shape", "ip", "send this message: "+shape.Names())
	flag.IntVar(&c.conns, "conns", 8, "connections")
	flag.IntVar(&c.inFlight, "inflight", 16, "NOTIFYs in flight on each connection")
	flag.DurationVar(&c.warm, "warm", 500*time.Millisecond, "send for this long before measuring")
	flag.DurationVar(&c.window, "for", 2*time.Second, "measure for this long, an hour at most")
	flag.IntVar(&c.rate, "rate", 1<<20, "slow: `bytes` a second that all connections together send")
	flag.Parse()

	var err error
	if c.shape, err = shape.Named(*name); err != nil {
		log.Fatal(err)
	}
	c.window = min(c.window, time.Hour)
	modes := map[string]func(config) error{"pipeline": pipeline, "idle": idle, "slow": slow}
	run, ok := modes[*mode]
	switch {
	case !ok:
		log.Fatalf("-mode %s is neither pipeline, idle nor slow", *mode)
	case c.conns < 1 || c.inFlight < 1:
		log.Fatal("-conns and -inflight are at least 1")
	}
	if err := run(c); err != nil {
		log.Fatal(err)
	}
}
