package e2e_test

import (
	"context"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe"
)

// TestTLS has HAProxy reach the agent over TLS, with the certificates that the
// agent takes and with others.
func TestTLS(t *testing.T) {
	ca, other := newAuthority(t, "e2e"), newAuthority(t, "somebody else")
	cert, key := ca.issue(t, "agent.test")
	clientCert, clientKey := ca.issue(t, "haproxy.test")
	wrongCert, wrongKey := other.issue(t, "haproxy.test")
	caFile := writeFile(t, "ca.pem", ca.pem)
	certFile, keyFile := writeFile(t, "agent.pem", cert), writeFile(t, "agent.key", key)

	const server = " ssl verify required sni str(agent.test) verifyhost agent.test"
	for _, tc := range []struct {
		name     string
		clientCA string // of Agent's
		server   string // of HAProxy's server line
		refused  string // the agent's log line, if it refuses or is refused
	}{
		{"tls", "", server + " ca-file ca.pem", ""},
		{"mutual", caFile, server + " ca-file ca.pem crt client.pem", ""},
		{"mutual with health checks", caFile, server + " ca-file ca.pem crt client.pem check inter 100ms\n    option spop-check", ""},
		{"another authority's client", caFile, server + " ca-file ca.pem crt wrong.pem", "unknown authority"},
		{"no client certificate", caFile, server + " ca-file ca.pem", "didn't provide a certificate"},
		{"agent that HAProxy does not trust", caFile, server + " ca-file other.pem crt client.pem", "tls: "},
		{"no TLS", caFile, "", "not TLS but a HAPROXY-HELLO"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
				cfg, err := spoe.LoadTLS(certFile, keyFile, tc.clientCA)
				require.NoError(t, err)
				lines := "messages ip-rep"
				if tc.refused != "" { // up to 3.0, HAProxy tries as long as it may
					lines += "\n timeout processing 200ms"
				}
				addr := freeaddr.Find(t)
				sa := &spoe.Agent{Handler: decisions(0), TLSConfig: cfg}
				a := serve(t, sa, addr, func() error { return sa.ListenAndServe(addr) })
				h := startHAProxy(t, bin, haproxytest.Config{
					Agent: addr + tc.server,
					Files: map[string]string{
						"spoe.conf": spoeConf(lines, ipRep),
						"ca.pem":    ca.pem, "other.pem": other.pem,
						"client.pem": clientCert + clientKey, "wrong.pem": wrongCert + wrongKey,
					},
					Rules: decided,
				})

				if tc.refused == "" {
					for range 3 {
						resp := h.Get("/")
						assert.Equal(t, "pass 127.0.0.1", resp.Header.Get("X-Decision"))
						assert.Empty(t, resp.Header.Get("X-Error"))
					}
					if strings.Contains(tc.server, "spop-check") {
						assert.True(t, eventually(waitLimit, func() bool { return a.Stats().HealthChecks > 1 }))
						assert.Equal(t, "2", serverStates(t, h)["agent"], "up")
					}
					assert.Empty(t, a.logs.complaints())
					return
				}
				var resp haproxytest.Response
				require.True(t, eventually(waitLimit, func() bool {
					resp = h.Get("/")
					return len(a.logs.complaints()) > 0 // the agent may be slower than HAProxy's timeout
				}))
				assert.Empty(t, resp.Header.Get("X-Decision"))
				assert.NotEmpty(t, resp.Header.Get("X-Error"), "HAProxy knows")
				h.Close()
				a.waitConnections(t, 0)
				complaints := a.logs.complaints()
				s := a.Stats()
				t.Logf("%d connections, X-Error %s, %s", s.ConnectionsTotal, resp.Header.Get("X-Error"), complaints[0])
				assert.Zero(t, s.Notifies)
				assert.LessOrEqual(t, len(complaints), int(s.ConnectionsTotal), "no more than one line for each connection")
				for _, line := range complaints {
					assert.Contains(t, line, tc.refused)
					assert.Contains(t, line, "peer=127.0.0.1:")
				}
			})
		})
	}
}

// TestTLSShutdown ends an agent whose connections over TLS are quiet.
func TestTLSShutdown(t *testing.T) {
	ca := newAuthority(t, "e2e")
	cert, key := ca.issue(t, "agent.test")
	cfg, err := spoe.LoadTLS(writeFile(t, "agent.pem", cert), writeFile(t, "agent.key", key), "")
	require.NoError(t, err)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		addr := freeaddr.Find(t)
		sa := &spoe.Agent{Handler: decisions(0), TLSConfig: cfg}
		a := serve(t, sa, addr, func() error { return sa.ListenAndServe(addr) })
		h := startHAProxy(t, bin, haproxytest.Config{
			Agent: addr + " ssl verify required verifyhost agent.test ca-file ca.pem",
			Files: map[string]string{"spoe.conf": spoeConf("messages ip-rep", ipRep), "ca.pem": ca.pem},
			Rules: decided,
		})
		assert.Equal(t, "pass 127.0.0.1", h.Get("/").Header.Get("X-Decision"))
		ctx, cancel := context.WithTimeout(t.Context(), 2*waitLimit)
		defer cancel()
		require.NoError(t, a.Shutdown(ctx))
		assert.Empty(t, a.logs.complaints())
	})
}
