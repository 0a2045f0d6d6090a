//go:build linux

package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"
)

// Crowd counts the work of slow clients.
type Crowd struct {
	Acks           uint64
	Sent, Received uint64 // bytes
	Wall           time.Duration
}

// slowVisit is the time between two looks at the same slow connection.
const slowVisit = 250 * time.Millisecond

// Slow is a crowd of clients that every 250 ms write a few bytes, cut at random, and
// read a few: bytesPerSecond all together. When the window is over, half of them finish
// their frame and disconnect; the others reset the connection in the middle. It calls
// opened once all are connected.
func Slow(ctx context.Context, c Config, bytesPerSecond int, opened func() error) (Crowd, error) {
	if err := c.check(); err != nil {
		return Crowd{}, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	conns, err := openAll(ctx, &c, smallBuffer)
	if err != nil {
		return Crowd{}, err
	}
	defer closeAll(conns)
	for _, k := range conns {
		if err := k.sock.nonblocking(true); err != nil {
			return Crowd{}, err
		}
	}
	if err := opened(); err != nil {
		return Crowd{}, err
	}
	r := crowd{conns: conns, rng: rand.New(rand.NewPCG(1, 2))}
	r.piece = max(1, int(float64(bytesPerSecond)*slowVisit.Seconds())/c.Conns)
	// The count leaves out the first third, because the first ACKs come after some
	// seconds.
	if err := r.loop(c.Window / 3); err != nil {
		return Crowd{}, err
	}
	r.result = Crowd{}
	begin := time.Now()
	if err := r.loop(c.Window - c.Window/3); err != nil {
		return Crowd{}, err
	}
	r.result.Wall = time.Since(begin)
	return r.result, r.end()
}

type crowd struct {
	conns  []*conn
	rng    *rand.Rand
	piece  int // bytes that a connection writes at a visit, on average
	result Crowd
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
	n, err := k.receive(2*r.piece, func(*slot) { r.result.Acks++ })
	if err != nil {
		return err
	}
	r.result.Received += uint64(n)

	if len(k.out) == 0 && len(k.free) > 0 {
		k.notify(0, 0)
	}
	n, err = k.sock.write(k.out[:min(len(k.out), 1+r.rng.IntN(2*r.piece))])
	r.result.Sent += uint64(n)
	k.out = k.out[:copy(k.out, k.out[n:])]
	return err
}

// end lets every second client finish its frame, and resets the others.
func (r *crowd) end() error {
	for i, k := range r.conns {
		if i%2 == 0 {
			k.sock.reset()
			k.sock = -1
			continue
		}
		if err := k.finish(); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	return nil
}

// finish writes the rest of a NOTIFY, awaits all ACKs and disconnects.
func (k *conn) finish() error {
	if err := k.sock.nonblocking(false); err != nil {
		return err
	}
	if err := k.settle(); err != nil {
		return err
	}
	return k.disconnect()
}
