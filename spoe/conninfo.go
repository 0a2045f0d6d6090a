package spoe

import (
	"net"
	"time"
)

// ConnInfo describes an open connection.
type ConnInfo struct {
	Peer net.Addr
	// EngineID is HAProxy's engine-id, which may be empty (§3.2.4).
	EngineID string
	// Applet reports whether HAProxy is 3.0 or earlier.
	Applet bool
	// Phase is greeting, open, retiring, closing or closed.
	Phase string
	// Since is the time at which the connection was accepted.
	Since time.Time
	// MaxFrameSize is the agreed frame size in bytes.
	MaxFrameSize int
	// InFlight is the number of NOTIFYs without an ACK, Buffered the connection's share
	// of Agent.MaxBuffered, in bytes.
	InFlight, Buffered int
	// Fragments is the number of fragments that came.
	Fragments uint64
}

// Connections returns the open connections, in no order. It may be called at any
// time and takes each connection's lock for a moment.
func (a *Agent) Connections() []ConnInfo {
	conns := a.shared.openConns()
	infos := make([]ConnInfo, 0, len(conns))
	for _, c := range conns {
		infos = append(infos, c.info())
	}
	return infos
}

func (c *conn) info() ConnInfo {
	h := c.haproxy.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	return ConnInfo{
		Peer:         h.peer,
		EngineID:     h.engineID,
		Applet:       h.applet,
		Phase:        c.phase().String(),
		Since:        epoch.Add(time.Duration(c.clock.start)),
		MaxFrameSize: h.maxFrameSize,
		InFlight:     c.jobs.n + c.acking,
		Buffered:     c.held,
		Fragments:    c.fragmentsSeen.Load(),
	}
}
