package spoe

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
)

// maxWaiting is the maximum number of open connections beyond Agent.MaxConnections.
const maxWaiting = 1024

// waitlist holds the connections beyond Agent.MaxConnections. The agent reads their hello
// and answers health checks, because a full agent is not down; any other connection waits
// for a slot. When the list is full, the agent closes the connection that waited
// longest: a health check always gets in.
type waitlist struct {
	mu    sync.Mutex // guards conns
	conns []*conn    // the oldest first
}

// admit gives a new connection a slot, or puts it on the waitlist.
func (s *agentState) admit(c *conn) {
	if c.slot = s.connSlots.TryAcquire(1); c.slot {
		return
	}
	if oldest := s.waiting.add(c); oldest != nil {
		oldest.complain("connection closed", slog.String("reason", fullReason(s.maxConnections)))
		oldest.kill()
	}
}

// takeSlot waits for a slot if the connection has none. The connection's end, by
// HelloTimeout for example, ends the wait.
func (c *conn) takeSlot() error {
	if c.slot {
		return nil
	}
	c.crowded.Store(true)
	if c.shared.connSlots.Acquire(&c.ctx, 1) != nil {
		return errLast
	}
	c.slot = true
	c.crowded.Store(false)
	c.shared.waiting.remove(c)
	return nil
}

// giveSlot gives back the slot or the place from admit.
func (s *agentState) giveSlot(c *conn) {
	if c.slot {
		s.connSlots.Release(1)
	} else {
		s.waiting.remove(c)
	}
}

func fullReason(most int) string {
	return fmt.Sprintf("%d connections are open (Agent.MaxConnections)", most)
}

// add adds c, and returns the connection that must close for it, or nil.
func (r *waitlist) add(c *conn) (oldest *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, c)
	if len(r.conns) > maxWaiting {
		oldest = r.conns[0]
		r.conns = slices.Delete(r.conns, 0, 1)
	}
	return oldest
}

// remove forgets c, if it is there.
func (r *waitlist) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.conns, c); i >= 0 {
		r.conns = slices.Delete(r.conns, i, i+1)
	}
}
