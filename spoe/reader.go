package spoe

import (
	"io"
	"net"
	"syscall"

	"github.com/spoke-go/spoke/codec"
)

// reader finds the frames in what a connection sends. It borrows a buffer from
// a pool only while there are bytes: 10,000 idle connections would otherwise
// hold 320 MB. For that it needs to learn that the socket is empty while it
// waits, which syscall.RawConn tells and net.Conn does not; a connection that
// has no file descriptor, or whose bytes are encrypted, keeps its buffer.
//
// A buffer grows with what has arrived, never with what a length announces.
type reader struct {
	nc   net.Conn
	raw  syscall.RawConn // nil: read through nc
	try  func(fd uintptr) bool
	n    int   // what try has read
	err  error // what try has met
	buf  *buffer
	from int // buf.b[from:to] is unread
	to   int
}

// smallRead is the buffer of a connection that cannot give it back.
const smallRead = 4 << 10

func (r *reader) init(nc net.Conn) {
	r.nc = nc
	switch nc := nc.(type) {
	case *net.TCPConn:
		r.initRaw(nc)
	case *net.UnixConn:
		r.initRaw(nc)
	}
}

// next returns the next whole frame, without its length, out of what has been
// read; ok is false if more must be read first. The frame is valid until the
// next fill. max is the longest frame that may come.
func (r *reader) next(max int) (frame []byte, ok bool, err error) {
	if r.buf == nil {
		return nil, false, nil
	}
	unread := r.buf.b[r.from:r.to]
	n, ok := codec.FrameLength(unread)
	switch {
	case !ok:
		return nil, false, nil
	case uint64(n) > uint64(max):
		return nil, false, tooBig(n, max)
	case n < codec.MinFrameLength:
		return nil, false, invalid("frame of %d bytes, the shortest has %d", n, codec.MinFrameLength)
	case len(unread)-codec.LengthSize < int(n):
		return nil, false, nil
	}
	end := codec.LengthSize + int(n)
	r.from += end
	return unread[codec.LengthSize:end:end], true, nil
}

// partial tells whether there are bytes of a frame that is not whole.
func (r *reader) partial() bool { return r.from < r.to }

// fill reads what there is, at least one byte, and waits for it if need be.
func (r *reader) fill() error {
	if r.buf != nil {
		r.makeRoom()
	}
	if r.raw == nil {
		if r.buf == nil {
			r.buf = &buffer{make([]byte, smallRead)}
		}
		n, err := r.nc.Read(r.buf.b[r.to:])
		r.to += n
		if n > 0 {
			return nil
		}
		return err
	}
	r.n, r.err = 0, nil
	if err := r.raw.Read(r.try); err != nil {
		return err
	}
	if r.err != nil {
		return r.err
	}
	if r.n == 0 {
		return io.EOF
	}
	r.to += r.n
	return nil
}

// makeRoom moves the unread bytes to the front of the buffer, or to one twice
// as large if they fill it.
func (r *reader) makeRoom() {
	unread := r.buf.b[r.from:r.to]
	if len(unread) == len(r.buf.b) {
		b := make([]byte, 2*len(r.buf.b))
		copy(b, unread)
		r.release()
		r.buf = &buffer{b}
	} else if r.from > 0 {
		copy(r.buf.b, unread)
	}
	r.from, r.to = 0, len(unread)
	if r.to == 0 && len(r.buf.b) > maxPooled {
		r.release() // a large frame has passed
	}
}

// release gives the buffer back; what is unread is lost.
func (r *reader) release() {
	if r.buf != nil && len(r.buf.b) == readSize {
		readBuffers.Put(r.buf)
	}
	r.buf, r.from, r.to = nil, 0, 0
}
