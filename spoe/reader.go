package spoe

import (
	"net"
	"syscall"

	"github.com/spoke-go/spoke/codec"
)

// reader finds the frames in what a connection sends. Where there is a file
// descriptor, it goes below net.Conn, to syscall.RawConn, for two things that
// were measured:
//
// It learns that the socket is empty before it waits, and so borrows a buffer
// only while there are bytes: 10,000 idle connections would otherwise hold
// 320 MB.
//
// And it waits without a read that finds the socket empty, where the last one
// has shown that it is by not filling the buffer. That is 20 % of what a
// connection with one NOTIFY in flight costs.
//
// Other connections, TLS among them, keep a buffer and read as usual. A buffer
// grows with the bytes that arrive, never with a length that a frame announces.
type reader struct {
	nc   net.Conn
	raw  syscall.RawConn // nil: read through nc
	try  func(fd uintptr) bool
	once bool         // try is to return after one read
	data func() error // called by try after a read, if not once
	err  error        // the error that ended try
	// answers is set by data if the frames that it was called for get an ACK.
	answers bool
	buf     *buffer
	from    int // buf.b[from:to] is unread
	to      int
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

// next returns the next whole frame, without its length, out of the buffer; ok is false if
// more must be read first. The frame is valid until the next fill. max is the longest frame
// that may come.
func (r *reader) next(max int) (frame []byte, ok bool, err error) {
	if r.buf == nil {
		return nil, false, nil
	}
	unread := r.buf.b[r.from:r.to]
	n, ok := codec.FrameLength(unread)
	switch {
	case !ok:
		return nil, false, nil
	case uint64(n) > uint64(max): // before any int(n)
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

// want returns the length of the incomplete frame if it is longer than readSize, and 0
// otherwise.
func (r *reader) want() int {
	if r.buf == nil {
		return 0
	}
	n, ok := codec.FrameLength(r.buf.b[r.from:r.to])
	if !ok || n <= readSize {
		return 0
	}
	return int(n)
}

// partial reports whether there are bytes of a frame that is not whole.
func (r *reader) partial() bool { return r.from < r.to }

// fill reads at least one byte, and waits for it if need be.
func (r *reader) fill() error {
	if r.raw == nil {
		return r.fillConn()
	}
	r.once, r.err = true, nil
	if err := r.raw.Read(r.try); err != nil {
		return err
	}
	return r.err
}

// each reads and calls data after each read, until either fails. While it runs, only the
// reader may close the connection: a Close waits for it.
func (r *reader) each(data func() error) error {
	if r.raw == nil {
		for {
			if err := r.fillConn(); err != nil {
				return err
			}
			if err := data(); err != nil {
				return err
			}
		}
	}
	r.once, r.data, r.err = false, data, nil
	if err := r.raw.Read(r.try); err != nil {
		return err
	}
	return r.err
}

func (r *reader) fillConn() error {
	r.makeSpace()
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

// makeSpace moves the unread bytes to the front of the buffer, or to one twice
// as large if they fill it, or to a smaller one behind a large frame. It leaves no
// buffer if there was none, or if it has no bytes and is large.
func (r *reader) makeSpace() {
	if r.buf == nil {
		return
	}
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
	if len(r.buf.b) > maxPooled && r.want() == 0 && r.to <= readSize/2 {
		r.shrink() // after a large frame
	}
}

// shrink moves the unread bytes from a large buffer to one of readSize.
func (r *reader) shrink() {
	large, n := r.buf.b, r.to
	r.release()
	if n > 0 {
		r.buf = readBuffers.Get().(*buffer)
		r.to = copy(r.buf.b, large[:n])
	}
}

// release gives the buffer back; unread bytes are lost.
func (r *reader) release() {
	if r.buf != nil && len(r.buf.b) == readSize {
		readBuffers.Put(r.buf)
	}
	r.buf, r.from, r.to = nil, 0, 0
}
