//go:build !linux

package spoe

import (
	"net"
	"syscall"
)

// writer writes to a connection; see rawio_linux.go for what there is more of it.
type writer struct{}

func (*writer) init(syscall.RawConn) {}

func (*writer) write(nc net.Conn, b []byte) error {
	_, err := nc.Write(b)
	return err
}

type preemption struct{}

func (*preemption) init() {}

func (*preemption) touch() {}
