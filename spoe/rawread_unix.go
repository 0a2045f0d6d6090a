//go:build unix && !linux

package spoe

import "syscall"

func rawRead(fd uintptr, b []byte) (int, error) { return syscall.Read(int(fd), b) }
