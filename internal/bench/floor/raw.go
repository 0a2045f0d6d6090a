package main

import (
	"net"
	"syscall"
)

// serveRaw is serve without the read that finds the socket empty: it stays within one
// RawConn.Read, whose function goes back to the poller by returning false. As epoll is
// edge-triggered there and no event is reset in between, a read that did not fill the
// buffer took all, and later bytes wake the reader. That saves one of three system
// calls.
func serveRaw(c net.Conn, ack []byte) {
	defer c.Close()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return
	}
	in := make([]byte, bufSize)
	out := make([]byte, 0, bufSize)
	have := 0
	_ = raw.Read(func(fd uintptr) (done bool) {
		for {
			room := in[have:]
			n, err := syscall.Read(int(fd), room)
			switch {
			case err == syscall.EINTR:
				continue
			case err == syscall.EAGAIN:
				return false
			case err != nil || n == 0:
				return true
			}
			have += n
			rest, reply, more := answer(in[:have], out[:0], ack)
			if len(reply) > 0 {
				if _, err := c.Write(reply); err != nil {
					return true
				}
			}
			if !more {
				return true
			}
			out = reply
			have = copy(in, rest)
			if n < len(room) {
				return false
			}
		}
	})
}
