package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spoke-go/spoke/internal/sleep"
	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/codec"
)

// Faults is a crowd of clients that do everything wrong for a while: they cut frames at
// random, stop in the middle of one, reset, stall, do not read, and send random bytes.
// An agent ends those connections and goes on serving the others, which Target.Steady
// checks meanwhile.
//
// The Target's Message must be answered at once. The clients' ACKs are checked
// where what they sent was in order.
type Faults struct {
	Target *Target
	// Connections is the number of concurrent clients. Default: 16.
	Connections int
	// Duration is the time after which they stop. Default: 1 s.
	Duration time.Duration
	// Seed makes the same clients do the same things. The order that the agent sees still
	// depends on the scheduler.
	Seed uint64
	// MaxPause is the longest stall. Default: 100 ms.
	MaxPause time.Duration
}

// FaultReport counts the faults that Faults has sent, and the agent's answers.
type FaultReport struct {
	// Connections is the number of connections made, Refused the number that failed.
	Connections, Refused int
	// Faults counts the faults by name.
	Faults map[string]int
	// Acks is the number of ACKs that were checked.
	Acks int
	// Disconnects counts the AGENT-DISCONNECTs that were read, by status.
	Disconnects map[codec.Status]int
	// Wrong are the first 20 mistakes of the agent: an ACK that is missing or wrong though
	// all frames sent were in order.
	Wrong []string
}

// String returns the report for people, in a few lines.
func (r FaultReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d connections, %d refused, %d ACKs checked", r.Connections, r.Refused, r.Acks)
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		fmt.Fprintf(&b, "\n%8d %s", r.Faults[name], name)
	}
	for _, status := range slices.Sorted(maps.Keys(r.Disconnects)) {
		fmt.Fprintf(&b, "\n%8d AGENT-DISCONNECT %d (%v)", r.Disconnects[status], uint32(status), status)
	}
	for _, w := range r.Wrong {
		fmt.Fprintf(&b, "\nwrong: %s", w)
	}
	return b.String()
}

// maxWrong bounds FaultReport.Wrong.
const maxWrong = 20

// Run runs the clients until the duration is over or ctx ends, and returns when
// the last of them has ended, which takes MaxPause and Target.Wait at most.
func (f *Faults) Run(ctx context.Context) FaultReport {
	n, d := f.Connections, f.Duration
	if n <= 0 {
		n = 16
	}
	if d <= 0 {
		d = time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var mu sync.Mutex // guards all
	all := FaultReport{Faults: map[string]int{}, Disconnects: map[codec.Status]int{}}
	var clients sync.WaitGroup
	for i := range n {
		clients.Go(func() { // ends with ctx
			w := newFaultyClient(f, uint64(i))
			for ctx.Err() == nil {
				w.once(ctx)
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(w.report)
		})
	}
	clients.Wait()
	return all
}

func (r *FaultReport) add(o FaultReport) {
	r.Connections += o.Connections
	r.Refused += o.Refused
	r.Acks += o.Acks
	for name, n := range o.Faults {
		r.Faults[name] += n
	}
	for status, n := range o.Disconnects {
		r.Disconnects[status] += n
	}
	r.Wrong = append(r.Wrong, o.Wrong...)
	r.Wrong = r.Wrong[:min(len(r.Wrong), maxWrong)]
}

// faultyClient is one of the clients. It is one goroutine's.
type faultyClient struct {
	t        *Target
	rng      *rand.Rand
	maxPause time.Duration
	payload  []byte // of a NOTIFY with Target.Message
	report   FaultReport
}

func newFaultyClient(f *Faults, i uint64) *faultyClient {
	w := &faultyClient{t: f.Target, rng: rand.New(rand.NewPCG(f.Seed, i)), maxPause: f.MaxPause}
	if w.maxPause <= 0 {
		w.maxPause = 100 * time.Millisecond
	}
	w.report.Faults, w.report.Disconnects = map[string]int{}, map[codec.Status]int{}
	payload, err := spoetest.Payload(f.Target.message())
	if err != nil {
		w.wrong("Target.Message: %v", err)
	}
	w.payload = payload
	return w
}

func (w *faultyClient) wrong(format string, args ...any) {
	if len(w.report.Wrong) < maxWrong {
		w.report.Wrong = append(w.report.Wrong, fmt.Sprintf(format, args...))
	}
}

func (w *faultyClient) pause() time.Duration { return time.Duration(w.rng.Int64N(int64(w.maxPause))) }

// once makes a connection and does one thing wrong on it.
func (w *faultyClient) once(ctx context.Context) {
	fault := faults[w.rng.IntN(len(faults))]
	c, err := w.t.connect(ctx)
	if err != nil {
		if end, _ := ctx.Deadline(); ctx.Err() == nil && time.Now().Before(end) {
			w.report.Refused++
			_ = sleep.For(ctx, w.pause()) // the loop looks at ctx
		}
		return
	}
	w.report.Connections++
	w.report.Faults[fault.name]++
	defer func() { _ = c.Reset() }() // no connection is left in TIME_WAIT
	if fault.afterHello {
		if _, err := c.Handshake(ctx, spoetest.DefaultHello()); err != nil {
			if ctx.Err() == nil {
				w.wrong("handshake before %q: %v", fault.name, err)
			}
			return
		}
	}
	fault.do(ctx, w, c)
}

// answers reads the ACKs of n NOTIFYs with stream-ids from 0.
func (w *faultyClient) answers(ctx context.Context, c *spoetest.Client, n int) {
	for i := range uint64(n) {
		a, err := c.Ack(ctx, at(i, 1))
		if ctx.Err() != nil {
			return
		}
		var v spoetest.Vars
		if err == nil {
			v, err = a.Vars()
		}
		if err == nil {
			err = w.t.expect(v)
		}
		if err != nil {
			w.wrong("ACK %d of %d: %v", i+1, n, err)
			return
		}
		w.report.Acks++
	}
}

// aftermath reads the agent's answer to a fault for a moment.
func (w *faultyClient) aftermath(ctx context.Context, c *spoetest.Client) {
	ctx, cancel := context.WithTimeout(ctx, w.pause())
	defer cancel()
	for {
		f, err := c.Next(ctx)
		if err != nil {
			return
		}
		if f.Type == codec.FrameAgentDisconnect {
			if d, err := codec.ParseDisconnect(f.Payload); err == nil {
				w.report.Disconnects[d.Status]++
			}
		}
	}
}

// notifies returns n NOTIFYs in their bytes.
func (w *faultyClient) notifies(n int) []byte {
	var b []byte
	for i := range uint64(n) {
		b = codec.AppendFrame(b, spoetest.NotifyFrame(at(i, 1), w.payload))
	}
	return b
}

// Steady is the well-behaved client beside Faults: it asks Target.Message on one
// connection every so often until ctx ends, and returns how many times it was
// answered correctly, the longest time that took, and the first error, nil if
// there was none.
func (t *Target) Steady(ctx context.Context, every time.Duration) (answered int, longest time.Duration, err error) {
	c, err := t.connect(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = c.Close() }() // all NOTIFYs have their ACKs
	if _, err = c.Handshake(ctx, spoetest.DefaultHello()); err != nil {
		return 0, 0, err
	}
	for {
		start := time.Now()
		v, err := c.AskAll(ctx, t.message())
		if err == nil {
			err = t.expect(v)
		}
		if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return answered, longest, nil
		}
		if err != nil {
			return answered, longest, err
		}
		answered++
		longest = max(longest, time.Since(start))
		if sleep.For(ctx, every) != nil {
			return answered, longest, nil
		}
	}
}
