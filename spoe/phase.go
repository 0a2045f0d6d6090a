package spoe

import "strconv"

// ConnState is the state of a connection, for [Agent.ConnState].
//
//	StateNew ──► StateReady ──► StateClosing ──► StateClosed
//
// StateReady is passed over by what does not get as far as an agreed hello, and
// StateClosing where there is nobody to send a last frame to.
type ConnState int

const (
	// StateNew is a connection that was accepted and has not agreed on a hello
	// yet. A health check, and what is refused, goes from here to StateClosing.
	StateNew ConnState = iota
	// StateReady is a connection whose NOTIFYs are being answered.
	StateReady
	// StateClosing is a connection on which the agent has sent its last frame
	// and waits, for a short while, for HAProxy to close.
	StateClosing
	// StateClosed is the end.
	StateClosed
)

func (s ConnState) String() string {
	switch s {
	case StateNew:
		return "new"
	case StateReady:
		return "ready"
	case StateClosing:
		return "closing"
	case StateClosed:
		return "closed"
	}
	return "state " + strconv.Itoa(int(s))
}
