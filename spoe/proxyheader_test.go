package spoe_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// proxyV2 is a PROXY header of version 2.
func proxyV2(verCmd, family byte, body ...byte) string {
	h := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), verCmd, family)
	return string(append(binary.BigEndian.AppendUint16(h, uint16(len(body))), body...))
}

// TestAcceptProxy: the peer is the one that the balancer names.
func TestAcceptProxy(t *testing.T) {
	v4 := []byte{192, 0, 2, 7, 127, 0, 0, 1, 0x12, 0x34, 0x23, 0x28}
	v6 := append(append(netip.MustParseAddr("2001:db8::7").AsSlice(), make([]byte, 16)...), 0, 80, 0, 81)
	tlv := []byte{0x04, 0, 3, 'a', 'b', 'c'}
	const own = "own" // the balancer's
	for _, tt := range []struct{ name, header, peer string }{
		{"v1 IPv4", "PROXY TCP4 192.0.2.7 127.0.0.1 4660 9000\r\n", "192.0.2.7:4660"},
		{"v1 IPv6", "PROXY TCP6 2001:db8::7 ::1 80 81\r\n", "[2001:db8::7]:80"},
		{"v1 unknown", "PROXY UNKNOWN\r\n", own},
		{"v1 unknown with more", "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", own},
		{"v1 of 107 bytes", "PROXY UNKNOWN " + strings.Repeat("f", 91) + "\r\n", own},
		{"v2 IPv4", proxyV2(0x21, 0x11, v4...), "192.0.2.7:4660"},
		{"v2 IPv6", proxyV2(0x21, 0x21, v6...), "[2001:db8::7]:80"},
		{"v2 TLVs", proxyV2(0x21, 0x11, append(v4[:12:12], tlv...)...), "192.0.2.7:4660"},
		{"v2 TLVs of 16 KiB", proxyV2(0x21, 0x11, append(v4[:12:12], make([]byte, 16<<10-12)...)...), "192.0.2.7:4660"},
		{"v2 local", proxyV2(0x20, 0x00), own},
		{"v2 local with addresses", proxyV2(0x20, 0x11, v4...), own},
		{"v2 unspecified", proxyV2(0x21, 0x00), own},
		{"v2 unix", proxyV2(0x21, 0x31, make([]byte, 216)...), own},

		{"none", "", ""},
		{"v1 of 108 bytes", "PROXY UNKNOWN " + strings.Repeat("f", 92) + "\r\n", ""},
		{"v1 too long", "PROXY TCP4 " + strings.Repeat("1", 200), ""},
		{"v1 no CR", "PROXY TCP4 192.0.2.7 127.0.0.1 4660 9000\n", ""},
		{"v1 few words", "PROXY TCP4 192.0.2.7\r\n", ""},
		{"v1 no family", "PROXY \r\n\r\n\r\n", ""},
		{"v1 wrong family", "PROXY TCP6 192.0.2.7 127.0.0.1 4660 9000\r\n", ""},
		{"v1 zone", "PROXY TCP6 fe80::1%x ::1 80 81\r\n", ""},
		{"v1 port", "PROXY TCP4 192.0.2.7 127.0.0.1 66000 9000\r\n", ""},
		{"v2 version", proxyV2(0x31, 0x11, v4...), ""},
		{"v2 command", proxyV2(0x22, 0x11, v4...), ""},
		{"v2 short", proxyV2(0x21, 0x11, v4[:11]...), ""},
		{"v2 too long", proxyV2(0x21, 0x11, make([]byte, 16<<10+1)...), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, agent := dialProxied(t, tt.header)
			_, err := c.Handshake(t.Context(), spoetest.DefaultHello())
			if tt.peer == "" {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			vars, err := c.Ask(t.Context(), "peer")
			require.NoError(t, err)
			want := tt.peer
			if want == own {
				want = c.Conn().LocalAddr().String()
			}
			assert.Equal(t, want, vars.Str("txn.peer"))
			assert.Equal(t, want, agent.Connections()[0].Peer.String())
		})
	}
}

// dialProxied starts an agent with AcceptProxy and sends it a header, in pieces.
func dialProxied(t *testing.T, header string) (*spoetest.Client, *spoe.Agent) {
	t.Helper()
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	a := &spoe.Agent{
		AcceptProxy:  true,
		AllowedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Logger:       slog.New(slog.DiscardHandler),
		HelloTimeout: 2 * time.Second,
		Handler: spoe.HandlerFunc(func(_ context.Context, m *spoe.Message, acts *spoe.Actions) error {
			return acts.SetString(spoe.VarScopeTransaction, "peer", m.Peer().String())
		}),
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(context.Background(), ln) }()
	t.Cleanup(func() {
		a.Close()
		assert.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
	})
	nc, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { nc.Close() })
	for header := []byte(header); len(header) > 0; {
		n := min(len(header), 7)
		if len(header) > 200 {
			n = len(header) - 200
		}
		if _, err := nc.Write(header[:n]); err != nil {
			break // refused already
		}
		header = header[n:]
	}
	return spoetest.NewClient(nc, 0), a
}

// A header that does not come is waited for as long as a hello.
func TestProxyHeaderTimeout(t *testing.T) {
	for _, start := range []string{"", "PROXY TCP4 192", proxyV2(0x21, 0x11, make([]byte, 12)...)[:20]} {
		c, _ := dialProxied(t, start)
		_, err := c.Drain(t.Context())
		assert.NoError(t, err, "the agent closes")
	}
}

func TestAcceptProxyWantsAllowedPeers(t *testing.T) {
	a := &spoe.Agent{Handler: nothing, AcceptProxy: true}
	assert.ErrorContains(t, a.ListenAndServe("127.0.0.1:0"), "AllowedPeers")
}

// Shutdown counts failed health checks of each HAProxy, not of the balancer before them.
func TestHealthChecksBehindABalancer(t *testing.T) {
	a := &spoe.Agent{Handler: nothing, AcceptProxy: true, AllowedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Logger: slog.New(slog.DiscardHandler)}
	first, _ := dialAgent(t, a)
	second, err := net.Dial("tcp", first.RemoteAddr().String())
	require.NoError(t, err)
	defer second.Close()
	for nc, source := range map[net.Conn]string{first: "192.0.2.7", second: "192.0.2.8"} {
		_, err := nc.Write([]byte("PROXY TCP4 " + source + " 127.0.0.1 4660 9000\r\n"))
		require.NoError(t, err)
		_, err = spoetest.NewClient(nc, eventually).HealthCheck(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, 3, a.NoteCheck(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 9)}))
}
