//go:build unix

package spoe

import "syscall"

// initRaw has fill read through the file descriptor. The call that finds the
// socket empty returns the buffer before it waits.
func (r *reader) initRaw(sc syscall.Conn) {
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	r.raw = raw
	r.try = func(fd uintptr) bool {
		if r.buf == nil {
			r.buf = readBuffers.Get().(*buffer)
		}
		for {
			n, err := syscall.Read(int(fd), r.buf.b[r.to:])
			switch err {
			case nil:
				r.n = n
				return true
			case syscall.EINTR:
			case syscall.EAGAIN:
				if r.to == 0 {
					r.release()
				}
				return false
			default:
				r.err = err
				return true
			}
		}
	}
}
