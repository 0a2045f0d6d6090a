// Package freeaddr finds addresses for programs that tests start, and addresses at which
// no program listens.
package freeaddr

import (
	"fmt"
	"net"
	"strconv"
	"testing"
)

// Reserve returns a free TCP address of 127.0.0.1. Its port is reserved until release: the
// system gives it to no listener or connection that asks for any port. A listener that
// sets SO_REUSEADDR, as those of Go, HAProxy, Redis and OpenLDAP do, can have it, and have
// it again after a restart.
func Reserve() (addr string, release func() error, err error) {
	port, release, err := reserve()
	if err != nil {
		return "", nil, fmt.Errorf("reserve a port: %w", err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), release, nil
}

// Find is Reserve until the test ends.
func Find(tb testing.TB) string {
	tb.Helper()
	addr, release, err := Reserve()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := release(); err != nil {
			tb.Errorf("release %s: %v", addr, err)
		}
	})
	return addr
}

// Port is the port of a free address.
func Port(tb testing.TB) string {
	tb.Helper()
	_, port, _ := net.SplitHostPort(Find(tb))
	return port
}
