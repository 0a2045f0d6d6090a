package spoe

import "time"

// lingerTime is the time that the agent waits, after it sent its last frame, for
// HAProxy to close. If it closed with bytes from HAProxy unread, the kernel would reset
// the connection and drop the last frame.
const lingerTime = time.Second

// needOutLocked makes sure that there is a buffer in out.
func (c *conn) needOutLocked() {
	if c.out == nil {
		c.out = writeBuffers.Get().(*buffer)
	}
}

// becomeFlusherLocked returns true if there are bytes to write and no goroutine writes: the
// caller must flush.
func (c *conn) becomeFlusherLocked() bool {
	if c.flusher || c.out == nil || c.holdingLocked() {
		return false
	}
	c.flusher = true
	return true
}

// unlockAndFlush unlocks c.mu and writes what is in out, unless another goroutine does.
func (c *conn) unlockAndFlush() {
	mine := c.becomeFlusherLocked()
	c.mu.Unlock()
	if mine {
		c.flush()
	}
}

// flush writes out until it is empty. Only the flusher may call it.
func (c *conn) flush() {
	c.mu.Lock()
	for c.out != nil && c.phase() < closed && !c.holdingLocked() {
		buf, sent, held := c.out, c.outAcks, c.outHeld
		c.out, c.outAcks, c.outHeld = nil, 0, 0
		c.mu.Unlock()
		t := now()
		c.clock.writeSince.Store(t)
		c.clock.lastFrame.Store(t)
		c.clock.arm(t + int64(c.shared.write))

		err := c.w.write(c.nc, buf.b)
		putWriteBuffer(buf)
		c.clock.writeSince.Store(never)
		c.account(sent, err == nil)

		c.mu.Lock()
		c.holdLocked(-held)
		if err != nil {
			c.breakLocked()
		}
		c.wakeLocked()
	}
	if c.phase() >= closing { // no more bytes are appended
		c.discardLocked()
		broken := c.phase() == closed
		c.mu.Unlock()
		if broken {
			c.kill()
		} else {
			c.endWrites()
		}
		c.mu.Lock()
		c.discardLocked() // late handlers' ACKs since
	}
	c.flusher = false
	c.wakeLocked()
	retired, quiet := c.phase() == retiring, c.plan.quiet
	c.mu.Unlock()
	if retired { // the clock may have looked while the last ACK was not yet written
		c.clock.arm(now() + int64(quiet))
	}
}

// discardLocked drops bytes that can no longer be written.
func (c *conn) discardLocked() {
	c.account(c.outAcks, false)
	c.holdLocked(-c.outHeld)
	c.out, c.outAcks, c.outHeld = nil, 0, 0
}

// account takes ACKs off what is in flight.
func (c *conn) account(acks int64, written bool) {
	c.shared.counters.inFlight.Add(-acks)
	if written {
		c.shared.counters.acks.Add(uint64(acks))
	}
}

// endWrites tells HAProxy that nothing follows, and bounds the wait for it to
// close.
func (c *conn) endWrites() {
	c.nc.SetReadDeadline(time.Now().Add(lingerTime))
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
		return
	}
	c.nc.SetReadDeadline(time.Now()) // a pipe: nothing is under way in it
}
