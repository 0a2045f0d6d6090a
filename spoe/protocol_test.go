package spoe_test

import (
	"io"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// warning sends bytes to an agent and returns its one line of level WARN.
func warning(t *testing.T, a *spoe.Agent, bytes string) string {
	t.Helper()
	log := new(lockedbuffer.Buffer)
	a.Handler, a.Logger = nothing, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	nc, end := dialAgent(t, a)
	_, err := nc.Write([]byte(bytes))
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, nc) // the agent closes, with a reset or without
	end()
	assert.Equal(t, 1, strings.Count(log.String(), "\n"), "%q: %s", bytes, log)
	return log.String()
}

// inLog quotes text as slog's TextHandler does.
func inLog(text string) string { return strings.Trim(strconv.Quote(text), `"`) }

// The first bytes of another protocol are named, also if only some of them have come.
func TestOtherProtocolsAreNamed(t *testing.T) {
	const v1, v2, http = "not SPOP but a PROXY protocol header (version 1): set Agent.AcceptProxy", "not SPOP but a PROXY protocol header (version 2): set Agent.AcceptProxy", "not SPOP but an HTTP request: "
	for bytes, want := range map[string]string{
		"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n": v1,
		"PROX":                                   v1,
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c": v2,
		"\r\n\r\n":                               v2,
		"\x16\x03\x01\x02\x00\x01\x00":           "not SPOP but a TLS ClientHello",
		"OPTIONS / HTTP/1.0\r\n\r\n":             "not SPOP but an HTTP request, as option httpchk sends it",
		"OPTI":                                   "not SPOP but an HTTP request, as option httpchk sends it",
		"GET / HTTP/1.1\r\n\r\n":                 http,
		"HEAD / HTTP/1.1\r\n\r\n":                http,
		"POST / HTTP/1.1\r\n\r\n":                http,
		"PUT / HTTP/1.1\r\n\r\n":                 http,
		"PATCH / HTTP/1.1\r\n\r\n":               http,
		"DELETE / HTTP/1.1\r\n\r\n":              http,
		"CONNECT a:80 HTTP/1.1\r\n\r\n":          http,
		"TRACE / HTTP/1.1\r\n\r\n":               http,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":       "not SPOP but an HTTP/2 request", // as gRPC begins
		"SSH-2.0-OpenSSH_9.2\r\n":                "not SPOP but an SSH client",
		"\x7f\x00\x00\x00abc":                    `the first frame announces 2130706432 bytes; a HAPROXY-HELLO has at most 16384; the connection begins with "\x7f\x00\x00\x00abc"`,
		"*1\r\n$4\r\nPING\r\n*1\r\n":             `the connection begins with "*1\r\n$4\r\nPING\r\n*1"`,
	} {
		assert.Contains(t, warning(t, &spoe.Agent{}, bytes), inLog(want), "%q", bytes)
	}
}

// They are named by an agent that expects TLS, too.
func TestOtherProtocolsInsteadOfTLS(t *testing.T) {
	hello := spoetest.DefaultHello()
	frame := spoetest.HelloFrame(hello.Append(nil))
	for bytes, want := range map[string]string{
		"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n": "not TLS but a PROXY protocol header (version 1)",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c": "not TLS but a PROXY protocol header (version 2)",
		"GET / HTTP/1.1\r\n\r\n":                 "not TLS but an HTTP request",
		string(codec.AppendFrame(nil, frame)):    "not TLS but a HAPROXY-HELLO: add ssl to HAProxy's server line",
		"something else":                         "first record does not look like a TLS handshake",
	} {
		assert.Contains(t, warning(t, &spoe.Agent{TLSConfig: certificate(t)}, bytes), inLog(want), "%q", bytes)
	}
}

// The agent accepts one PROXY header; the error about a second one says so.
func TestSecondProxyHeader(t *testing.T) {
	for _, header := range []string{"PROXY TCP4 192.0.2.7 127.0.0.1 4660 9000\r\n", proxyV2(0x20, 0)} {
		a := &spoe.Agent{AcceptProxy: true, AllowedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
		assert.Contains(t, warning(t, a, header+header), "a second PROXY protocol header")
	}
}
