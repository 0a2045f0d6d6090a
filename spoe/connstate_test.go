package spoe_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// stateLog is an Agent.ConnState that remembers the states of each connection.
type stateLog struct {
	mu     sync.Mutex // guards states
	states map[net.Conn][]spoe.ConnState
}

func (l *stateLog) note(nc net.Conn, s spoe.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.states == nil {
		l.states = make(map[net.Conn][]spoe.ConnState)
	}
	l.states[nc] = append(l.states[nc], s)
}

// only returns the states of the one connection.
func (l *stateLog) only(t *testing.T) []spoe.ConnState {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Len(t, l.states, 1)
	for _, s := range l.states {
		return s
	}
	return nil
}

// TestConnStates: the states of a connection, whichever way it ends.
func TestConnStates(t *testing.T) {
	const new, ready, closing, closed = spoe.StateNew, spoe.StateReady, spoe.StateClosing, spoe.StateClosed
	greet := func(t *testing.T, c *spoetest.Client) {
		_, err := c.Handshake(t.Context(), spoetest.DefaultHello())
		require.NoError(t, err)
	}
	hello := spoetest.DefaultHello()
	type step = func(t *testing.T, a *spoe.Agent, c *spoetest.Client)
	for name, tt := range map[string]struct {
		change func(*spoe.Agent)
		do     step
		want   []spoe.ConnState
	}{
		"closed before the hello": {nil, func(_ *testing.T, _ *spoe.Agent, c *spoetest.Client) { c.Close() }, []spoe.ConnState{new, closed}},
		"reset before the hello":  {nil, func(_ *testing.T, _ *spoe.Agent, c *spoetest.Client) { _ = c.Reset() }, []spoe.ConnState{new, closed}},
		"no SPOP": {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) {
			require.NoError(t, c.Write(t.Context(), []byte("GET / HTTP/1.1\r\n\r\n")))
		}, []spoe.ConnState{new, closing, closed}},
		"no hello":                    {nil, func(*testing.T, *spoe.Agent, *spoetest.Client) { time.Sleep(11 * time.Second) }, []spoe.ConnState{new, closing, closed}},
		"no hello until the shutdown": {nil, func(_ *testing.T, a *spoe.Agent, _ *spoetest.Client) { <-shutdown(a, time.Minute) }, []spoe.ConnState{new, closed}},
		"no hello until Close":        {nil, func(_ *testing.T, a *spoe.Agent, _ *spoetest.Client) { a.Close() }, []spoe.ConnState{new, closed}},
		"late hello": {nil, func(t *testing.T, a *spoe.Agent, c *spoetest.Client) {
			time.Sleep(10*time.Second + time.Millisecond)
			require.NoError(t, c.WriteFrames(t.Context(), spoetest.HelloFrame(hello.Append(nil))))
			synctest.Wait()
			require.Len(t, a.Connections(), 1)
			assert.Equal(t, "closing", a.Connections()[0].Phase, "a phase only grows")
		}, []spoe.ConnState{new, closing, closed}},
		"hello without a version": {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) {
			_, err := c.Handshake(t.Context(), spoetest.Hello{MaxFrameSize: 16380})
			require.Error(t, err)
		}, []spoe.ConnState{new, closing, closed}},
		"peer not allowed": {func(a *spoe.Agent) { a.AllowedPeers = []netip.Prefix{} }, func(*testing.T, *spoe.Agent, *spoetest.Client) {}, nil},
		"health check": {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) {
			_, err := c.HealthCheck(t.Context())
			require.NoError(t, err)
		}, []spoe.ConnState{new, closing, closed}},
		"closed":     {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) { greet(t, c); c.Close() }, []spoe.ConnState{new, ready, closed}},
		"half-close": {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) { greet(t, c); _ = c.CloseWrite() }, []spoe.ConnState{new, ready, closed}},
		"reset":      {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) { greet(t, c); _ = c.Reset() }, []spoe.ConnState{new, ready, closed}},
		"HAPROXY-DISCONNECT": {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) {
			greet(t, c)
			_, err := c.Disconnect(t.Context(), codec.StatusNormal, "")
			require.NoError(t, err)
		}, []spoe.ConnState{new, ready, closing, closed}},
		"malformed frame": {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) {
			greet(t, c)
			require.NoError(t, c.Write(t.Context(), []byte{0, 0, 0, 1, 0}))
		}, []spoe.ConnState{new, ready, closing, closed}},
		"half a frame": {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) {
			greet(t, c)
			require.NoError(t, c.Write(t.Context(), []byte{0, 0, 0, 100, 3}))
			time.Sleep(11 * time.Second)
		}, []spoe.ConnState{new, ready, closing, closed}},
		"idle": {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) { greet(t, c); time.Sleep(11 * time.Minute) }, []spoe.ConnState{new, ready, closing, closed}},
		"old": {func(a *spoe.Agent) { a.MaxConnectionAge = time.Minute }, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) {
			greet(t, c)
			time.Sleep(2 * time.Minute)
		}, []spoe.ConnState{new, ready, closing, closed}},
		"ACKs not read": {nil, func(t *testing.T, _ *spoe.Agent, c *spoetest.Client) {
			greet(t, c)
			for range 8 {
				_, err := c.Notify(t.Context(), spoetest.Msg("large"))
				require.NoError(t, err)
			}
			time.Sleep(11 * time.Second)
		}, []spoe.ConnState{new, ready, closed}},
		"shutdown": {nil, func(t *testing.T, a *spoe.Agent, c *spoetest.Client) {
			greet(t, c)
			<-shutdown(a, time.Minute)
		}, []spoe.ConnState{new, ready, closing, closed}},
		"shutdown out of time": {nil, func(t *testing.T, a *spoe.Agent, c *spoetest.Client) {
			greet(t, c)
			_, err := c.Notify(t.Context(), spoetest.Msg("hangs"))
			require.NoError(t, err)
			<-shutdown(a, time.Second)
		}, []spoe.ConnState{new, ready, closed}},
		"Close": {nil, func(t *testing.T, a *spoe.Agent, c *spoetest.Client) { greet(t, c); a.Close() }, []spoe.ConnState{new, ready, closed}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log stateLog
				a := &spoe.Agent{ConnState: log.note, Logger: slog.New(slog.DiscardHandler), Handler: byName{
					"hangs": untilOver,
					"large": func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
						return acts.SetString(spoe.VarScopeTransaction, "a", string(make([]byte, 16_000)))
					},
				}}
				if tt.change != nil {
					tt.change(a)
				}
				ln := spoetest.NewListener()
				ended := make(chan error, 1)
				go func() { ended <- a.Serve(ln) }() // ends with Close
				nc, err := ln.DialContext(t.Context())
				require.NoError(t, err)
				c := spoetest.NewClient(nc, time.Hour)
				tt.do(t, a, c)
				time.Sleep(2 * time.Second) // until the agent waits for HAProxy's close no longer
				assert.Zero(t, a.Stats().Connections, "the connection ended by itself")
				c.Close()
				a.Close()
				<-ended
				if tt.want == nil {
					assert.Empty(t, log.states)
					return
				}
				assert.Equal(t, tt.want, log.only(t))
			})
		})
	}
}

// A connection that begins with neither TLS nor the PROXY header that the agent expects
// goes from StateNew to StateClosed.
func TestConnStatesWithoutHandshake(t *testing.T) {
	for name, a := range map[string]*spoe.Agent{
		"TLS":   {TLSConfig: certificate(t)},
		"PROXY": {AcceptProxy: true, AllowedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	} {
		t.Run(name, func(t *testing.T) {
			var log stateLog
			a.Handler, a.ConnState, a.Logger = nothing, log.note, slog.New(slog.DiscardHandler)
			nc, end := dialAgent(t, a)
			_, err := nc.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, nc) // the agent closes, with a reset or without
			end()
			assert.Equal(t, []spoe.ConnState{spoe.StateNew, spoe.StateClosed}, log.only(t))
		})
	}
}
