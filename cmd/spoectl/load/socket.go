//go:build linux

package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a connection without Go's netpoller.
type socket int

// helloTimeout bounds each read and write of the handshake and of the disconnect.
const helloTimeout = 10 * time.Second

func dial(ctx context.Context, c *Config) (socket, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	connect := c.Dial
	if connect == nil {
		connect = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, c.Network, c.Addr)
		}
	}
	nc, err := connect(ctx)
	if err != nil {
		return 0, err
	}
	var fd int
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		fd, err = take(nc)
	default:
		fd, err = bridge(nc)
	}
	if err != nil {
		return 0, err
	}
	if err := blocking(fd); err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	return socket(fd), nil
}

// take takes the socket out of a connection, which it closes.
func take(nc net.Conn) (int, error) {
	defer nc.Close()
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd int
	var dupErr error
	if err := raw.Control(func(old uintptr) { fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return 0, err
	}
	return fd, dupErr
}

// bridge returns a socket whose other end is the connection.
func bridge(nc net.Conn) (int, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		nc.Close()
		return 0, fmt.Errorf("socket pair: %w", err)
	}
	f := os.NewFile(uintptr(pair[1]), "bridge")
	other, err := net.FileConn(f)
	f.Close()
	if err != nil {
		nc.Close()
		_ = unix.Close(pair[0])
		return 0, err
	}
	// Both end when either end of the bridge is closed, which the generator does.
	end := func(a, b net.Conn) {
		_, _ = io.Copy(a, b) // why it ended shows at the other end
		a.Close()
		b.Close()
	}
	go end(nc, other)
	go end(other, nc)
	return pair[0], nil
}

// blocking makes the socket block, with a timeout.
func blocking(fd int) error {
	tv := unix.NsecToTimeval(helloTimeout.Nanoseconds())
	for _, opt := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, opt, &tv); err != nil {
			return fmt.Errorf("socket timeout: %w", err)
		}
	}
	return unix.SetNonblock(fd, false)
}

func (s socket) nonblocking(on bool) error { return unix.SetNonblock(int(s), on) }

// read returns 0 and no error where nothing is there; the end of the stream is
// an error.
func (s socket) read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(s), b)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, nil
		case err != nil:
			return 0, fmt.Errorf("read: %w", err)
		case n == 0:
			return 0, errClosed
		default:
			return n, nil
		}
	}
}

// write returns how much the socket took, which may be nothing.
func (s socket) write(b []byte) (int, error) {
	for {
		n, err := unix.Write(int(s), b)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, nil
		default:
			return 0, fmt.Errorf("write: %w", err)
		}
	}
}

// reset ends the connection by RST, which leaves no TIME_WAIT behind.
func (s socket) reset() {
	_ = unix.SetsockoptLinger(int(s), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Close(int(s))
}
