//go:build linux

package load

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// Pipeline sends NOTIFYs on all connections and measures the window. It ends
// early, without an error, when ctx does; NOTIFYs in flight are waited for in
// any case.
func Pipeline(ctx context.Context, c Config) (*Result, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	conns, err := openAll(ctx, &c, max(largeBuffer, int(c.MaxFrameSize)+codec.LengthSize))
	if err != nil {
		return nil, err
	}
	defer closeAll(conns)
	p, err := newPoller(conns)
	if err != nil {
		return nil, err
	}
	defer p.close()
	r := &run{Config: c, conns: conns, poller: p, begin: time.Now()}
	if c.Rate > 0 {
		r.gap = float64(time.Second) / c.Rate
	}
	// No function waits for it: it sets a flag.
	defer context.AfterFunc(ctx, func() { r.cancelled.Store(true) })()
	if err := r.loop(); err != nil {
		return nil, err
	}
	r.result.All = r.acks
	r.result.Disconnect = disconnectAll(conns)
	return &r.result, nil
}

// run is one pipelined run.
type run struct {
	Config
	conns     []*conn
	poller    *poller
	begin     time.Time
	cancelled atomic.Bool

	sent, acks uint64
	gap        float64 // nanoseconds between two NOTIFYs; 0 for no rate
	turn       int     // the connection that sends next, with a rate
	stopped    bool    // no NOTIFY is sent any more

	result         Result
	measuring      bool
	from           time.Duration // the window's begin, since run.begin
	acksFrom       uint64
	lastAck        int64
	reported       time.Duration // the last Progress
	reportedAcks   uint64
	latencySince   Histogram
	reportProgress bool
}

// stall is the time without an ACK after which the run fails, tick the interval of the
// generator's checks meanwhile.
const (
	stall = 10 * time.Second
	tick  = 50 * time.Millisecond
)

func (r *run) now() int64 { return int64(time.Since(r.begin)) }

func (r *run) loop() error {
	r.reportProgress = r.Progress != nil
	if err := r.phase(); err != nil {
		return err
	}
	if err := r.send(r.conns); err != nil {
		return err
	}
	for !r.stopped || r.inFlight() > 0 {
		ready, err := r.poller.wait(tick)
		if err != nil {
			return err
		}
		now := r.now()
		for _, k := range ready {
			if err := r.receive(k, now); err != nil {
				return err
			}
		}
		if n := r.inFlight(); n > 0 && now-r.lastAck > int64(stall) {
			return fmt.Errorf("no ACK for %v, %d NOTIFYs are unanswered", stall, n)
		}
		if err := r.phase(); err != nil {
			return err
		}
		if err := r.send(ready); err != nil {
			return err
		}
	}
	return nil
}

// phase begins and ends the measured window, and tells the progress.
func (r *run) phase() error {
	at := time.Duration(r.now())
	switch {
	case !r.stopped && r.over(at):
		r.stopped = true
		if r.gap > 0 {
			due := uint64(min(float64(at), float64(r.Warm+r.Window)) / r.gap)
			if r.Count > 0 {
				due = min(due, r.Count)
			}
			// Places in flight are free, and the NOTIFYs are about to be sent.
			due -= min(due, uint64(len(r.conns)*r.InFlight-r.inFlight()))
			r.result.Unsent = due - min(due, r.sent)
		}
		return r.edge(at)
	case !r.measuring && !r.stopped && at >= r.Warm:
		return r.edge(at)
	}
	if r.reportProgress && at-r.reported >= time.Second {
		r.Progress(Progress{
			Elapsed: at,
			Acks:    r.acks,
			Rate:    float64(r.acks-r.reportedAcks) / (at - r.reported).Seconds(),
			Latency: r.latencySince,
		})
		r.reported, r.reportedAcks, r.latencySince = at, r.acks, Histogram{}
	}
	return nil
}

func (r *run) over(at time.Duration) bool {
	return r.cancelled.Load() || r.Count > 0 && r.sent >= r.Count && r.inFlight() == 0 ||
		r.measuring && at >= r.from+r.Window
}

// edge is one of the window's two.
func (r *run) edge(at time.Duration) error {
	switch {
	case r.measuring:
		r.result.Acks, r.result.Wall = r.acks-r.acksFrom, at-r.from
		r.measuring = false
	case r.stopped: // before the window began
		return nil
	default:
		r.measuring, r.from, r.acksFrom = true, at, r.acks
	}
	if r.Edge != nil {
		return r.Edge()
	}
	return nil
}

// receive takes the ACKs of one connection.
func (r *run) receive(k *conn, now int64) error {
	_, err := k.receive(len(k.in), func(s *slot) {
		r.acks++
		r.lastAck = now
		if r.reportProgress {
			r.latencySince.Add(time.Duration(now - s.due))
		}
		if r.measuring {
			r.result.Outcomes.add(s.outcome)
			r.result.Latency.Add(time.Duration(now - s.due))
			if r.gap > 0 {
				r.result.Service.Add(time.Duration(now - s.sent))
			}
		}
	})
	return err
}

// send sends the NOTIFYs that may leave now: without a rate, one for each free place on
// the connections that are ready; otherwise the NOTIFYs that are due.
func (r *run) send(ready []*conn) error {
	now := r.now()
	switch {
	case r.stopped:
	case r.gap > 0:
		return r.sendDue(now, ready)
	default:
		if r.inFlight() == 0 {
			r.lastAck = now // the stall begins when somebody could answer
		}
		for _, k := range ready {
			for len(k.free) > 0 && r.may() {
				k.notify(now, now)
				r.sent++
			}
		}
	}
	return r.flush(ready)
}

func (r *run) may() bool { return r.Count == 0 || r.sent < r.Count }

// sendDue sends the NOTIFYs that are due, on the connections in turn.
func (r *run) sendDue(now int64, ready []*conn) error {
	if r.inFlight() == 0 {
		r.lastAck = now
	}
	for full := 0; full < len(r.conns) && r.may(); {
		due := int64(float64(r.sent) * r.gap)
		if due > now {
			break
		}
		k := r.conns[r.turn]
		if r.turn++; r.turn == len(r.conns) {
			r.turn = 0
		}
		if len(k.free) == 0 {
			full++
			continue
		}
		full = 0
		k.notify(due, now)
		r.sent++
	}
	if err := r.flush(r.conns); err != nil {
		return err
	}
	if !r.may() {
		return nil
	}
	if next := int64(float64(r.sent)*r.gap) - r.now(); next > 0 && next < int64(tick) {
		return r.poller.wakeIn(time.Duration(next))
	}
	// It is overdue: the next ACK frees a place. A NOTIFY that falls due in the meantime
	// must not wait for the tick if a place is free.
	if r.inFlight() < len(r.conns)*r.InFlight {
		return r.poller.wakeIn(1)
	}
	return nil
}

func (r *run) flush(conns []*conn) error {
	for _, k := range conns {
		if len(k.out) > 0 {
			if err := k.flush(); err != nil {
				return err
			}
		}
		if err := r.poller.writable(k, len(k.out) > 0); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) inFlight() int { return int(r.sent - r.acks) }
