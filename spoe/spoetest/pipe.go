package spoetest

import (
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// pipeBuffer is the number of bytes that each direction of an in-memory connection
// holds before a write waits, like a socket's buffers. net.Pipe has none, so that two
// sides that both write first would wait for each other for ever.
const pipeBuffer = 64 << 10

// maxSegments bounds the record of a direction's writes.
const maxSegments = 1 << 16

// half is one direction of an in-memory connection.
type half struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at each change below
	buf      []byte
	segments []int // the size of each write, the first maxSegments
	eof      bool  // the writer has closed; buf can still be read
	gone     bool  // the reader has closed: writes fail
	reset    bool  // the end is a reset rather than an EOF
}

func newHalf() *half { return &half{changed: make(chan struct{})} }

// notifyLocked wakes both sides.
func (h *half) notifyLocked() {
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *half) read(b []byte, d *deadline) (int, error) {
	for {
		if isClosed(d.wait()) {
			return 0, os.ErrDeadlineExceeded
		}
		h.mu.Lock()
		switch {
		case h.gone:
			h.mu.Unlock()
			return 0, net.ErrClosed
		case len(h.buf) > 0 || len(b) == 0:
			n := copy(b, h.buf)
			h.buf = h.buf[n:]
			h.notifyLocked()
			h.mu.Unlock()
			return n, nil
		case h.reset:
			h.mu.Unlock()
			return 0, syscall.ECONNRESET
		case h.eof:
			h.mu.Unlock()
			return 0, io.EOF
		}
		changed := h.changed
		h.mu.Unlock()
		select {
		case <-changed:
		case <-d.wait():
		}
	}
}

func (h *half) write(b []byte, d *deadline) (int, error) {
	written := 0
	for recorded := false; ; {
		if isClosed(d.wait()) {
			return written, os.ErrDeadlineExceeded
		}
		h.mu.Lock()
		switch {
		case h.eof:
			h.mu.Unlock()
			return written, net.ErrClosed
		case h.reset:
			h.mu.Unlock()
			return written, syscall.ECONNRESET
		case h.gone:
			h.mu.Unlock()
			return written, syscall.EPIPE
		}
		if !recorded && len(h.segments) < maxSegments {
			h.segments = append(h.segments, len(b))
			recorded = true
		}
		n := min(len(b)-written, pipeBuffer-len(h.buf))
		h.buf = append(h.buf, b[written:written+n]...)
		written += n
		if n > 0 {
			h.notifyLocked()
		}
		changed := h.changed
		h.mu.Unlock()
		if written == len(b) {
			return written, nil
		}
		select {
		case <-changed:
		case <-d.wait():
		}
	}
}

// end closes the writer's side.
func (h *half) end(reset bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.eof, h.reset = true, h.reset || reset
	h.notifyLocked()
}

// leave closes the reader's side and reports whether bytes were left unread.
func (h *half) leave(reset bool) (unread bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	unread = len(h.buf) > 0
	h.gone, h.buf = true, nil
	h.reset = h.reset || reset || unread
	h.notifyLocked()
	return unread
}

// Conn is one end of an in-memory connection. It buffers 64 KiB each way, can
// be half closed, and like TCP ends in a reset rather than an EOF where it is
// closed with bytes unread: an agent that loses its last frame to that on a
// socket loses it here as well. Its methods may be called concurrently.
type Conn struct {
	in, out                     *half
	readDeadline, writeDeadline *deadline
	local, remote               pipeAddr
	close                       sync.Once
}

// pipe returns the two ends of a connection.
func pipe() (haproxy, agent *Conn) {
	a, b := newHalf(), newHalf()
	haproxy = &Conn{in: a, out: b, local: "haproxy", remote: "agent", readDeadline: newDeadline(), writeDeadline: newDeadline()}
	agent = &Conn{in: b, out: a, local: "agent", remote: "haproxy", readDeadline: newDeadline(), writeDeadline: newDeadline()}
	return haproxy, agent
}

// Read reads the bytes that have come, or waits for some.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b, c.readDeadline)
	return n, c.opError("read", err)
}

// Write writes b, waiting for space as a socket does.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b, c.writeDeadline)
	return n, c.opError("write", err)
}

// Close closes the connection.
func (c *Conn) Close() error {
	c.shut(false)
	return nil
}

// Reset closes the connection so that the other side sees a reset once it has read the
// bytes before.
func (c *Conn) Reset() { c.shut(true) }

func (c *Conn) shut(reset bool) {
	c.close.Do(func() {
		unread := c.in.leave(reset)
		c.out.end(reset || unread)
		// A change of its direction wakes the goroutines that wait on this end.
	})
}

// CloseWrite sends the other side an EOF; reading goes on.
func (c *Conn) CloseWrite() error {
	c.out.end(false)
	return nil
}

// Segments returns the sizes in bytes of the other side's writes so far, in
// order; the first 65536 of them.
func (c *Conn) Segments() []int {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return slices.Clone(c.in.segments)
}

// LocalAddr returns an address whose network is "pipe".
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns an address whose network is "pipe".
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readDeadline.set(t)
	c.writeDeadline.set(t)
	return nil
}

// SetReadDeadline ends reads at t, also one that waits already.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.readDeadline.set(t)
	return nil
}

// SetWriteDeadline ends writes at t, also one that waits already.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writeDeadline.set(t)
	return nil
}

// opError wraps err as package net does, but for io.EOF.
func (c *Conn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }
