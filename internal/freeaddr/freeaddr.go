// Package freeaddr finds addresses for programs that tests start, and addresses at which
// nothing listens.
package freeaddr

import (
	"net"
	"strconv"
	"testing"
)

// Find returns a free TCP address of 127.0.0.1. Its port is reserved until the test ends:
// the system gives it to no listener or connection that asks for any port. A listener that
// sets SO_REUSEADDR, as those of Go, HAProxy, Redis and OpenLDAP do, can have it, and have
// it again after a restart.
func Find(tb testing.TB) string {
	tb.Helper()
	port, release, err := reserve()
	if err != nil {
		tb.Fatalf("reserve a port: %v", err)
	}
	tb.Cleanup(func() {
		if err := release(); err != nil {
			tb.Errorf("release port %d: %v", port, err)
		}
	})
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// Port is the port of a free address.
func Port(tb testing.TB) string {
	tb.Helper()
	_, port, _ := net.SplitHostPort(Find(tb))
	return port
}
