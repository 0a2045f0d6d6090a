// Command floor is the floor of the benchmarks: the least that an agent on
// Go's net package can do. One goroutine per connection reads what is there,
// finds the ends of the frames, and answers all NOTIFYs of one read by one
// write with a constant ACK. It decodes no argument, calls no handler, checks
// nothing that it does not need, and has no timeout: it is no agent to run.
//
// With -sleepers it serves nothing: its goroutines sleep, which is the least that an
// agent's handlers do that wait for something.
//
// With -raw it reads below net.Conn, see serveRaw. That costs even less; the figures show
// it for information.
package main

import (
	"flag"
	"log"
	"net"
	"os"
	"time"

	"github.com/spoke-go/spoke/internal/bench/internal/ctl"
	"github.com/spoke-go/spoke/internal/bench/internal/shape"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("floor: ")
	addr := flag.String("addr", "127.0.0.1:0", "listen on this `host:port`")
	name := flag.String("shape", "ip", "answer with the ACK of this shape: "+shape.Names())
	raw := flag.Bool("raw", false, "read through syscall.RawConn")
	sleepers := flag.Int("sleepers", 0, "serve nothing: have so `many` goroutines sleep, over and over, and count how often they wake")
	sleep := flag.Duration("sleep", 5*time.Millisecond, "the `time` that a sleeper sleeps")
	flag.Parse()
	for range *sleepers {
		go func() { // ends with the process
			for {
				time.Sleep(*sleep)
				ctl.Count.Add(1)
			}
		}()
	}
	if err := run(*addr, *name, *raw); err != nil {
		log.Fatal(err)
	}
}

func run(addr, name string, raw bool) error {
	s, err := shape.Named(name)
	if err != nil {
		return err
	}
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	serve := serve
	if raw {
		serve = serveRaw
	}
	// Ends with the process, which ends with its input.
	go accept(lis, func(c net.Conn) { serve(c, s.Ack) })
	return ctl.Serve(os.Stdin, os.Stdout, ctl.Hello{Addr: lis.Addr().String()})
}

func accept(lis net.Listener, serve func(net.Conn)) {
	for {
		c, err := lis.Accept()
		if err != nil {
			log.Fatal(err)
		}
		// Ends when HAProxy closes the connection, or with the process.
		go serve(c)
	}
}
