package spoe

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// A connection that Close ends before its reader has begun tells ConnState StateNew first.
func TestStatesBeginWithNew(t *testing.T) {
	states := make(chan ConnState, 4)
	a := &Agent{
		Handler:   HandlerFunc(func(context.Context, *Message, *Actions) error { return nil }),
		Logger:    slog.New(slog.DiscardHandler),
		ConnState: func(_ net.Conn, s ConnState) { states <- s },
	}
	require.NoError(t, a.init())
	haproxy, nc := net.Pipe()
	defer haproxy.Close()
	c := newConn(a, new(errgroup.Group), nc)
	require.True(t, a.shared.addConn(c))
	require.NoError(t, a.Close())
	c.serve()
	assert.Equal(t, StateNew, <-states)
	assert.Equal(t, StateClosed, <-states)
}
