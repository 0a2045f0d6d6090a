package spoe

import (
	"log/slog"
	"runtime/debug"
	"strconv"
)

// phase is the state of a connection's life. It only grows, and only setPhaseLocked
// changes it.
//
//	greeting ──► open ──► retiring ──► closing ──► closed
//
// Each arrow may be passed over: a health check goes from greeting to closing, a
// connection that breaks goes to closed from anywhere.
type phase int32

const (
	// greeting: accepted; the HAPROXY-HELLO is not answered yet.
	greeting phase = iota
	// open: NOTIFYs are answered.
	open
	// retiring: NOTIFYs are answered; the connection closes when it is quiet.
	retiring
	// closing: the last frame is queued. The agent writes it and waits a
	// short while for HAProxy to close.
	closing
	// closed: nothing is read or written any more. Handlers may still run.
	closed
)

func (p phase) String() string {
	return [...]string{"greeting", "open", "retiring", "closing", "closed"}[p]
}

// setPhaseLocked moves the connection on to p and tells Agent.ConnState. It
// reports whether that was a step forward; if not, it changes nothing.
func (c *conn) setPhaseLocked(p phase) bool {
	old := c.phase()
	if p <= old {
		return false
	}
	c.current.Store(int32(p))
	c.wakeLocked()
	if p >= closing && c.stop != nil {
		close(c.stop)
		c.stop = nil
	}
	switch {
	case p == closing:
		c.report(StateClosing)
	case p == closed:
		c.report(StateClosed)
	case old == greeting:
		c.report(StateReady)
	}
	return true
}

// phase may be read without the lock; it may have grown by the time it is used.
func (c *conn) phase() phase { return phase(c.current.Load()) }

// ConnState is the state of a connection, for [Agent.ConnState].
//
//	StateNew ──► StateReady ──► StateClosing ──► StateClosed
//
// StateReady is passed over where no hello was agreed, and StateClosing where
// the connection broke.
type ConnState int

const (
	// StateNew is a connection that was accepted and has not agreed on a hello
	// yet. A health check, and a connection that is refused, goes from here to
	// StateClosing.
	StateNew ConnState = iota
	// StateReady is a connection whose NOTIFYs are being answered.
	StateReady
	// StateClosing is a connection on which the agent sent its last frame
	// and waits, for a short while, for HAProxy to close.
	StateClosing
	// StateClosed is the end: nothing is read or written any more.
	StateClosed
)

func (s ConnState) String() string {
	names := [...]string{"new", "ready", "closing", "closed"}
	if s < 0 || int(s) >= len(names) {
		return "state " + strconv.Itoa(int(s))
	}
	return names[s]
}

// report queues a call of Agent.ConnState. The reporter calls the hook, one
// state after the other, so that a slow hook holds up no connection.
func (c *conn) report(s ConnState) {
	f := c.agent.ConnState
	if f == nil {
		return
	}
	c.shared.states.Add(func() {
		defer func() {
			if v := recover(); v != nil {
				c.log(slog.LevelError, "Agent.ConnState panicked", slog.Any("panic", v), slog.Any("stack", stack(debug.Stack())))
			}
		}()
		f(c.nc, s)
	})
}
