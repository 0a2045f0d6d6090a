package spoe

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// enqueued puts n jobs with payloads of size bytes into the batch of c, as frames of one
// read do.
func enqueued(c *conn, n, size int) {
	for range n {
		j := c.getJob(1, 1, time.Now())
		j.copyPayload(make([]byte, size))
		c.chargeLarge(j)
		c.enqueue(j)
	}
}

// noWorkers keeps NOTIFYs in the queue, as if a worker were on its way.
func noWorkers(c *conn) {
	c.mu.Lock()
	c.coming = true
	c.mu.Unlock()
}

// NOTIFYs of one read are queued together, up to 64 of them or 64 KiB.
func TestBatches(t *testing.T) {
	c, _ := insideConn(t, &Agent{MaxInFlight: 1000})
	noWorkers(c)
	enqueued(c, 63, 10)
	assert.Equal(t, 63, c.batch.n)
	assert.Equal(t, 630, c.batched)
	assert.Zero(t, c.shared.counters.inFlight.Load())
	assert.True(t, c.r.answers)
	require.True(t, c.reserve(630))
	enqueued(c, 1, 10)
	assert.Zero(t, c.batch.n)
	assert.Zero(t, c.batched)
	assert.Zero(t, c.reserved, "the batch has used what was reserved")
	assert.Equal(t, 64, c.jobs.n)
	assert.Equal(t, 64, c.queue.n)
	assert.Equal(t, 64, c.running)
	assert.Equal(t, 640, c.held)
	assert.EqualValues(t, 64, c.shared.counters.inFlight.Load())
	assert.EqualValues(t, 64, c.shared.counters.notifies.Load())
	c.dispatch()
	assert.EqualValues(t, 64, c.shared.counters.notifies.Load(), "nothing more")

	enqueued(c, 2, 32<<10-1)
	assert.Equal(t, 2, c.batch.n)
	enqueued(c, 1, 1)
	assert.Equal(t, 3, c.batch.n)
	enqueued(c, 1, 1)
	assert.Zero(t, c.batch.n, "64 KiB")
	assert.Equal(t, 68, c.jobs.n)
}

// A connection may have MaxInFlight NOTIFYs in flight, unless more than 256 KiB of ACKs are
// unwritten. The reader waits for that, and no longer than the connection lives.
func TestAwaitPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := insideConn(t, &Agent{MaxInFlight: 4})
		defer c.clock.stop()
		noWorkers(c)
		assert.Equal(t, 4, c.awaitPlaces())
		enqueued(c, 3, 1)
		c.dispatch()
		assert.Equal(t, 1, c.awaitPlaces())
		assert.Zero(t, c.unsentLocked())
		c.out = &buffer{make([]byte, maxUnsent)}
		assert.Equal(t, 1, c.awaitPlaces())
		waits := func() chan int {
			got := make(chan int, 1)
			go func() { got <- c.awaitPlaces() }()
			synctest.Wait()
			assert.Empty(t, got)
			assert.Equal(t, 1, c.waiting)
			return got
		}
		c.out.b = make([]byte, maxUnsent+1)
		got := waits()
		c.mu.Lock()
		c.out = nil
		c.wakeLocked()
		c.mu.Unlock()
		assert.Equal(t, 1, <-got)
		assert.Zero(t, c.waiting)
		enqueued(c, 1, 1)
		c.dispatch()
		got = waits()
		c.kill()
		assert.Zero(t, <-got)
	})
}

// A batch takes as many places of MaxConcurrent as there are, by halves, and waits for one if
// there are none.
func TestTakeSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := insideConn(t, &Agent{MaxConcurrent: 5})
		defer c.clock.stop()
		slots := c.shared.notifySlots
		assert.Zero(t, c.takeSlots(0))
		assert.Equal(t, 4, c.takeSlots(8), "there are no 8")
		assert.Equal(t, 1, c.takeSlots(3), "there are no 3")
		got := make(chan int)
		go func() { got <- c.takeSlots(4) }()
		synctest.Wait()
		slots.Release(3)
		assert.Equal(t, 1, <-got)
		assert.True(t, slots.TryAcquire(2))
		go func() { got <- c.takeSlots(4) }()
		synctest.Wait()
		c.cancel()
		assert.Zero(t, <-got)
	})
}

// The end of a connection drops the NOTIFYs that no worker could get, and gives their places
// back.
func TestDroppedBatch(t *testing.T) {
	c, peer := insideConn(t, &Agent{MaxConcurrent: 5})
	defer peer.Close()
	noWorkers(c)
	enqueued(c, 3, 10)
	require.Equal(t, 3, c.takeSlots(3))
	c.mu.Lock()
	c.setPhaseLocked(closing)
	c.mu.Unlock()
	assert.False(t, c.queueJobs(3))
	assert.True(t, c.shared.notifySlots.TryAcquire(5))
	c.dispatch()
	assert.Zero(t, c.batch.n)
	assert.Zero(t, c.batched)
	assert.Zero(t, c.jobs.n)
	assert.Zero(t, c.running)
	assert.Zero(t, c.held)
	assert.Zero(t, c.shared.counters.inFlight.Load())
	assert.EqualValues(t, 3, c.shared.counters.notifies.Load())
}

// A batch may be queued in parts, whose bytes were reserved together. The clock runs for the
// first of its deadlines, and one worker comes for all.
func TestQueueJobs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	c, _ := insideConn(t, &Agent{NotifyTimeout: 10 * time.Second, Handler: HandlerFunc(func(context.Context, *Message, *Actions) error {
		<-release
		return nil
	})})
	noWorkers(c)
	require.True(t, c.reserve(100))
	require.Equal(t, 3, c.takeSlots(3))
	start := time.Now().Add(time.Hour)
	for range 3 {
		j := c.getJob(1, 1, start)
		j.copyPayload(insidePayload(10))
		require.NoError(t, j.parse())
		c.batch.push(j)
	}
	c.batch.first.queued.held = true
	c.hold(10)
	assert.Equal(t, 90, c.reserved)
	assert.True(t, c.queueJobs(2))
	assert.Equal(t, 80, c.reserved)
	assert.Equal(t, 20, c.held, "one was held already")
	assert.Equal(t, 2, c.running)
	assert.Equal(t, since(start)+int64(10*time.Second), c.clock.due.Load())
	assert.True(t, c.coming)
	assert.Equal(t, 2, c.queue.n, "the worker that comes is enough")
	c.coming = false
	assert.True(t, c.queueJobs(1))
	assert.Zero(t, c.reserved)
	assert.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.queue.n == 0
	}, 30*time.Second, time.Millisecond, "a worker has come")
}
