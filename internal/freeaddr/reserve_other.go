//go:build !linux

package freeaddr

import "net"

// reserve finds a port that is free now; another process may take it.
func reserve() (port int, release func() error, err error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, err
	}
	defer lis.Close()
	return lis.Addr().(*net.TCPAddr).Port, func() error { return nil }, nil
}
