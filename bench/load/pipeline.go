package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spoke-go/spoke/bench/internal/proc"
	"github.com/spoke-go/spoke/bench/internal/report"
)

// pipeline keeps all connections full and measures the window in the middle.
func pipeline(c config) error {
	conns, err := openAll(c, 64<<10)
	if err != nil {
		return err
	}
	p, err := newPoller(conns)
	if err != nil {
		return err
	}
	r := &run{config: c, conns: conns, poller: p, begin: time.Now()}
	if err := r.loop(); err != nil {
		return err
	}
	if err := goodbyeAll(conns); err != nil {
		return err
	}
	return print(report.Load{
		Notifies:   r.to.acks - r.from.acks,
		All:        r.acks,
		Wall:       r.to.at - r.from.at,
		ServerCPU:  r.to.serverCPU - r.from.serverCPU,
		LoadCPU:    r.to.loadCPU - r.from.loadCPU,
		P50:        r.latency.quantile(0.50),
		P99:        r.latency.quantile(0.99),
		P999:       r.latency.quantile(0.999),
		MaxLatency: r.latency.max,
	})
}

// run is one pipelined run.
type run struct {
	config
	conns  []*conn
	poller *poller
	begin  time.Time

	acks     uint64
	from, to sample
	latency  histogram
	stopped  bool // no NOTIFY is sent any more
}

// sample is the state of the counters at one moment.
type sample struct {
	taken              bool
	at                 time.Duration // since run.begin
	acks               uint64
	serverCPU, loadCPU time.Duration
}

// stall is how long no ACK may come before the run has failed.
const stall = 10 * time.Second

func (r *run) now() int64 { return int64(time.Since(r.begin)) }

func (r *run) loop() error {
	for _, k := range r.conns {
		if err := r.fill(k); err != nil {
			return err
		}
	}
	for !r.stopped || r.inFlight() > 0 {
		ready, err := r.poller.wait(stall)
		if err != nil {
			return err
		}
		if len(ready) == 0 {
			return fmt.Errorf("no ACK for %v, %d NOTIFYs are unanswered", stall, r.inFlight())
		}
		if err := r.phase(); err != nil {
			return err
		}
		for _, k := range ready {
			if err := r.serve(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// phase takes the samples at the two ends of the window.
func (r *run) phase() error {
	var err error
	switch at := time.Duration(r.now()); {
	case at >= r.warm && !r.from.taken:
		r.from, err = r.sample()
	case r.from.taken && at >= r.from.at+r.window && !r.stopped:
		r.stopped = true
		r.to, err = r.sample()
	}
	return err
}

func (r *run) sample() (sample, error) {
	s := sample{taken: true, acks: r.acks, at: time.Duration(r.now())}
	var errServer, errLoad error
	if r.pid != 0 {
		s.serverCPU, errServer = proc.CPUTime(r.pid)
	}
	s.loadCPU, errLoad = proc.CPUTime(unix.Getpid())
	return s, errors.Join(errServer, errLoad)
}

// serve takes the ACKs of one connection and fills it up again.
func (r *run) serve(k *conn) error {
	now := r.now()
	measured := r.from.taken && !r.stopped
	_, err := k.receive(len(k.in), func(since int64) {
		r.acks++
		if measured {
			r.latency.add(time.Duration(now - since))
		}
	})
	if err != nil {
		return err
	}
	return r.fill(k)
}

// fill writes as many NOTIFYs as there are free slots, in one write.
func (r *run) fill(k *conn) error {
	if !r.stopped {
		now := r.now()
		for len(k.free) > 0 {
			k.notify(now)
		}
	}
	if len(k.out) > 0 {
		if err := k.flush(); err != nil {
			return err
		}
	}
	return r.poller.writable(k, len(k.out) > 0)
}

func (r *run) inFlight() int {
	n := 0
	for _, k := range r.conns {
		n += k.busy()
	}
	return n
}
