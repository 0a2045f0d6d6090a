package samples_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/spoe"
	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// oddRequests are request lines and headers that leave something out.
var oddRequests = []string{
	"GET / HTTP/1.1\r\nHost: a", "GET / HTTP/1.0", "GET /a?b HTTP/1.1\r\nHost: a", "OPTIONS * HTTP/1.1\r\nHost: a",
	"GET * HTTP/1.1\r\nHost: a", "CONNECT a:80 HTTP/1.1\r\nHost: a:80", "GET http://host HTTP/1.1\r\nHost: host",
	"GET http://host/ HTTP/1.1\r\nHost: host", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0", "GET //a?b=c HTTP/1.1\r\nHost:", "FOO /? HTTP/1.1\r\nHost: a",
}

// TestNullFor: each HAProxy sends these samples as NULL for some odd request, or for
// none, as the table says.
func TestNullFor(t *testing.T) {
	fetches := strings.Fields("method path pathq url url_ip url_port base base32 query req.ver req.hdrs req.hdrs_bin " +
		"req.body req.body_len req.body_size req.hdr(host) req.fhdr(host) hdr(host) req.cook(a) req.hdr_cnt(a) req.hdr_ip(a) " +
		"url_param(a) urlp(a) req.body_param(a) src dst src_port dst_port ssl_fc ssl_fc_sni ssl_fc_protocol ssl_c_s_dn ssl_c_used " +
		"unique-id fe_name fe_id so_id so_name date rand(5) hostname http_first_req fc_http_major uuid capture.req.uri var(txn.x) " +
		"nbsrv(agents) always_true int(3) str(a) path,lower req.hdr(host),lower")
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		nulls := make(chan []string, 1)
		addr := spoetest.Serve(t, spoe.HandlerFunc(func(_ context.Context, m *spoe.Message, _ *spoe.Actions) error {
			null := []string{}
			for name, v := range m.Args.All() {
				if v.IsNull() {
					null = append(null, name)
				}
			}
			nulls <- null
			return nil
		}))
		h := haproxytest.Start(t, bin, asking(addr, fetches))
		seen := map[string]bool{}
		for _, request := range oddRequests {
			conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
			require.NoError(t, err)
			_, err = fmt.Fprint(conn, request+"\r\n\r\n")
			require.NoError(t, err)
			require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
			b := make([]byte, 64)
			n, err := conn.Read(b)
			require.NoError(t, err)
			conn.Close()
			if strings.Contains(string(b[:n]), " 400 ") {
				continue // HAProxy refuses it and asks nothing
			}
			for _, name := range <-nulls {
				seen[name] = true
			}
		}
		for i, f := range fetches {
			assert.Equal(t, samples.NullFor(f) != "", seen[fmt.Sprintf("a%d", i)], f)
		}
	})
}
