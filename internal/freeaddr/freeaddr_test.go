package freeaddr_test

import (
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/freeaddr"
)

func TestFind(t *testing.T) {
	addr := freeaddr.Find(t)
	_, err := net.Dial("tcp", addr)
	assert.ErrorIs(t, err, syscall.ECONNREFUSED, "nothing listens")
	for range 2 { // again after a restart
		ln, err := net.Listen("tcp", addr)
		require.NoError(t, err)
		nc, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		peer, err := ln.Accept()
		require.NoError(t, err)
		_, err = net.Listen("tcp", addr)
		assert.ErrorIs(t, err, syscall.EADDRINUSE, "one listens at a time")
		ln.Close()
		peer.Close()
		nc.Close()
	}
}

// A reserved port is not given to a listener that asks for any. Of the some 28,000 ports
// of the system, so many are reserved and asked for that chance would repeat one.
func TestReserved(t *testing.T) {
	reserved := map[string]bool{}
	for range 200 {
		addr := freeaddr.Find(t)
		require.False(t, reserved[addr])
		reserved[addr] = true
	}
	var others []net.Listener
	defer func() {
		for _, ln := range others {
			ln.Close()
		}
	}()
	for range 400 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		others = append(others, ln)
		require.False(t, reserved[ln.Addr().String()])
	}
}
