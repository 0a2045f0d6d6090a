package spoe

// The agent's budget of bytes, Agent.MaxBuffered, bounds what HAProxy can have
// the agent hold over all connections: payloads of NOTIFYs until they are
// acknowledged, fragments, and the read buffer of a frame that is longer than
// readSize. A connection takes from it before it copies, and waits where there is
// none left: it stops reading, and nothing is refused.

// grant is the least that a connection takes from the budget at once.
const grant = 32 << 10

// reserve has room for n more bytes, taking them from the budget if need be. It
// reports false if the connection ended while it waited. Only the reader calls it.
func (c *conn) reserve(n int) bool {
	n = min(n, c.eng.maxBuffered/2) // so that one payload never waits for itself
	for {
		c.mu.Lock()
		short := min(c.held+n, c.eng.maxBuffered) - c.granted
		c.mu.Unlock()
		if short <= 0 {
			return true
		}
		take := min(max(short, grant), c.eng.maxBuffered/2)
		if !c.eng.bytes.TryAcquire(int64(take)) {
			take = min(short, c.eng.maxBuffered/2)
			if c.eng.bytes.Acquire(&c.ctx, int64(take)) != nil {
				return false
			}
		}
		c.mu.Lock()
		c.granted += take
		c.mu.Unlock()
	}
}

// hold counts n bytes as held, or as no longer held where n is negative.
func (c *conn) hold(n int) {
	c.mu.Lock()
	c.holdLocked(n)
	c.mu.Unlock()
}

func (c *conn) holdLocked(n int) {
	c.held = max(c.held+n, 0)
	if c.held == 0 {
		c.giveBackLocked()
	}
}

// giveBackLocked returns to the budget what the connection does not hold.
func (c *conn) giveBackLocked() {
	if spare := c.granted - c.held; spare > 0 {
		c.granted -= spare
		c.eng.bytes.Release(int64(spare))
	}
}

// reserveFrame holds what a frame needs that has not come whole and is longer than
// readSize: its place in the read buffer, which doubles as it fills, and a copy of
// its payload. It returns errLast if the connection ended while it waited.
func (c *conn) reserveFrame() error {
	want := 2 * c.r.want()
	if want == c.growing {
		return nil
	}
	if want > c.growing && !c.reserve(want-c.growing) {
		return errLast
	}
	c.hold(want - c.growing)
	c.growing = want
	return nil
}
