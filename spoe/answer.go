package spoe

import "runtime"

// work answers the queued NOTIFYs of a connection, and writes the ACKs when there are none
// left.
//
// A worker that enters a handler may be away for long. Whenever it leaves NOTIFYs in the
// queue, or ACKs unwritten, it first wakes another worker, unless one is on its way. Fast
// handlers return before that worker runs, so a batch of NOTIFYs costs two switches between
// goroutines, not one each; behind a slow handler the other takes over at once. Workers are
// used again, with stacks that have grown: a goroutine per NOTIFY spends more time on
// growing its stack than on everything else.
func (c *conn) work(w *worker) {
	var done *job
	handled, from := 0, now()
	c.mu.Lock()
	c.coming = false
	for {
		for c.queue.n > 0 {
			if c.slow > 0 && c.coming && c.becomeFlusherLocked() {
				c.mu.Unlock()
				c.flush()
				c.mu.Lock()
				continue
			}
			j := c.queue.pop()
			if j.late.Load() { // no worker got to it in time
				c.finishLocked(j)
				continue
			}
			j.worker = w
			j.handle, j.ctx = w.ctxs.Begin(&c.ctx, j.deadline)
			wake := !c.coming && (c.queue.n > 0 || c.out != nil && !c.flusher)
			if wake {
				c.coming = true
			}
			c.mu.Unlock()
			if wake {
				c.shared.workers.wake(c)
			}
			if done != nil {
				w.putJob(done)
			}
			done = c.answer(j)
			handled++
		}
		t := now()
		c.paceLocked(handled, t-from)
		handled, from = 0, t
		mine, others := c.becomeFlusherLocked(), c.busyLocked()
		c.mu.Unlock()
		if done != nil {
			w.putJob(done)
			done = nil
		}
		if !mine {
			return
		}
		if others {
			// Other workers that are ready append their ACKs first: ACKs that are ready
			// together leave in one write.
			runtime.Gosched()
		}
		c.flush()
		c.mu.Lock()
	}
}

const (
	// slowHandler is the average time of a handler, in nanoseconds, from which on ACKs
	// do not wait for each other: a write takes a fraction of it.
	slowHandler = 50_000
	// slowBatches is for how many batches a connection is remembered to have had
	// slow handlers.
	slowBatches = 8
)

// paceLocked notes how long a batch of handlers took. Behind slow ones, a worker
// writes the ACKs that are ready before it enters the next handler, if the worker
// that it has woken has not come: then handlers that compute keep all processors,
// and no other worker will write soon. Handlers that wait leave the processor to
// the other worker.
func (c *conn) paceLocked(handled int, took int64) {
	switch {
	case handled == 0:
	case took > slowHandler*int64(handled):
		c.slow = slowBatches
	case c.slow > 0:
		c.slow--
	}
}

// answer calls the handler for a job's messages and puts its ACK into out. It returns with
// c.mu held, and the job if it can be used again.
func (c *conn) answer(j *job) *job {
	returned := false
	defer func() {
		if !returned { // runtime.Goexit: this goroutine ends, the ACK does not
			c.mu.Lock()
			c.finishLocked(j)
			c.unlockAndFlush()
		}
	}()
	j.run()
	returned = true
	c.mu.Lock()
	if c.finishLocked(j) {
		return j
	}
	j.worker.ctxs.Drop()
	return nil
}

// finishLocked acknowledges a NOTIFY after its last message, unless
// its deadline was faster; it then returns false, and the job must not be used
// again.
func (c *conn) finishLocked(j *job) bool {
	c.running--
	late := j.late.Load()
	if late {
		c.shared.counters.late.Add(-1)
		if j.charged {
			c.jobs.remove(j)
			c.shared.notifySlots.Release(1)
		}
	} else {
		c.jobs.remove(j)
		j.commitLocked()
		c.appendAckLocked(j, j.committed)
	}
	c.holdLocked(-len(j.payload)) // when the ACK is held
	c.wakeLocked()
	return !late
}
