package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/spoke-go/spoke/bench/internal/report"
)

// slowVisit is the time between two looks at the same slow connection.
const slowVisit = 250 * time.Millisecond

// slow is a crowd of clients that every 250 ms write a few bytes, cut at
// random, and read a few. When the window is over, half of them finish what
// they began and disconnect, the others reset the connection in the middle.
func slow(c config) error {
	conns, err := openAll(c, 4<<10)
	if err != nil {
		return err
	}
	for _, k := range conns {
		if err := k.sock.nonblocking(true); err != nil {
			return err
		}
	}
	if err := print("open"); err != nil {
		return err
	}
	if err := next(); err != nil {
		return err
	}
	r := crowd{conns: conns, rng: rand.New(rand.NewPCG(1, 2))}
	r.piece = max(1, int(float64(c.rate)*slowVisit.Seconds())/c.conns)
	// The first third is left out of the count: it takes some seconds until the
	// first ACKs have come.
	if err := r.loop(c.window / 3); err != nil {
		return err
	}
	r.result = report.Slow{}
	begin := time.Now()
	if err := r.loop(c.window - c.window/3); err != nil {
		return err
	}
	r.result.Wall = time.Since(begin)
	for i, k := range conns {
		if i%2 == 0 {
			k.sock.reset()
			continue
		}
		if err := k.finish(); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	return print(r.result)
}

type crowd struct {
	conns  []*conn
	rng    *rand.Rand
	piece  int // bytes that a connection writes at a visit, on average
	result report.Slow
}

// loop visits the connections in turn, at a pace that comes back to each after
// slowVisit, or later where the machine is too slow for that.
func (r *crowd) loop(window time.Duration) error {
	begin := time.Now()
	pause := slowVisit / time.Duration(len(r.conns))
	for visit := 0; time.Since(begin) < window; visit++ {
		if ahead := time.Duration(visit)*pause - time.Since(begin); ahead > time.Millisecond {
			time.Sleep(ahead)
		}
		if err := r.visit(r.conns[visit%len(r.conns)]); err != nil {
			return fmt.Errorf("connection %d: %w", visit%len(r.conns)+1, err)
		}
	}
	return nil
}

func (r *crowd) visit(k *conn) error {
	n, err := k.receive(2*r.piece, func(int64) { r.result.Acks++ })
	if err != nil {
		return err
	}
	r.result.Received += uint64(n)

	if len(k.out) == 0 && len(k.free) > 0 {
		k.notify(0)
	}
	n, err = k.sock.write(k.out[:min(len(k.out), 1+r.rng.IntN(2*r.piece))])
	r.result.Sent += uint64(n)
	k.out = k.out[:copy(k.out, k.out[n:])]
	return err
}

// finish writes what is left of a NOTIFY, awaits all ACKs and disconnects.
func (k *conn) finish() error {
	if err := k.sock.nonblocking(false); err != nil {
		return err
	}
	if err := k.settle(); err != nil {
		return err
	}
	return k.goodbye()
}
