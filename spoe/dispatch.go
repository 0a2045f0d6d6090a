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
	n := c.batch.n
	if n == 0 {
		return
	}
	ctr := &c.eng.counters
	ctr.notifies.Add(uint64(n))
	ctr.inFlight.Add(int64(n))
	if !c.eng.notifySlots.TryAcquire(int64(n)) && c.eng.notifySlots.Acquire(&c.ctx, int64(n)) != nil {
		c.dropBatch(false)
		return
	}
	first := c.batch.first.deadline
	c.mu.Lock()
	for !c.last && c.failed == nil && (c.jobs.n > 0 && c.jobs.n+n > c.eng.maxInFlight || c.unsentLocked() > maxUnsent) {
		c.waiting++
		c.changed.Wait()
		c.waiting--
	}
	if c.last || c.failed != nil {
		c.mu.Unlock()
		c.dropBatch(true)
		return
	}
	for c.batch.n > 0 {
		j := c.batch.pop()
		c.jobs.add(j)
		c.queue.push(j)
	}
	c.running += n
	wake := !c.coming
	c.coming = true
	c.mu.Unlock()
	c.deadlines.arm(first)
	if wake {
		c.eng.workers.wake(c)
	}
}

// dropBatch forgets NOTIFYs that nobody waits for any more: the connection has
// ended, or the agent has said its last word on it.
func (c *conn) dropBatch(slots bool) {
	n := int64(c.batch.n)
	c.eng.counters.inFlight.Add(-n)
	if slots {
		c.eng.notifySlots.Release(n)
	}
	for c.batch.n > 0 {
		putJob(c.batch.pop())
	}
}

func (c *conn) unsentLocked() int {
	if c.out == nil {
		return 0
	}
	return len(c.out.b)
}
