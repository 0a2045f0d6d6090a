package spoe

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// settleTime is how long a connection on which HAProxy has sent something
// malformed waits for the answers to what came before.
const settleTime = time.Second

// settle ends a connection after err, the reason why reading has ended: a
// malformed frame is answered by a DISCONNECT with its status, everything else
// is the end that it looks like.
func (c *conn) settle(err error) {
	var bad *codec.Error
	switch {
	case errors.As(err, &bad):
		c.complain("malformed data from HAProxy, or not from HAProxy at all; disconnecting",
			slog.Uint64("status", uint64(bad.Status)), slog.String("reason", bad.Error()))
		c.waitQuiet(settleTime)
		c.disconnect(bad.Status, bad.Reason)
		c.drain()
	case c.isDead():
		c.log(slog.LevelDebug, "connection ended")
	case errors.Is(err, errLast), c.saidLast():
		c.drain()
	case err == nil, errors.Is(err, errClosed), isNormalEnd(err):
		c.log(slog.LevelDebug, "connection ended")
	case !c.ready.Load() && c.isTLS():
		c.complain("TLS handshake failed; HAProxy's server line and the agent's certificates do not fit", slog.Any("error", err))
	default:
		c.complain("connection broke", slog.Any("error", err))
	}
}

// isNormalEnd tells whether HAProxy has gone, or the agent has closed: HAProxy
// 3.1 and later end their connections by a reset.
func isNormalEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (c *conn) isTLS() bool {
	_, ok := c.nc.(*tls.Conn)
	return ok
}

func (c *conn) saidLast() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// isDead tells whether nothing can be written any more.
func (c *conn) isDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed != nil
}

// waitQuiet waits until nothing is in flight, or for d.
func (c *conn) waitQuiet(d time.Duration) {
	end := time.Now().Add(d)
	wake := time.AfterFunc(d, func() {
		c.mu.Lock()
		c.changed.Broadcast()
		c.mu.Unlock()
	})
	defer wake.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
	for c.busyLocked() && c.failed == nil && !c.last && time.Now().Before(end) {
		c.changed.Wait()
	}
	c.waiting--
}

// drain reads and drops what HAProxy sends after the agent's last frame, until
// HAProxy closes or lingerTime is over.
func (c *conn) drain() {
	c.r.release()
	for c.r.fill() == nil {
		c.r.release()
	}
}
