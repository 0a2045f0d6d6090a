package spoe_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/lockedbuffer"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
)

// certificateFiles writes a certificate for 127.0.0.1, which is its own authority, and its
// key.
func certificateFiles(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return certFile, keyFile
}

// LoadTLS asks clients for a certificate if, and only if, it is given their authorities.
func TestLoadTLSFiles(t *testing.T) {
	cert, key := certificateFiles(t)
	cfg, err := spoe.LoadTLS(cert, key, "")
	require.NoError(t, err)
	assert.Len(t, cfg.Certificates, 1)
	assert.EqualValues(t, tls.VersionTLS12, cfg.MinVersion)
	assert.Nil(t, cfg.ClientCAs)
	assert.Equal(t, tls.NoClientCert, cfg.ClientAuth)

	cfg, err = spoe.LoadTLS(cert, key, cert)
	require.NoError(t, err)
	assert.NotNil(t, cfg.ClientCAs)
	assert.Equal(t, tls.RequireAndVerifyClientCert, cfg.ClientAuth)

	_, err = spoe.LoadTLS(cert, key, "missing.pem")
	assert.ErrorContains(t, err, "spoe: TLS client authorities: open missing.pem: ")
	_, err = spoe.LoadTLS(cert, key, key)
	assert.EqualError(t, err, "spoe: TLS client authorities: "+key+" holds no PEM certificate")
}

// serveTLS runs an agent with TLS and a hello timeout, and returns its address and the
// configuration of its clients.
func serveTLS(t *testing.T, a *spoe.Agent) (addr string, client *tls.Config) {
	t.Helper()
	cert, key := certificateFiles(t)
	var err error
	a.TLSConfig, err = spoe.LoadTLS(cert, key, "")
	require.NoError(t, err)
	ln, err := spoe.Listen("127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(context.Background(), ln) }() // ends with Close
	t.Cleanup(func() {
		a.Close()
		assert.ErrorIs(t, <-ended, spoe.ErrAgentClosed)
	})
	text, err := os.ReadFile(cert)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	return ln.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

// A balancer's PROXY header comes before TLS.
func TestProxyHeaderBeforeTLS(t *testing.T) {
	addr, client := serveTLS(t, &spoe.Agent{
		AcceptProxy: true, AllowedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Logger: slog.New(slog.DiscardHandler),
		Handler: spoe.HandlerFunc(func(_ context.Context, m *spoe.Message, acts *spoe.Actions) error {
			return acts.SetString(spoe.VarScopeTransaction, "peer", m.Peer().String())
		}),
	})
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer nc.Close()
	_, err = nc.Write([]byte("PROXY TCP4 192.0.2.7 127.0.0.1 4660 9000\r\n"))
	require.NoError(t, err)
	c := spoetest.NewClient(tls.Client(nc, client), 0)
	_, err = c.Handshake(t.Context(), spoetest.DefaultHello())
	require.NoError(t, err)
	vars, err := c.Ask(t.Context(), "m")
	require.NoError(t, err)
	assert.Equal(t, "192.0.2.7:4660", vars.Str("txn.peer"))
}

// The agent closes a client that says nothing without an AGENT-DISCONNECT, which TLS cannot carry
// before its handshake.
func TestHelloTimeoutBelowTLS(t *testing.T) {
	log := new(lockedbuffer.Buffer)
	a := &spoe.Agent{Handler: nothing, HelloTimeout: 50 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(log, nil))}
	addr, _ := serveTLS(t, a)
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer nc.Close()
	n, err := nc.Read(make([]byte, 1))
	assert.Zero(t, n)
	assert.Error(t, err)
	assert.Eventually(t, func() bool { return strings.Contains(log.String(), "no hello within 50ms") }, eventually, tick)
	assert.Contains(t, log.String(), `msg="spoe: connection closed"`)
	assert.NotContains(t, log.String(), "handshake failed")
	assert.Empty(t, a.Stats().DisconnectsSent)
	assert.Eventually(t, func() bool { return a.Stats().Connections == 0 }, eventually, tick)
}

// A client that speaks no TLS is named as such in the log.
func TestNoTLSClient(t *testing.T) {
	log := new(lockedbuffer.Buffer)
	addr, _ := serveTLS(t, &spoe.Agent{Handler: nothing, Logger: slog.New(slog.NewTextHandler(log, nil))})
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer nc.Close()
	_, err = nc.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	require.NoError(t, err)
	assert.Eventually(t, func() bool {
		return strings.Contains(log.String(), `level=WARN msg="spoe: TLS handshake failed;`)
	}, eventually, tick)
}
