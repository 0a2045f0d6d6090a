package spoe

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe/internal/msgctx"
)

// queued puts a NOTIFY with n messages into the queue of c, which no worker takes.
func queued(t *testing.T, c *conn, n int) *job {
	t.Helper()
	noWorkers(c)
	j := c.getJob(1, 1, time.Now())
	j.copyPayload(messages(n))
	require.NoError(t, j.parse())
	c.enqueue(j)
	c.dispatch()
	return j
}

// begun has a worker begin a job, and returns the worker.
func begun(c *conn, j *job) *worker {
	w := new(worker)
	j.worker = w
	j.handle, j.ctx = w.ctxs.Begin(&c.ctx, j.deadline)
	return w
}

// A worker that takes a NOTIFY after its deadline does not call the handler: the ACK has
// left.
func TestLateBeforeItsWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = time.Second
		nc := &recorded{}
		c := insideConnOn(t, &Agent{NotifyTimeout: timeout, Handler: HandlerFunc(func(context.Context, *Message, *Actions) error {
			t.Error("called")
			return nil
		})}, &closer{nc})
		j := queued(t, c, 1)
		assert.Equal(t, j.deadline, c.clock.due.Load())
		time.Sleep(timeout - 1)
		late, next := c.takeLate(now())
		assert.Empty(t, late)
		assert.Equal(t, j.deadline, next)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.True(t, j.late.Load())
		assert.Len(t, nc.writes, 1)
		assert.Zero(t, c.jobs.n)
		assert.Zero(t, c.acking)
		assert.Equal(t, 1, c.running)
		assert.EqualValues(t, 1, c.shared.counters.late.Load())
		assert.EqualValues(t, 1, c.shared.counters.timeouts.Load())
		c.work(new(worker))
		assert.False(t, c.coming)
		assert.Zero(t, c.running)
		assert.Zero(t, c.queue.n)
		assert.Zero(t, c.held)
		assert.Zero(t, c.shared.counters.late.Load())
		assert.Len(t, nc.writes, 1)
		c.clock.stop()
	})
}

// takeLate finds the jobs that are late, and the next deadline. Up to MaxLateHandlers they no
// longer count as in flight.
func TestTakeLate(t *testing.T) {
	c, _ := insideConn(t, &Agent{MaxLateHandlers: 1, MaxInFlight: 100})
	late, next := c.takeLate(1000)
	assert.Empty(t, late)
	assert.EqualValues(t, never, next)
	var jobs []*job
	for _, deadline := range []int64{30, 10, 20, 20} {
		j := &job{c: c, deadline: deadline}
		jobs = append(jobs, j)
		c.jobs.add(j)
	}
	late, next = c.takeLate(9)
	assert.Empty(t, late)
	assert.EqualValues(t, 10, next)
	c.waiting = 0
	late, next = c.takeLate(10)
	assert.Equal(t, []*job{jobs[1]}, late)
	assert.EqualValues(t, 20, next)
	assert.True(t, jobs[1].late.Load())
	assert.False(t, jobs[1].charged)
	assert.Equal(t, 3, c.jobs.n)
	assert.Equal(t, 1, c.acking)
	// A job that has begun has its context's deadline.
	jobs[0].ctx = msgctx.New(&c.ctx, 15)
	late, next = c.takeLate(15)
	assert.Equal(t, []*job{jobs[0]}, late)
	assert.EqualValues(t, 15, jobs[0].deadline)
	assert.EqualValues(t, 20, next)
	assert.True(t, jobs[0].charged, "beyond MaxLateHandlers it still counts")
	assert.Equal(t, 3, c.jobs.n)
	assert.Equal(t, 2, c.acking)
	late, next = c.takeLate(16)
	assert.Empty(t, late, "once")
	assert.EqualValues(t, 20, next)
}

// finishLocked gives back what a NOTIFY has: its place and its bytes, and beyond
// MaxLateHandlers the place when its handler returns.
func TestFinish(t *testing.T) {
	for _, tt := range []struct {
		name          string
		late, charged bool
	}{{"in time", false, false}, {"late", true, false}, {"late and charged", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			nc := &recorded{}
			c := insideConnOn(t, &Agent{MaxConcurrent: 1}, &closer{nc})
			inFlight(t, c, 1)
			j := &job{c: c, payload: make([]byte, 100), charged: tt.charged, acts: Actions{buf: []byte("acts")}}
			j.late.Store(tt.late)
			if !tt.late || tt.charged {
				c.jobs.add(j)
			}
			c.running = 1
			c.shared.counters.late.Store(5)
			c.hold(100)
			c.mu.Lock()
			again := c.finishLocked(j)
			c.mu.Unlock()
			assert.Equal(t, !tt.late, again)
			assert.Zero(t, c.running)
			assert.Zero(t, c.jobs.n)
			assert.Equal(t, !tt.late || tt.charged, c.shared.notifySlots.TryAcquire(1))
			if tt.late {
				assert.EqualValues(t, 4, c.shared.counters.late.Load())
				assert.Nil(t, c.out)
				assert.Zero(t, c.held)
			} else {
				assert.EqualValues(t, 5, c.shared.counters.late.Load())
				assert.Equal(t, "acts", string(framesOf(t, c.out.b)[0].Payload))
				assert.Equal(t, len(c.out.b), c.held)
			}
		})
	}
}

// Of a NOTIFY that its deadline has acknowledged, nothing is handled any more: no further
// message, no failure and no name.
func TestAcknowledgedMeanwhile(t *testing.T) {
	for _, n := range []int{3, maxParsed + 2} {
		calls := 0
		var j *job
		c, _ := insideConn(t, &Agent{Handler: HandlerFunc(func(context.Context, *Message, *Actions) error {
			if calls++; calls == 2 {
				j.late.Store(true)
			}
			return nil
		})})
		j = queued(t, c, n)
		begun(c, j)
		j.run()
		assert.Equal(t, 2, calls)
		assert.Equal(t, "b", j.name)
		assert.False(t, j.advance("c"))
		assert.Equal(t, "b", j.name)
		j.rename("c")
		assert.Equal(t, "b", j.name)
		assert.False(t, j.settle(nil))
		assert.False(t, j.settle(errors.New("x")))
		assert.False(t, j.settleFailure(errors.New("x")))
		assert.Zero(t, c.shared.counters.errors.Load())
		j.setOnFailure(func(error, *Actions) {})
		assert.Empty(t, j.hooks)
		assert.Nil(t, j.setWithin(j.ctx))
		assert.Nil(t, j.within)
		assert.ErrorIs(t, j.serveWithin(j.handle, time.Hour, nil, &j.msg, &j.acts), ErrTimeout)
	}
}

// Each message of a NOTIFY is handled, in order, with its name, however many there are.
func TestRunHandlesAll(t *testing.T) {
	for _, n := range []int{0, 1, 2, maxParsed, maxParsed + 1, 20} {
		var names string
		c, _ := insideConn(t, &Agent{Handler: HandlerFunc(func(_ context.Context, msg *Message, acts *Actions) error {
			assert.Zero(t, acts.Len())
			names += msg.Name
			return acts.UnsetVar(VarScopeSession, msg.Name)
		})})
		j := queued(t, c, n)
		begun(c, j)
		j.run()
		assert.Equal(t, "abcdefghijklmnopqrst"[:n], names)
		j.commitLocked()
		acts, err := codec.ParseActions(j.committed)
		require.NoError(t, err)
		assert.Len(t, acts, n)
	}
}

// An ACK may be as long as the agreed frame size, with its header.
func TestFits(t *testing.T) {
	c, _ := insideConn(t, &Agent{})
	for _, id := range []uint64{1, 300, 1 << 60} {
		j := &job{c: c, streamID: id, frameID: 2 * id, committed: make([]byte, 50)}
		b := codec.AppendFrame(nil, codec.Frame{Type: codec.FrameAck, Flags: codec.FlagFIN, StreamID: id, FrameID: 2 * id, Payload: make([]byte, 70)})
		c.maxFrameSize = len(b) - codec.LengthSize
		assert.True(t, j.fits(make([]byte, 20)))
		assert.False(t, j.fits(make([]byte, 21)))
	}
}

// The deadline of a message's failure is half a second away, if functions of OnFailure have
// to be called, and no later than before. Then the NOTIFY's own holds again.
func TestSettleFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			hooks   int
			timeout time.Duration
			within  time.Duration
		}{{0, time.Minute, time.Minute}, {1, time.Minute, failureGrace}, {2, 100 * time.Millisecond, 100 * time.Millisecond}} {
			c, _ := insideConn(t, &Agent{NotifyTimeout: tt.timeout})
			j := queued(t, c, 1)
			begun(c, j)
			c.clock.due.Store(never)
			called := 0
			for range tt.hooks {
				j.setOnFailure(func(_ error, acts *Actions) {
					called++
					assert.True(t, j.failing)
					assert.Equal(t, now()+int64(tt.within), j.ctx.At())
					assert.Equal(t, j.ctx.At(), c.clock.due.Load())
					j.setOnFailure(func(error, *Actions) { t.Error("too late") })
					assert.NoError(t, acts.SetInt(VarScopeSession, "x", 1))
				})
			}
			j.acts.buf = []byte("lost")
			assert.True(t, j.settle(errors.New("x")))
			assert.Equal(t, tt.hooks, called)
			assert.False(t, j.failing)
			assert.Equal(t, j.lastDeadline(), j.ctx.At())
			assert.Empty(t, j.hooks)
			acts, err := codec.ParseActions(j.committed)
			require.NoError(t, err)
			assert.Len(t, acts, tt.hooks)
			assert.EqualValues(t, 1, c.shared.counters.errors.Load())
			if tt.hooks == 0 {
				assert.EqualValues(t, never, c.clock.due.Load())
			}
			c.clock.stop()
		}
	})
}

// A context below a deadline ends with it, whatever its parent is, and the context around it
// has its place again afterwards.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const d = 10 * time.Millisecond
		var ended time.Duration
		c, peer := insideConn(t, &Agent{})
		go func() { // reads the ACK
			_, _ = peer.Read(make([]byte, 100))
		}()
		c.agent.Handler = HandlerFunc(func(ctx context.Context, msg *Message, acts *Actions) error {
			ctx = context.WithoutCancel(ctx)
			start := time.Now()
			inner := HandlerFunc(func(context.Context, *Message, *Actions) error { return nil })
			return msg.ServeWithin(ctx, d, HandlerFunc(func(ctx context.Context, msg *Message, acts *Actions) error {
				assert.NoError(t, msg.ServeWithin(context.WithoutCancel(ctx), d/2, inner, acts))
				<-ctx.Done()
				ended = time.Since(start)
				assert.Equal(t, context.DeadlineExceeded, ctx.Err())
				return nil
			}), acts)
		})
		queued(t, c, 1)
		c.work(new(worker))
		assert.Equal(t, d, ended)
		c.clock.stop()
		peer.Close()
	})
}

// A batch of slow handlers makes their connection a slow one for eight batches.
func TestPace(t *testing.T) {
	c, _ := insideConn(t, &Agent{})
	c.paceLocked(0, 1<<40)
	assert.Zero(t, c.slow)
	c.paceLocked(2, 100_000)
	assert.Zero(t, c.slow)
	c.paceLocked(2, 100_001)
	assert.Equal(t, 8, c.slow)
	c.paceLocked(0, 1)
	assert.Equal(t, 8, c.slow)
	for range 10 {
		c.paceLocked(1, 1)
	}
	assert.Zero(t, c.slow)
}

// A worker that leaves ACKs unwritten while it is in a handler has woken another one, which
// writes them.
func TestAcksDoNotWaitForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc := &recorded{}
		release := make(chan struct{})
		c := insideConnOn(t, &Agent{Handler: HandlerFunc(func(context.Context, *Message, *Actions) error {
			<-release
			return nil
		})}, &closer{nc})
		queued(t, c, 1)
		inFlight(t, c, 1)
		appendAcks(c, 1, nil) // of a worker that has entered the next handler
		go c.work(new(worker))
		synctest.Wait()
		assert.Len(t, nc.writes, 1)
		close(release)
		synctest.Wait()
		assert.Len(t, nc.writes, 2)
		assert.False(t, c.coming)
		c.shared.workers.stop(context.Background())
		c.clock.stop()
	})
}

// A worker that finds another one writing wakes none: the other takes the ACKs along.
func TestNoWorkerForAFlusher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc := &recorded{}
		c := insideConnOn(t, &Agent{}, &closer{nc})
		queued(t, c, 1)
		inFlight(t, c, 1)
		appendAcks(c, 1, nil)
		c.flusher = true
		c.work(new(worker))
		synctest.Wait()
		assert.Empty(t, nc.writes)
		assert.Empty(t, c.shared.workers.idle)
		assert.EqualValues(t, 2, c.outAcks)
		c.clock.stop()
	})
}

// absentWorker makes the workers of c wake one that does not come.
func absentWorker(c *conn) *worker {
	w := &worker{conns: make(chan *conn, 10)}
	c.shared.workers.idle = append(c.shared.workers.idle, w)
	return w
}

// After slow handlers a worker writes the ACKs before it enters the next handler, if another
// worker is on its way.
func TestSlowHandlersDoNotHoldAcks(t *testing.T) {
	for slow, want := range map[int][]int{0: {0, 0, 0}, 1: {0, 1, 2}} {
		nc := &recorded{}
		c := insideConnOn(t, &Agent{}, &closer{nc})
		var written []int
		c.agent.Handler = HandlerFunc(func(context.Context, *Message, *Actions) error {
			written = append(written, len(nc.writes))
			return nil
		})
		for range 3 {
			queued(t, c, 1)
		}
		c.slow = slow
		other := absentWorker(c)
		c.work(new(worker))
		assert.Equal(t, want, written)
		assert.Len(t, other.conns, 1, "one worker is woken for all")
		assert.Same(t, c, <-other.conns)
		assert.True(t, c.coming)
		assert.Zero(t, c.running)
	}
}

// The pace is that of the NOTIFYs between two writes.
func TestPaceOfEachBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc := &recorded{}
		c := insideConnOn(t, &Agent{}, &closer{nc})
		took := time.Second
		c.agent.Handler = HandlerFunc(func(context.Context, *Message, *Actions) error {
			time.Sleep(took)
			return nil
		})
		queued(t, c, 1)
		nc.write = func() {
			if took > 0 {
				took = 0
				assert.Equal(t, slowBatches, c.slow)
				queued(t, c, 1)
			}
		}
		c.work(new(worker))
		assert.Len(t, nc.writes, 2)
		assert.Equal(t, slowBatches-1, c.slow)
		c.clock.stop()
	})
}
