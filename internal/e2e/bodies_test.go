package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// bodies is an agent that reports how much of a body it saw.
func bodies() *router.Router {
	type request struct{ Body router.RequestBody }
	type response struct{ Body router.ResponseBody }
	type seenRequest struct {
		State string `spoe:"request"`
	}
	type seenResponse struct {
		State string `spoe:"response"`
	}
	r := router.New()
	r.Handle("request", func(_ context.Context, in request) (seenRequest, error) {
		return seenRequest{fmt.Sprintf("%v %d", in.Body.State(), len(in.Body.Bytes))}, nil
	}).Event(router.OnFrontendHTTPRequest)
	r.Handle("response", func(_ context.Context, in response) (seenResponse, error) {
		return seenResponse{fmt.Sprintf("%v %d", in.Body.State(), len(in.Body.Bytes))}, nil
	}).Group("responses").Event(router.OnHTTPResponse)
	return r
}

// bodiesConfig has the lines of haproxy.Write.
const bodiesConfig = `
global
    log stdout format raw local0

{{defaults "http"}}
    log global
    timeout http-request 30s

frontend http
    bind {{addr "http"}}
    bind {{addr "h2"}} proto h2
{{.Data}}
    http-response set-header x-request "%[var(txn.e2e.request)]"
    http-response set-header x-response "%[var(txn.e2e.response)]"
    default_backend site

backend site
    server origin {{.Origin}}
`

// TestBodies: an agent knows whether it has a body as a whole, however it is sent. Of
// the default buffer of 16 KiB, HAProxy keeps 1 KiB free, and the head takes some.
func TestBodies(t *testing.T) {
	const fits, cut = 14 << 10, 64 << 10
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		var n int
		_, _ = fmt.Sscan(r.URL.Query().Get("n"), &n)
		switch r.URL.Path {
		case "/length":
			w.Header().Set("Content-Length", fmt.Sprint(n))
		case "/close":
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+strings.Repeat("x", n))
			return
		default:
			w.(http.Flusher).Flush() // chunked
		}
		_, _ = io.WriteString(w, strings.Repeat("x", n))
	}))
	defer origin.Close()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		r := bodies()
		a := startHandler(t, r)
		addr := tapped(t, haproxytest.Config{Agent: a.addr}).Agent
		files, err := haproxy.Write(haproxy.Describe(r), haproxy.Config{Engine: "e2e", Agents: []string{addr}, Processing: 10 * time.Second})
		require.NoError(t, err)
		h := startHAProxy(t, bin, haproxytest.Config{
			Config: bodiesConfig, Data: files.Frontend, Origin: strings.TrimPrefix(origin.URL, "http://"),
			Files: map[string]string{"spoe.conf": files.SPOE, "agents.cfg": files.Backend}, Args: []string{"-f", "agents.cfg"},
		})
		h2 := &http.Client{Transport: &http.Transport{Protocols: new(http.Protocols)}}
		h2.Transport.(*http.Transport).Protocols.SetUnencryptedHTTP2(true)
		defer h2.CloseIdleConnections()
		for _, tt := range []struct {
			name    string
			client  *http.Client
			addr    string
			chunked bool
			n       int
			want    string
		}{
			{"Content-Length", h.Client(), "http", false, fits, "whole 14336"},
			{"Content-Length, too large", h.Client(), "http", false, cut, "cut 15"},
			{"chunked", h.Client(), "http", true, fits, "whole 14336"},
			{"chunked, too large", h.Client(), "http", true, cut, "cut 15"},
			{"HTTP/2", h2, "h2", false, fits, "whole 14336"},
			{"HTTP/2, too large", h2, "h2", false, cut, "cut 15"},
			{"HTTP/2 without Content-Length", h2, "h2", true, fits, "whole 14336"},
			{"HTTP/2 without Content-Length, too large", h2, "h2", true, cut, "cut 15"},
			{"none", h.Client(), "http", false, 0, "whole 0"},
		} {
			t.Run("request, "+tt.name, func(t *testing.T) {
				var body io.Reader = strings.NewReader(strings.Repeat("x", tt.n))
				if tt.chunked {
					body = struct{ io.Reader }{body}
				}
				resp := roundTrip(t, tt.client, http.MethodPost, "http://"+h.Addr(tt.addr)+"/", body)
				assert.Contains(t, resp.Header.Get("X-Request"), tt.want)
				assert.Equal(t, "whole 0", resp.Header.Get("X-Response"))
			})
		}
		for _, tt := range []struct {
			name, method, path string
			want               string
		}{
			{"Content-Length", http.MethodGet, "/length?n=14336", "whole 14336"},
			{"Content-Length, too large", http.MethodGet, "/length?n=65536", "cut 15"},
			{"HEAD", http.MethodHead, "/length?n=65536", "whole 0"},
			{"chunked", http.MethodGet, "/?n=14336", "whole 14336"},
			{"chunked, too large", http.MethodGet, "/?n=65536", "unknown 15"},
			{"until the end", http.MethodGet, "/close?n=14336", "unknown 14336"},
			{"until the end, too large", http.MethodGet, "/close?n=65536", "unknown 15"},
		} {
			t.Run("response, "+tt.name, func(t *testing.T) {
				resp := roundTrip(t, h.Client(), tt.method, "http://"+h.Addr("http")+tt.path, nil)
				assert.Contains(t, resp.Header.Get("X-Response"), tt.want)
			})
		}
	})
}

func roundTrip(t *testing.T, client *http.Client, method, url string, body io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return resp
}
