package spoe_test

import (
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// A connection waits on a small stack from its hello on, and once it was quiet for
// some seconds; it answers each time.
func TestQuietConnectionsRest(t *testing.T) {
	const patience = 30 * time.Second
	a := &spoe.Agent{Handler: byName{"m": set("v", 1)}, Logger: slog.New(slog.DiscardHandler)}
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- a.Serve(ln) }()
	defer func() {
		a.Close()
		<-served
	}()
	c, err := (&spoetest.Dialer{Timeout: patience}).Dial(t.Context(), "tcp", ln.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	rests := func() bool {
		stacks := make([]byte, 1<<20)
		return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "spoe.(*conn).rest(")
	}
	asks := func() {
		t.Helper()
		vars, err := c.Ask(t.Context(), "m")
		require.NoError(t, err)
		assert.EqualValues(t, 1, vars.Int("txn.v"))
	}
	require.Eventually(t, rests, patience, tick, "after the hello")
	asks() // long or not, by what else the machine does
	require.Eventually(t, rests, patience, tick, "after a NOTIFY")
	time.Sleep(1100 * time.Millisecond)
	frame := spoetest.NotifyFrame(spoetest.ID{Stream: 8, Frame: 1}, mustPayload(t, "m"))
	b := codec.AppendFrame(nil, frame)
	_, err = c.Conn().Write(b[:len(b)-1]) // ends the rest, and is no whole frame
	require.NoError(t, err)
	require.Eventually(t, func() bool { return !rests() }, patience, tick, "part of a frame is waited for by the reader")
	_, err = c.Conn().Write(b[len(b)-1:])
	require.NoError(t, err)
	_, err = c.Ack(t.Context(), spoetest.ID{Stream: 8, Frame: 1})
	require.NoError(t, err)
	asks()
	require.Eventually(t, rests, patience, tick, "after a while")
	asks()
}

func mustPayload(t *testing.T, name string) []byte {
	t.Helper()
	b, err := spoetest.Payload(spoetest.Msg(name))
	require.NoError(t, err)
	return b
}
