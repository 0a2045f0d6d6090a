package spoe

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
)

// insideNothing is a handler without an effect.
var insideNothing = HandlerFunc(func(context.Context, *Message, *Actions) error { return nil })

// insideConn returns an open connection of a whose reader does not run: a test calls the
// reader's methods itself. HAProxy's side is peer.
func insideConn(t *testing.T, a *Agent) (c *conn, peer net.Conn) {
	t.Helper()
	peer, nc := net.Pipe()
	return insideConnOn(t, a, nc), peer
}

// insideConnOn is insideConn on a connection of the test's.
func insideConnOn(t *testing.T, a *Agent, nc net.Conn) *conn {
	t.Helper()
	if a.Handler == nil && a.notify == nil {
		a.Handler = insideNothing
	}
	if a.Logger == nil {
		a.Logger = slog.New(slog.DiscardHandler)
	}
	require.NoError(t, a.init())
	c := newConn(a, new(errgroup.Group), nc)
	require.True(t, a.shared.addConn(c))
	c.mu.Lock()
	c.setPhaseLocked(open)
	c.mu.Unlock()
	t.Cleanup(func() {
		c.clock.stop()
		nc.Close()
	})
	return c
}

// sockets returns the two ends of a TCP connection.
func sockets(t *testing.T) (haproxy, agent *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	other, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		nc.Close()
		other.Close()
	})
	return nc.(*net.TCPConn), other.(*net.TCPConn)
}

// insidePayload is the payload of a NOTIFY with one message and one argument, n bytes long.
func insidePayload(n int) []byte {
	b := []byte("\x01m\x01\x01a")
	for size := n; ; size-- {
		p := codec.AppendValue(append([]byte(nil), b...), codec.Binary(make([]byte, size)))
		if len(p) <= n {
			return p
		}
	}
}

// discard is a connection whose writes go nowhere.
type discard struct{ net.Conn }

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// logged makes c log into memory, at level DEBUG; the function returns the lines.
func logged(c *conn) func() string {
	log := new(lockedbuffer.Buffer)
	c.agent.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return func() string {
		c.shared.logs.Wait(30 * time.Second)
		return log.String()
	}
}
