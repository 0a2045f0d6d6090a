package spoe_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

var nothing = spoe.HandlerFunc(func(context.Context, *spoe.Message, *spoe.Actions) error { return nil })

func TestBadConfiguration(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	both := spoe.New(func(*spoe.MessageIterator) ([]spoe.Action, error) { return nil, nil })
	both.Handler = nothing
	for _, tt := range []struct {
		name  string
		agent *spoe.Agent
		addr  string
		want  string
	}{
		{"no handler", &spoe.Agent{}, "127.0.0.1:0", "spoe: the agent has no handler: set Agent.Handler"},
		{"negative timeout", &spoe.Agent{Handler: nothing, ReadTimeout: -1}, "127.0.0.1:0", "spoe: Agent.ReadTimeout is -1ns; it must not be negative (0 means 10s)"},
		{"negative limit", &spoe.Agent{Handler: nothing, MaxInFlight: -5}, "127.0.0.1:0", "spoe: Agent.MaxInFlight is -5; it must not be negative (0 means 256)"},
		{"frame size", &spoe.Agent{Handler: nothing, MaxFrameSize: 255}, "127.0.0.1:0", "spoe: Agent.MaxFrameSize is 255; SPOP has no less than 256 bytes"},
		{"TLS without certificate", &spoe.Agent{Handler: nothing, TLSConfig: &tls.Config{}}, "127.0.0.1:0", "spoe: Agent.TLSConfig has no certificate: see spoe.LoadTLS"},
		{"certificate without key", &spoe.Agent{Handler: nothing, TLSConfig: &tls.Config{Certificates: make([]tls.Certificate, 1)}}, "127.0.0.1:0", "spoe: certificate 0 of Agent.TLSConfig has no private key: see spoe.LoadTLS"},
		{"address in use", &spoe.Agent{Handler: nothing}, busy.Addr().String(), "spoe: cannot listen on " + busy.Addr().String() + ": another process does; stop it or choose another address"},
		{"two handlers", both, "127.0.0.1:0", "spoe: the agent has the function of spoe.New and a Handler; set one of them"},
		{"no network", &spoe.Agent{Handler: nothing, AllowedPeers: make([]netip.Prefix, 1)}, "127.0.0.1:0", "spoe: Agent.AllowedPeers has invalid Prefix, which no peer is in; write networks as 192.0.2.0/24 or 2001:db8::/32"},
		{"mapped network", &spoe.Agent{Handler: nothing, AllowedPeers: []netip.Prefix{netip.MustParsePrefix("::ffff:192.0.2.0/120")}}, "127.0.0.1:0", "spoe: Agent.AllowedPeers has ::ffff:192.0.2.0/120, which no peer is in"},
		{"no address", &spoe.Agent{Handler: nothing}, "9000", `spoe: address "9000": the port is missing; write host:port`},
		{"no path", &spoe.Agent{Handler: nothing}, "unix:", `spoe: address "unix:" has no path; write unix:/path or unix:@name`},
		{"no descriptor", &spoe.Agent{Handler: nothing}, "fd:x", `spoe: address "fd:x": "x" is no file descriptor; write fd:3`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.agent.ListenAndServe(tt.addr)
			assert.ErrorContains(t, err, tt.want)
		})
	}
	assert.ErrorContains(t, (&spoe.Agent{Handler: nothing}).Run(t.Context()), "spoe: Run without a listener")
	assert.ErrorContains(t, spoe.ListenAndServe(t.Context(), "127.0.0.1:0", nil), "no handler")
}

// buffered is a handler that asks for a buffer.
type buffered int

func (b buffered) LargestBuffer() (bytes int, message string) { return int(b), "large" }

func (buffered) ServeSPOE(context.Context, *spoe.Message, *spoe.Actions) error { return nil }

// TestLargestBuffer: an agent says at its start that it agrees to smaller frames than its
// handler asks for.
func TestLargestBuffer(t *testing.T) {
	for _, tt := range []struct{ buffer, frame, needed int }{
		{0, 256, 0},
		{65536, 65532, 0},
		{65536, 65531, 65532},
		{1<<20 + 4, 0, 0},
		{1<<20 + 5, 0, 1<<20 + 1},
	} {
		var log bytes.Buffer
		a := &spoe.Agent{Handler: buffered(tt.buffer), MaxFrameSize: tt.frame, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // the agent ends as soon as it has started
		require.NoError(t, a.ListenAndRun(ctx, "127.0.0.1:0"))
		if tt.needed == 0 {
			assert.NotContains(t, log.String(), "larger buffer", tt)
			continue
		}
		assert.Contains(t, log.String(), fmt.Sprintf("message=large buffer=%d", tt.buffer), tt)
		assert.Contains(t, log.String(), fmt.Sprintf(" needed=%d\n", tt.needed), tt)
	}
}

func TestLoadTLS(t *testing.T) {
	for _, tt := range []struct{ name, cert, key, ca, want string }{
		{"no certificate", "", "", "", "spoe: TLS without a certificate: name its PEM file"},
		{"no key", "c.pem", "", "", "spoe: TLS certificate c.pem without its key: name the key's PEM file"},
		{"no file", "missing.pem", "missing.key", "", "spoe: TLS certificate missing.pem with key missing.key: open missing.pem: no such file or directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := spoe.LoadTLS(tt.cert, tt.key, tt.ca)
			assert.EqualError(t, err, tt.want)
		})
	}
}

func TestAgentIsNotUsedAgain(t *testing.T) {
	a := &spoe.Agent{Handler: nothing}
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ln) }()
	require.Eventually(t, func() bool {
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err == nil {
			nc.Close()
		}
		return err == nil
	}, eventually, tick)
	require.NoError(t, a.Shutdown(t.Context()))
	assert.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
	assert.ErrorIs(t, a.ListenAndServe("127.0.0.1:0"), spoe.ErrAgentClosed)
	assert.NoError(t, a.Shutdown(t.Context()), "a second Shutdown finds it ended")
	assert.NoError(t, a.Close())
}
