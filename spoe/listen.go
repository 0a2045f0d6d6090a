package spoe

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Listen listens on an address as HAProxy's configuration writes it on its
// server line:
//
//	127.0.0.1:9000, [::1]:9000, :9000   TCP
//	unix:/run/agent/spoa.sock           a unix socket
//	unix:@agent                         an abstract unix socket, abns@agent in HAProxy
//	fd:3                                an inherited file descriptor, which is taken over
//
// The name of an abstract socket is filled up with NULs to its full length, as
// HAProxy does it.
//
// A unix socket file that is there already is replaced if nobody listens on it,
// as a process that was killed leaves it behind; it is removed when the listener
// closes.
func Listen(addr string) (net.Listener, error) { return listen(addr, 0) }

func listen(addr string, mode fs.FileMode) (net.Listener, error) {
	ln, err := listenAny(addr, mode)
	if err == nil {
		return ln, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("spoe: cannot listen on %s: another process does; stop it or choose another address: %w", addr, err)
	}
	return nil, fmt.Errorf("spoe: cannot listen on %q: %w", addr, err)
}

func listenAny(addr string, mode fs.FileMode) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return listenUnix(path, mode)
	}
	if fd, ok := strings.CutPrefix(addr, "fd:"); ok {
		return listenFD(fd)
	}
	return net.Listen("tcp", addr)
}

func listenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	if path == "" {
		return nil, errors.New("unix: without a path; write unix:/path or unix:@name")
	}
	if strings.HasPrefix(path, "@") {
		return net.Listen("unix", abstractName(path))
	}
	ln, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(path); err != nil {
			return nil, err
		}
		ln, err = net.Listen("unix", path)
	}
	if err != nil {
		return nil, err
	}
	if mode != 0 {
		if err := os.Chmod(path, mode); err != nil {
			ln.Close()
			return nil, err
		}
	}
	return ln, nil
}

// abstractName fills the name up to the length that a socket address has room
// for.
func abstractName(name string) string {
	room := len(syscall.RawSockaddrUnix{}.Path)
	return name + strings.Repeat("\x00", max(0, room-len(name)))
}

// removeStale removes a socket file on which nobody listens.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there and is no socket; remove it or choose another path", path)
	}
	nc, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		nc.Close()
		return fmt.Errorf("another process listens on %s: %w", path, syscall.EADDRINUSE)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("cannot tell whether somebody listens on %s: %w", path, err)
	}
	return os.Remove(path)
}
