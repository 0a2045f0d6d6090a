package listen

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// firstInherited is the first file descriptor that systemd passes on.
const firstInherited = 3

// Inherited is spoe.InheritedListeners.
func Inherited() ([]net.Listener, error) {
	if pid, err := strconv.Atoi(os.Getenv("LISTEN_PID")); err != nil || pid != os.Getpid() {
		return nil, nil
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 0 {
		return nil, fmt.Errorf("spoe: LISTEN_FDS is %q; systemd sets it to a number", os.Getenv("LISTEN_FDS"))
	}
	var lns []net.Listener
	for i := range n {
		ln, err := listenFD(strconv.Itoa(firstInherited + i))
		if err != nil {
			for _, ln := range lns {
				ln.Close()
			}
			return nil, fmt.Errorf("spoe: %w", err)
		}
		lns = append(lns, ln)
	}
	return lns, nil
}

func listenFD(s string) (net.Listener, error) {
	fd, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return nil, fmt.Errorf("fd:%s is no file descriptor; write fd:3", s)
	}
	f := os.NewFile(uintptr(fd), "fd:"+s)
	defer f.Close() // FileListener duplicates it
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("file descriptor %d is no listening socket: %w", fd, err)
	}
	return ln, nil
}
