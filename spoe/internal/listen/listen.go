package listen

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

// Listen is spoe.Listen.
func Listen(addr string) (net.Listener, error) {
	ln, err := listenAny(addr)
	if err == nil {
		return ln, nil
	}
	if _, _, bad := ParseAddr(addr); bad != nil {
		return nil, bad
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("spoe: cannot listen on %s: another process does; stop it or choose another address: %w", addr, err)
	}
	return nil, fmt.Errorf("spoe: cannot listen on %q: %w", addr, err)
}

func listenAny(addr string) (net.Listener, error) {
	network, address, err := ParseAddr(addr)
	switch {
	case err != nil:
		return nil, err
	case network == "fd":
		return listenFD(address)
	case network == "unix" && !strings.HasPrefix(address, "@"):
		return listenUnix(address)
	}
	return net.Listen(network, address)
}

func listenUnix(path string) (net.Listener, error) {
	ln, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(path); err != nil {
			return nil, err
		}
		return net.Listen("unix", path)
	}
	return ln, err
}

// removeStale removes a socket file on which no process listens.
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
		return fmt.Errorf("cannot find out whether a process listens on %s: %w", path, err)
	}
	return os.Remove(path)
}
