package spoe_test

import (
	"context"
	"crypto/tls"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// starts are the ways to start an agent on the unix socket path, or on its listener ln,
// which is nil if the call listens by itself.
var starts = map[string]struct {
	listens  bool // by itself
	endsWith bool // its context
	start    func(ctx context.Context, a *spoe.Agent, path string, ln net.Listener) error
}{
	"Run":   {false, true, func(ctx context.Context, a *spoe.Agent, _ string, ln net.Listener) error { return a.Run(ctx, ln) }},
	"Serve": {false, false, func(_ context.Context, a *spoe.Agent, _ string, ln net.Listener) error { return a.Serve(ln) }},
	"ListenAndRun": {true, true, func(ctx context.Context, a *spoe.Agent, path string, _ net.Listener) error {
		return a.ListenAndRun(ctx, path)
	}},
	"ListenAndServe": {true, false, func(_ context.Context, a *spoe.Agent, path string, _ net.Listener) error {
		return a.ListenAndServe(path)
	}},
}

// started is an agent that a way of starts has started.
type started struct {
	*spoe.Agent
	path  string
	ln    net.Listener
	end   context.CancelFunc // of its context
	ended chan error
}

// startBy starts an agent; a file's short name fits into a socket address.
func startBy(t *testing.T, how string, a *spoe.Agent) *started {
	t.Helper()
	dir, err := os.MkdirTemp("", "spoke")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &started{Agent: a, path: filepath.Join(dir, "s"), ended: make(chan error, 1)}
	way := starts[how]
	if !way.listens {
		s.ln, err = spoe.Listen(s.path)
		require.NoError(t, err)
	}
	var ctx context.Context
	ctx, s.end = context.WithCancel(t.Context())
	t.Cleanup(s.end)
	go func() { s.ended <- way.start(ctx, a, s.path, s.ln) }() // ends with Close, if not before
	t.Cleanup(func() { a.Close() })
	return s
}

// dial connects as soon as the agent answers.
func (s *started) dial(t *testing.T, d *spoetest.Dialer) (c *spoetest.Client) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		c, err = d.Dial(t.Context(), "unix", s.path)
		return err == nil
	}, eventually, tick)
	t.Cleanup(func() { c.Close() })
	return c
}

// TestEnds: the error depends on the reason for the end, not on the call that started the
// agent.
func TestEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		byContext, byListener bool
		end                   func(s *started)
		want                  error
	}{
		"Shutdown":             {end: func(s *started) { s.Shutdown(context.Background()) }, want: spoe.ErrAgentClosed},
		"Close":                {end: func(s *started) { s.Close() }, want: spoe.ErrAgentClosed},
		"context":              {byContext: true, end: func(s *started) { s.end() }},
		"context, out of time": {byContext: true, end: func(s *started) { s.end() }, want: context.DeadlineExceeded},
		"listener":             {byListener: true, end: func(s *started) { s.ln.Close() }, want: net.ErrClosed},
	} {
		for how, way := range starts {
			if tt.byContext && !way.endsWith || tt.byListener && way.listens {
				continue
			}
			t.Run(name+" of "+how, func(t *testing.T) {
				a := &spoe.Agent{Handler: byName{"hangs": untilOver}, Logger: slog.New(slog.DiscardHandler)}
				hangs := tt.want == context.DeadlineExceeded
				if hangs {
					a.ShutdownTimeout = 10 * time.Millisecond
				}
				s := startBy(t, how, a)
				c := s.dial(t, &spoetest.Dialer{})
				_, err := c.Ask(t.Context(), "m")
				require.NoError(t, err)
				if hangs {
					_, err := c.Notify(t.Context(), spoetest.Msg("hangs"))
					require.NoError(t, err)
					require.Eventually(t, func() bool { return a.Stats().InFlight == 1 }, eventually, tick)
				}
				go tt.end(s)
				_, _ = c.Drain(t.Context()) // with the agent's DISCONNECT, or without
				c.Close()
				err = <-s.ended
				if tt.want == nil {
					assert.NoError(t, err)
				} else {
					assert.ErrorIs(t, err, tt.want)
				}
				assert.Zero(t, a.Stats().Connections)
				assert.NoFileExists(t, s.path, "the listener is closed")
				if !way.listens {
					ln, err := spoe.Listen(s.path)
					require.NoError(t, err)
					s.ln = ln
				}
				assert.ErrorIs(t, way.start(t.Context(), a, s.path, s.ln), spoe.ErrAgentClosed, "an agent is not used again")
				assert.NoFileExists(t, s.path, "nor does its listener stay open")
			})
		}
	}
}

// TestSettingsOfListeners: SocketMode and TLSConfig hold for each way to start an agent.
func TestSettingsOfListeners(t *testing.T) {
	for how := range starts {
		t.Run(how, func(t *testing.T) {
			a := &spoe.Agent{Handler: nothing, SocketMode: 0o640, TLSConfig: certificate(t), Logger: slog.New(slog.DiscardHandler)}
			s := startBy(t, how, a)
			s.dial(t, &spoetest.Dialer{TLS: &tls.Config{InsecureSkipVerify: true}})
			_, err := spoetest.Dial(t.Context(), "unix", s.path)
			assert.Error(t, err, "a plain client is not served")
			info, err := os.Stat(s.path)
			require.NoError(t, err)
			assert.Equal(t, fs.FileMode(0o640), info.Mode().Perm())
		})
	}
}

// A listener that an agent cannot serve is closed.
func TestBadSettingsCloseListeners(t *testing.T) {
	a := &spoe.Agent{Handler: nothing, TLSConfig: &tls.Config{}}
	s := startBy(t, "Run", a)
	assert.ErrorContains(t, <-s.ended, "no certificate")
	assert.NoFileExists(t, s.path)
}

// A connection of a listener of package tls speaks TLS once; another one of the same
// agent is wrapped.
func TestTLSListenersStayAsTheyAre(t *testing.T) {
	a := &spoe.Agent{Handler: nothing, TLSConfig: certificate(t), Logger: slog.New(slog.DiscardHandler)}
	var lns []net.Listener
	for range 2 {
		ln, err := spoe.Listen("127.0.0.1:0")
		require.NoError(t, err)
		lns = append(lns, ln)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(context.Background(), tls.NewListener(lns[0], a.TLSConfig), lns[1]) }() // ends with Close
	for _, ln := range lns {
		c, err := (&spoetest.Dialer{TLS: &tls.Config{InsecureSkipVerify: true}}).Dial(t.Context(), "tcp", ln.Addr().String())
		if assert.NoError(t, err) {
			_, err = c.Ask(t.Context(), "m")
			assert.NoError(t, err)
			c.Close()
		}
	}
	a.Close()
	assert.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
}

// The PROXY header comes before TLS.
func TestAcceptProxyBeforeTLS(t *testing.T) {
	a := &spoe.Agent{
		TLSConfig: certificate(t), AcceptProxy: true, AllowedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Logger: slog.New(slog.DiscardHandler),
		Handler: spoe.HandlerFunc(func(_ context.Context, m *spoe.Message, acts *spoe.Actions) error {
			return acts.SetString(spoe.VarScopeTransaction, "peer", m.Peer().String())
		}),
	}
	nc, _ := dialAgent(t, a)
	_, err := nc.Write([]byte("PROXY TCP4 192.0.2.7 127.0.0.1 4660 9000\r\n"))
	require.NoError(t, err)
	c := spoetest.NewClient(tls.Client(nc, &tls.Config{InsecureSkipVerify: true}), eventually)
	_, err = c.Handshake(t.Context(), spoetest.DefaultHello())
	require.NoError(t, err)
	vars, err := c.Ask(t.Context(), "m")
	require.NoError(t, err)
	assert.Equal(t, "192.0.2.7:4660", vars.Str("txn.peer"))
}

// Several calls of Run share an agent, and its AgentCheckAddr: the end of one is the end of
// all.
func TestSeveralRunsShareAnAgent(t *testing.T) {
	a := &spoe.Agent{Handler: nothing, AgentCheckAddr: freeaddr.Find(t), Logger: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	var ends []chan error
	for i := range 3 {
		ln, err := spoe.Listen("127.0.0.1:0")
		require.NoError(t, err)
		ended := make(chan error, 1)
		ends = append(ends, ended)
		go func() {
			if i == 0 {
				ended <- a.Run(ctx, ln, ln) // one listener twice does no harm
			} else {
				ended <- a.Serve(ln)
			}
		}()
		c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
		require.NoError(t, err)
		c.Close()
	}
	assert.Equal(t, "up ready maxconn:0\n", agentCheck(a.AgentCheckAddr))
	cancel()
	require.Eventually(t, func() bool { return agentCheck(a.AgentCheckAddr) == "drain maxconn:1\n" }, eventually, tick)
	assert.NoError(t, <-ends[0])
	assert.ErrorIs(t, <-ends[1], spoe.ErrAgentClosed)
	assert.ErrorIs(t, <-ends[2], spoe.ErrAgentClosed)
	_, err := net.Dial("tcp", a.AgentCheckAddr)
	assert.Error(t, err, "agent-checks end with the agent")
}
