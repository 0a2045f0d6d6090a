// Package freeaddr finds addresses for programs that tests start.
package freeaddr

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Find returns a free TCP address of 127.0.0.1. Its port is none that the system gives to
// connections, so a program can end and listen on it again.
func Find(tb testing.TB) string {
	tb.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := ln.Close(); err != nil {
			tb.Fatal(err)
		}
		return addr
	}
	tb.Fatal("no free port")
	return ""
}
