package spoetest

import (
	"crypto/tls"
	"errors"
	"net"
)

// Close closes the connection without a DISCONNECT, as HAProxy 3.1 and later
// do. A second Close does nothing.
func (c *Client) Close() error {
	if err := c.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// CloseWrite closes the side that writes: the agent reads an EOF, and its
// frames can still be read. It fails with errors.ErrUnsupported on a connection
// that cannot be half closed.
func (c *Client) CloseWrite() error {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Reset closes the connection so that the agent gets a reset (RST) rather than
// an EOF: over TCP, with or without TLS, and in memory. Unix sockets have no
// such thing; there it is Close.
func (c *Client) Reset() error {
	conn := c.conn
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	switch conn := conn.(type) {
	case *net.TCPConn:
		if err := conn.SetLinger(0); err != nil {
			return err
		}
	case *Conn:
		conn.Reset()
	}
	return conn.Close()
}
