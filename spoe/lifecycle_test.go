package spoe_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// A context that is over has a closed Done: also when its parent has ended.
func TestContextDoneBeforeErr(t *testing.T) {
	var open int
	for range 50 {
		started, ended := make(chan struct{}), make(chan struct{})
		h := spoetest.NewAgent(t, &spoe.Agent{Logger: slog.New(slog.DiscardHandler), Handler: spoe.HandlerFunc(func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
			done := ctx.Done()
			close(started)
			for ctx.Err() == nil {
				runtime.Gosched()
			}
			select {
			case <-done:
			default:
				open++
			}
			close(ended)
			return nil
		})})
		_, err := h.Notify(t.Context(), spoetest.Msg("m"))
		require.NoError(t, err)
		<-started // Close drops messages that have not reached their handler
		h.Agent().Close()
		<-ended
	}
	assert.Zero(t, open, "of 50 contexts")
}

// The end of a connection that comes together with its last NOTIFY ends the
// handler's context, too.
func TestEndBehindNotify(t *testing.T) {
	ended := make(chan struct{})
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	handler := spoe.HandlerFunc(func(ctx context.Context, _ *spoe.Message, _ *spoe.Actions) error {
		<-ctx.Done()
		ended <- struct{}{}
		return nil
	})
	a := &spoe.Agent{ // no timeout finds the end
		Handler: handler, Logger: slog.New(slog.DiscardHandler),
		ReadTimeout: time.Hour, WriteTimeout: time.Hour, NotifyTimeout: time.Hour,
	}
	ctx, cancel := context.WithCancel(t.Context())
	run := make(chan error, 1)
	go func() { run <- a.Run(ctx, ln) }()
	const conns = 64
	for range conns {
		c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
		require.NoError(t, err)
		_, err = c.Notify(t.Context(), spoetest.Msg("m"))
		require.NoError(t, err)
		c.Close()
	}
	late := time.After(eventually)
	for i := range conns {
		select {
		case <-ended:
		case <-late:
			t.Fatalf("%d of %d handlers wait for the end of their connections", conns-i, conns)
		}
	}
	cancel()
	assert.NoError(t, <-run)
}

// A fragmented payload that stops coming ends its connection; it keeps neither
// memory nor Shutdown.
func TestUnfinishedPayloadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.NewAgent(t, &spoe.Agent{Handler: nothing})
		c := h.Dial(appletHello())
		payload, err := spoetest.Payload(spoetest.Msg("m", spoetest.Arg("a", make([]byte, 1<<20))))
		require.NoError(t, err)
		parts := spoetest.Fragments(spoetest.ID{Stream: 1, Frame: 1}, payload, 16000)
		require.NoError(t, c.WriteFrames(t.Context(), parts[:len(parts)-1]...))
		synctest.Wait()
		held := 0
		for _, info := range h.Agent().Connections() {
			held += info.Buffered
		}
		assert.Greater(t, held, 1<<19)
		time.Sleep(11 * time.Second)
		d, err := c.ReadDisconnect(t.Context())
		assert.NoError(t, err)
		assert.Equal(t, codec.StatusTimeout, d.Status)
		took := shutdown(h.Agent(), time.Minute)
		assert.Less(t, <-took, 5*time.Second)
	})
}

// ABORTs wait for the same bound as ACKs if HAProxy does not read them.
func TestAbortsWaitForTheirReader(t *testing.T) {
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	a := &spoe.Agent{Handler: nothing, MaxPayload: 1, Logger: slog.New(slog.DiscardHandler), WriteTimeout: 3 * time.Second}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, ln) }()
	c, err := (&spoetest.Dialer{}).Connect(t.Context(), "tcp", ln.Addr().String())
	require.NoError(t, err)
	require.NoError(t, c.Conn().(*net.TCPConn).SetReadBuffer(4096)) // the system keeps less
	_, err = c.Handshake(t.Context(), appletHello())
	require.NoError(t, err)
	var frames []byte
	for i := range uint64(100_000) {
		frames = codec.AppendFrame(frames, codec.Frame{Type: codec.FrameNotify, StreamID: i, FrameID: 1, Payload: []byte{1, 'm', 0}})
		frames = codec.AppendFrame(frames, codec.Frame{Type: codec.FrameUnset, Flags: codec.FlagFIN, StreamID: i, FrameID: 1})
	}
	sent := 0
	for range 40 {
		c.Conn().SetWriteDeadline(time.Now().Add(5 * time.Second))
		n, err := c.Conn().Write(frames)
		if sent += n; err != nil {
			break
		}
	}
	assert.Less(t, sent, 40*len(frames), "the agent has stopped reading")
	c.Close()
	cancel()
	assert.NoError(t, <-ended)
}

// With a small budget everything is answered, one after the other.
func TestBufferedBytesAreBounded(t *testing.T) {
	const most = 1 << 20
	a := &spoe.Agent{MaxBuffered: most, Handler: byName{"m": sleeper(time.Millisecond)}}
	h := spoetest.NewAgent(t, a)
	hello := spoetest.DefaultHello()
	hello.MaxFrameSize = 1 << 20
	var clients []*spoetest.Client
	for range 4 {
		clients = append(clients, h.Dial(hello))
	}
	const each = 20
	big := spoetest.Msg("m", spoetest.Arg("a", make([]byte, 200<<10)))
	for _, c := range clients {
		go func() { // ends when the agent has read all
			for range each {
				_, _ = c.Notify(t.Context(), big)
			}
		}()
	}
	stop := make(chan struct{})
	highest := make(chan int)
	go func() {
		n := 0
		for {
			n = max(n, a.Taken())
			select {
			case <-stop:
				highest <- n
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	for _, c := range clients {
		for range each {
			_, err := c.AnyAck(t.Context())
			require.NoError(t, err)
		}
	}
	close(stop)
	assert.LessOrEqual(t, <-highest, 2*most)
	assert.Eventually(t, func() bool { return held(a) == 0 && a.Taken() == 0 }, eventually, tick, "all of it is given back")
}

func TestTooManyMessages(t *testing.T) {
	h := spoetest.NewAgent(t, &spoe.Agent{MaxMessages: 3, Handler: nothing, Logger: slog.New(slog.DiscardHandler)})
	m := spoetest.Msg("m")
	h.AskAll(m, m, m)
	_, err := h.Notify(t.Context(), m, m, m, m)
	require.NoError(t, err)
	d, err := h.ReadDisconnect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, codec.StatusNoResource, d.Status)
}

// An address that the agent cannot read, and an empty list, are refused.
func TestAllowedPeersRefuses(t *testing.T) {
	for name, peers := range map[string][]netip.Prefix{"no IP address": {netip.MustParsePrefix("0.0.0.0/0")}, "empty": {}} {
		ln := spoetest.NewListener()
		a := &spoe.Agent{Handler: nothing, AllowedPeers: peers, Logger: slog.New(slog.DiscardHandler)}
		ended := make(chan error, 1)
		go func() { ended <- a.Serve(ln) }()
		nc, err := ln.DialContext(t.Context())
		require.NoError(t, err)
		_, err = nc.Read(make([]byte, 1))
		assert.Error(t, err, name)
		assert.EqualValues(t, 1, a.Stats().ConnectionsRefused, name)
		a.Close()
		<-ended
	}
}

// TLSConfig holds for a listener that Run is given, too.
func TestRunSpeaksTLS(t *testing.T) {
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	a := &spoe.Agent{Handler: nothing, Logger: slog.New(slog.DiscardHandler), TLSConfig: &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") },
	}}
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }()
	_, err = spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
	assert.Error(t, err, "a plain client is not served")
	a.Close()
	<-ended
}

// flaky fails its first Accept with an error that calls itself temporary.
type flaky struct {
	net.Listener
	failed bool
}

type temporary struct{ error }

func (temporary) Temporary() bool { return true }

func (f *flaky) Accept() (net.Conn, error) {
	if !f.failed {
		f.failed = true
		return nil, temporary{errors.New("for a moment")}
	}
	return f.Listener.Accept()
}

func TestTemporaryAcceptErrors(t *testing.T) {
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	log := new(lockedbuffer.Buffer)
	a := &spoe.Agent{Handler: nothing, Logger: slog.New(slog.NewTextHandler(log, nil))}
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(&flaky{Listener: ln}) }()
	c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
	require.NoError(t, err)
	c.Close()
	a.Close()
	<-ended
	assert.Contains(t, log.String(), "for a moment", "the error is logged")
}

// A handler that overwrites its Actions loses its own, not those before it.
func TestActionsOverwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := spoetest.New(t, byName{
			"first": set("first", 1),
			"overwrites": func(_ context.Context, msg *spoe.Message, acts *spoe.Actions) error {
				msg.OnFailure(func(_ error, acts *spoe.Actions) {
					*acts = spoe.Actions{}
					panic("and panics")
				})
				*acts = spoe.Actions{}
				return errors.New("failing")
			},
			"replaces": func(_ context.Context, _ *spoe.Message, acts *spoe.Actions) error {
				*acts = spoe.Actions{}
				return acts.SetInt(spoe.VarScopeTransaction, "second", 2)
			},
		})
		got := h.AskAll(spoetest.Msg("first"), spoetest.Msg("overwrites"), spoetest.Msg("replaces"))
		assert.Equal(t, "txn.first=1 txn.second=2", got.String())
	})
}

// agentCheck asks as HAProxy does, and returns "" where no agent answers.
func agentCheck(addr string) string {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return ""
	}
	defer nc.Close()
	b, _ := io.ReadAll(nc)
	return string(b)
}

// HAProxy's agent-check reads ready, and drain from the beginning of Shutdown on,
// which replaces waiting for failed health checks.
func TestAgentCheck(t *testing.T) {
	addr := freeaddr.Find(t)
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	a := &spoe.Agent{Handler: nothing, AgentCheckAddr: addr, Logger: slog.New(slog.DiscardHandler)}
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }()
	check := func() string { return agentCheck(addr) }
	require.Eventually(t, func() bool { return check() == "up ready maxconn:0\n" }, eventually, tick)
	const limit = 2 * time.Hour // Shutdown would wait for half of it
	took := shutdown(a, limit)
	require.Eventually(t, func() bool { return check() == "drain maxconn:1\n" }, eventually, tick)
	assert.Positive(t, <-took)
	assert.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
}

// Shutdown waits for Agent.Drain. Until it returns, a HAProxy that asks at AgentCheckAddr
// reads drain and sees its health checks succeed, so that it brings later messages.
func TestDrain(t *testing.T) {
	addr := freeaddr.Find(t)
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	var once sync.Once
	draining, drained := make(chan struct{}), make(chan struct{})
	a := &spoe.Agent{Handler: byName{"m": set("x", 1)}, AgentCheckAddr: addr, Logger: slog.New(slog.DiscardHandler), Drain: func(ctx context.Context) {
		once.Do(func() { close(draining) })
		select {
		case <-drained:
		case <-ctx.Done():
		}
	}}
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }() // ends with Shutdown
	dial := func() *spoetest.Client {
		c, err := spoetest.Dial(t.Context(), "tcp", ln.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	check := func() string { return agentCheck(addr) }
	healthy := func() error {
		_, err := spoetest.HealthCheck(t.Context(), "tcp", ln.Addr().String())
		return err
	}
	require.Eventually(t, func() bool { return check() == "up ready maxconn:0\n" }, eventually, tick)
	took := shutdown(a, time.Minute)
	require.Eventually(t, func() bool { return check() == "drain\n" }, eventually, tick)
	<-draining
	for range 5 { // more than ShutdownChecks
		assert.NoError(t, healthy())
	}
	vars, err := dial().Ask(t.Context(), "m")
	assert.NoError(t, err, "even on a new connection")
	assert.EqualValues(t, 1, vars.Int("txn.x"))
	close(drained)
	assert.Positive(t, <-took, "a clean end")
	assert.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
}
