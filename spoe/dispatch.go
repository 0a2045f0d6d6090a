package spoe

// batchLimit is how many NOTIFYs are gathered before they are dispatched: what
// one read brings, within the agent's bounds.
func (c *conn) batchLimit() int {
	return min(c.eng.maxInFlight, c.eng.maxConcurrent, 64)
}

// maxUnsent is how many bytes of ACKs may wait to be written before the agent
// stops reading the connection.
const maxUnsent = 256 << 10

// dispatch queues the jobs of the batch. At a bound it waits, which is what
// slows HAProxy down; the connection's end ends the wait.
func (c *conn) dispatch() {
	n := len(c.batch)
	if n == 0 {
		return
	}
	ctr := &c.eng.counters
	ctr.notifies.Add(uint64(n))
	ctr.inFlight.Add(int64(n))
	if !c.eng.notifySlots.TryAcquire(int64(n)) && c.eng.notifySlots.Acquire(c.ctx, int64(n)) != nil {
		c.dropBatch(n, false)
		return
	}
	ctx := c.notifyCtx.get(c, c.batch[n-1].received)
	c.mu.Lock()
	for !c.last && c.failed == nil && (len(c.jobs) > 0 && len(c.jobs)+n > c.eng.maxInFlight || c.unsentLocked() > maxUnsent) {
		c.waiting++
		c.changed.Wait()
		c.waiting--
	}
	if c.last || c.failed != nil {
		c.mu.Unlock()
		c.dropBatch(n, true)
		return
	}
	first := c.batch[0].deadline
	for i, j := range c.batch {
		j.ctx = ctx
		j.slot = len(c.jobs)
		c.jobs = append(c.jobs, j)
		c.queue.push(j)
		c.batch[i] = nil
	}
	c.running += n
	wake := !c.coming
	c.coming = true
	c.mu.Unlock()
	c.batch = c.batch[:0]
	c.deadlines.arm(first)
	if wake {
		c.eng.workers.wake(c)
	}
}

// dropBatch forgets NOTIFYs that nobody waits for any more: the connection has
// ended, or the agent has said its last word on it.
func (c *conn) dropBatch(n int, slots bool) {
	c.eng.counters.inFlight.Add(int64(-n))
	if slots {
		c.eng.notifySlots.Release(int64(n))
	}
	for i, j := range c.batch {
		c.batch[i] = nil
		putJob(j)
	}
	c.batch = c.batch[:0]
}

func (c *conn) unsentLocked() int {
	if c.out == nil {
		return 0
	}
	return len(c.out.b)
}

// removeJobLocked takes a job off those in flight.
func (c *conn) removeJobLocked(j *job) {
	last := len(c.jobs) - 1
	moved := c.jobs[last]
	c.jobs[j.slot] = moved
	moved.slot = j.slot
	c.jobs[last] = nil
	c.jobs = c.jobs[:last]
}
