//go:build unix

package spoe

import (
	"io"
	"syscall"
)

// initRaw makes the reader use the file descriptor.
func (r *reader) initRaw(sc syscall.Conn) {
	if raw, err := sc.SyscallConn(); err == nil {
		r.raw, r.try = raw, r.readRaw
	}
}

// readRaw reads until the connection ends, and then returns true; it returns false if it
// has to wait. syscall.RawConn.Read calls it and does the waiting.
func (r *reader) readRaw(fd uintptr) bool {
	for {
		r.makeSpace()
		if r.buf == nil {
			r.buf = readBuffers.Get().(*buffer)
		}
		room := r.buf.b[r.to:]
		n, err := rawRead(fd, room)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			if r.to == 0 {
				r.release()
			}
			return false
		case err != nil:
			r.err = err
			return true
		case n == 0:
			r.err = io.EOF
			return true
		}
		r.to += n
		if r.once {
			return true
		}
		if r.err = r.data(); r.err != nil {
			return true
		}
		// A read that does not fill the buffer has emptied the socket, and later bytes wake
		// RawConn.Read. The end of the stream alone may have come with the bytes and be
		// missed: HAProxy is gone then, and the ACKs of the NOTIFYs that were just read
		// find out, or the watchdog does. Without any, or with half a frame, the next read
		// has to.
		if n < len(room) && !r.partial() && r.answers {
			r.release()
			return false
		}
	}
}

// pending reports whether the socket has unread bytes. It may be
// called while the reader reads.
func (r *reader) pending() bool {
	n, err := r.peek()
	return err == nil && n > 0
}

// ended reports whether the reader is at the end of the stream. It may
// be called while the reader reads.
func (r *reader) ended() bool {
	n, err := r.peek()
	return err == nil && n == 0
}

// peek returns 1 if the socket has unread bytes, and 0 otherwise.
func (r *reader) peek() (n int, err error) {
	if r.raw == nil {
		return 0, syscall.EAGAIN
	}
	var b [1]byte
	cerr := r.raw.Control(func(fd uintptr) {
		n, _, err = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	if cerr != nil {
		return 0, cerr
	}
	return n, err
}
