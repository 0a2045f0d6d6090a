//go:build !mips && !mipsle && !mips64 && !mips64le && !sparc64

package haproxytest

import (
	"os"
	"syscall"
)

// soReusePort is SO_REUSEPORT, which package syscall has for some architectures only. The
// architectures in the build constraint have another number.
const soReusePort = 15

// reservePort binds a port without listening on it. HAProxy sets SO_REUSEPORT
// too and can bind it at the same time; all others that ask for it, or for any
// free port, do not get it.
func reservePort() (port int, release func() error, err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, os.NewSyscallError("socket", err)
	}
	defer func() {
		if err != nil {
			_ = syscall.Close(fd)
		}
	}()
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, soReusePort, 1); err != nil {
		return 0, nil, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, nil, os.NewSyscallError("bind", err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, nil, os.NewSyscallError("getsockname", err)
	}
	return sa.(*syscall.SockaddrInet4).Port, func() error { return syscall.Close(fd) }, nil
}
