package spoe

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/proxyheader"
)

// settleTime is the time that a connection with malformed bytes waits for the answers
// to the NOTIFYs before them.
const settleTime = time.Second

// end ends a connection after err, the reason why reading ended: a malformed frame is
// answered by a DISCONNECT with its status; after any other error the agent closes without
// a frame.
func (c *conn) end(err error) {
	var bad *codec.Error
	switch {
	case errors.As(err, &bad):
		c.complain("malformed data from HAProxy, or not from HAProxy at all; disconnecting",
			slog.Uint64("status", uint64(bad.Status)), slog.String("reason", bad.Error()))
		c.waitQuiet(settleTime)
		c.disconnect(bad.Status, bad.Reason)
		c.drain()
	case errors.Is(err, proxyheader.Err):
		c.complain("connection closed", slog.Any("error", err))
	case c.phase() == closed:
		c.log(slog.LevelDebug, "connection ended")
	case errors.Is(err, errLast), c.phase() == closing:
		c.drain()
	case err == nil, errors.Is(err, errClosed), isNormalEnd(err):
		c.logEnd()
	case c.phase() == greeting && c.isTLS():
		c.complain("TLS handshake failed; HAProxy's server line and the agent's certificates do not fit", slog.Any("error", explainTLS(err)))
	default:
		c.complain("connection broke", slog.Any("error", err))
	}
}

// isNormalEnd reports whether HAProxy has gone, or the agent has closed: HAProxy
// 3.1 and later end their connections by a reset.
func isNormalEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// logEnd logs the end of a connection that HAProxy closed. It is a warning if NOTIFYs
// were in flight: a timeout of HAProxy's has expired, or HAProxy was killed.
func (c *conn) logEnd() {
	c.mu.Lock()
	n := c.jobs.n + c.acking
	c.mu.Unlock()
	if n == 0 || isClosed(c.shared.closing) {
		c.log(slog.LevelDebug, "connection ended")
		return
	}
	c.complain("HAProxy closed the connection with NOTIFYs in flight; compare its timeouts with what handlers take", slog.Int("in_flight", n))
}

// drain reads and drops what HAProxy sends after the agent's last frame, until
// HAProxy closes or lingerTime is over.
func (c *conn) drain() {
	c.r.release()
	for c.r.fill() == nil {
		c.r.release()
	}
}

// timeout ends a connection by a DISCONNECT with status 2, if the other side
// still reads, and by force if it does not.
func (c *conn) timeout(level slog.Level, reason string) {
	if c.isTLS() && c.phase() == greeting {
		c.reset(reason) // a frame would wait for the TLS handshake to end
		return
	}
	c.logSome(&c.shared.connLog, level, "connection timed out", slog.String("reason", reason))
	c.disconnect(codec.StatusTimeout, reason)
}

// reset ends the connection and drops unsent bytes in the kernel: the other side does not
// read.
func (c *conn) reset(reason string) {
	c.complain("connection closed", slog.String("reason", reason))
	if tcp, ok := c.nc.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.kill()
}
