package spoetest

import (
	"context"
	"net"
	"sync"
)

// Listener is a net.Listener in memory, for agents that no other process has to
// reach, and for tests in testing/synctest bubbles. Its methods may be called
// concurrently.
type Listener struct {
	conns  chan *Conn
	closed chan struct{}
	close  sync.Once
}

// NewListener returns a Listener.
func NewListener() *Listener {
	return &Listener{conns: make(chan *Conn), closed: make(chan struct{})}
}

// DialContext connects to the agent. It waits until the agent accepts, at most
// until ctx ends; once the Listener is closed it returns net.ErrClosed.
func (l *Listener) DialContext(ctx context.Context) (*Conn, error) {
	haproxy, agent := pipe()
	select {
	case l.conns <- agent:
		return haproxy, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: l.Addr(), Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: l.Addr(), Err: context.Cause(ctx)}
	}
}

// Accept returns the agent's end of the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "pipe", Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close ends Accept and DialContext; connections go on.
func (l *Listener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

// Addr returns an address whose network is "pipe".
func (l *Listener) Addr() net.Addr { return pipeAddr("agent") }
