package spoe

const (
	// maxBatch is the maximum number of NOTIFYs that are dispatched together.
	maxBatch = 64
	// maxBatchBytes bounds the payloads in a batch, which no budget has counted yet.
	maxBatchBytes = 64 << 10
	// maxUnsent is the number of unwritten bytes of ACKs at which the agent stops
	// reading the connection.
	maxUnsent = 256 << 10
)

// dispatch queues the jobs of the batch. At a bound it queues as many as the bound allows
// and waits, which slows HAProxy down; the connection's end ends the wait.
func (c *conn) dispatch() {
	if c.batch.n == 0 {
		return
	}
	c.shared.preemption.touch()
	ctr := &c.shared.counters
	ctr.notifies.Add(uint64(c.batch.n))
	ctr.inFlight.Add(int64(c.batch.n))
	for c.batch.n > 0 {
		n := c.takeSlots(min(c.batch.n, c.awaitPlaces()))
		if n == 0 || !c.queueJobs(n) {
			c.dropBatch()
			return
		}
	}
	c.batched = 0
}

// awaitPlaces waits until the connection may have more in flight, and returns how many
// more; 0 if it has ended.
func (c *conn) awaitPlaces() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.phase() >= closing:
			return 0
		case c.jobs.n < c.shared.maxInFlight && c.unsentLocked() <= maxUnsent:
			return c.shared.maxInFlight - c.jobs.n
		}
		c.waiting++
		c.changed.Wait()
		c.waiting--
	}
}

// takeSlots takes up to n of MaxConcurrent, and waits for one if there is none;
// it returns 0 if the connection has ended.
func (c *conn) takeSlots(n int) int {
	for k := n; k > 0; k /= 2 {
		if c.shared.notifySlots.TryAcquire(int64(k)) {
			return k
		}
	}
	if n == 0 || c.shared.notifySlots.Acquire(&c.ctx, 1) != nil {
		return 0
	}
	return 1
}

// queueJobs queues n jobs of the batch, for which there are slots. It returns
// false, and gives them back, if the connection has ended.
func (c *conn) queueJobs(n int) bool {
	first := c.batch.first.deadline
	c.mu.Lock()
	if c.phase() >= closing {
		c.mu.Unlock()
		c.shared.notifySlots.Release(int64(n))
		return false
	}
	for range n {
		j := c.batch.pop()
		if !j.held {
			c.useReservedLocked(len(j.payload))
			c.holdLocked(len(j.payload))
		}
		c.jobs.add(j)
		c.queue.push(j)
	}
	if c.batch.n == 0 {
		c.reserved = 0
	}
	c.running += n
	wake := !c.coming
	c.coming = true
	c.mu.Unlock()
	c.clock.arm(first)
	if wake {
		c.shared.workers.wake(c)
	}
	return true
}

// dropBatch forgets the NOTIFYs of the batch: the connection has ended, or its
// last frame is queued.
func (c *conn) dropBatch() {
	c.shared.counters.inFlight.Add(int64(-c.batch.n))
	c.batched = 0
	for c.batch.n > 0 {
		dropJob(c.batch.pop())
	}
}

func (c *conn) unsentLocked() int {
	if c.out == nil {
		return 0
	}
	return len(c.out.b)
}
