package spoe

import "sync"

// budget bounds the bytes that the agent holds for HAProxies over all connections
// (Agent.MaxBuffered): payloads of NOTIFYs until they are acknowledged, fragments, frames
// longer than readSize while they arrive, and ACKs until they are written. A connection
// takes bytes from it before it copies, and stops reading while there are none left; it
// refuses no NOTIFY. A waiting connection holds only the bytes of its handlers, its
// fragments and its ACKs. Handlers return, an incomplete payload is given up after
// ReadTimeout and unread ACKs after WriteTimeout, so the wait ends.
type budget struct {
	mu   sync.Mutex    // guards what follows
	free int           // below 0 after overdraw
	more chan struct{} // closed when bytes are given back; made by the waiting goroutine
}

// take takes n bytes, or returns a channel to wait on.
func (b *budget) take(n int) (wait <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n <= b.free {
		b.free -= n
		return nil
	}
	if b.more == nil {
		b.more = make(chan struct{})
	}
	return b.more
}

// overdraw takes n bytes that are held already.
func (b *budget) overdraw(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free -= n
}

func (b *budget) giveBack(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	if b.more != nil {
		close(b.more)
		b.more = nil
	}
}

// grant is the least that a connection takes from the budget at once.
const grant = 32 << 10

// reserve holds n more bytes, taking them from the budget if need be. It reports false if
// the connection ended while it waited. Only the reader calls it.
func (c *conn) reserve(n int) bool {
	// One payload never waits for itself, whole or in fragments.
	n = min(n, max(c.shared.maxBuffered/2-c.fragments.size(), 0))
	for {
		c.mu.Lock()
		short := c.held + n - c.granted
		if short <= 0 || c.phase() >= closing {
			c.reserved = n
			c.mu.Unlock()
			return short <= 0
		}
		wait := c.shared.bytes.take(max(short, grant))
		if wait == nil {
			c.granted += max(short, grant)
			c.reserved = n
			c.mu.Unlock()
			return true
		}
		c.reserved = 0
		c.giveBackLocked()
		stop := make(chan struct{})
		c.stop = stop
		c.mu.Unlock()
		partial := c.clock.frameSince.Swap(never) // it is not HAProxy that is slow
		select {
		case <-wait:
		case <-stop: // the connection ends
		}
		if partial != never {
			t := now()
			c.clock.frameSince.Store(t)
			c.clock.arm(t + int64(c.shared.read))
		}
		c.mu.Lock()
		c.stop = nil
		c.mu.Unlock()
	}
}

// hold counts n bytes as held, or as no longer held where n is negative. Only the
// reader calls it, and first uses up the bytes that it reserved.
func (c *conn) hold(n int) {
	c.mu.Lock()
	c.useReservedLocked(n)
	c.holdLocked(n)
	c.mu.Unlock()
}

func (c *conn) useReservedLocked(n int) { c.reserved = max(c.reserved-max(n, 0), 0) }

// unreserve gives back the bytes that the reader reserved and does not need.
func (c *conn) unreserve() {
	c.mu.Lock()
	c.reserved = 0
	c.holdLocked(0)
	c.mu.Unlock()
}

func (c *conn) holdLocked(n int) {
	c.held = max(c.held+n, 0)
	switch {
	case c.held > c.granted:
		c.shared.bytes.overdraw(c.held - c.granted)
		c.granted = c.held
	case c.held == 0 || c.stop != nil:
		c.giveBackLocked()
	}
}

// holdOutLocked counts n bytes that were appended to out.
func (c *conn) holdOutLocked(n int) {
	c.outHeld += n
	c.holdLocked(n)
}

// reserveRead holds the bytes for copies of the frames in the read buffer, before they are
// copied: a connection that waits has its read buffer and no more. A frame longer than
// readSize has its bytes already.
func (c *conn) reserveRead() error {
	if c.growing == 0 && !c.reserve(c.r.to-c.r.from) {
		return errLast
	}
	return nil
}

// giveBackLocked returns to the budget what the connection neither holds nor has
// reserved.
func (c *conn) giveBackLocked() {
	if spare := c.granted - c.held - c.reserved; spare > 0 {
		c.granted -= spare
		c.shared.bytes.giveBack(spare)
	}
}

// reserveFrame holds the bytes for an incomplete frame longer than readSize: its place in
// the read buffer, which doubles as it fills, and a copy of its payload. It returns errLast
// if the connection ended while it waited.
func (c *conn) reserveFrame() error {
	want := 2 * c.r.want()
	if want == c.growing {
		return nil
	}
	c.hold(-c.growing)
	c.growing = 0
	if want == 0 {
		return nil
	}
	if !c.reserve(want) {
		return errLast
	}
	c.hold(want)
	c.growing = want
	return nil
}

// chargeLarge takes a payload's bytes from the bytes that reserveFrame holds for it.
func (c *conn) chargeLarge(j *job) {
	if n := len(j.payload); n <= c.growing {
		c.growing -= n
		j.held = true
		return
	}
	c.batched += len(j.payload)
}
