package main_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
)

// Headers of the visitor's connection are left out; the settings change others.
func TestHeaders(t *testing.T) {
	mirror := newSite(t, nil)
	c := withTarget(t, "{name: n, url: '"+mirror.URL+"/base/', host: staging.example, set: {X-Env: staging, X-New: '1'}, remove: [Cookie]}")
	c.send(t, "POST", "//a?b=c", http.Header{
		"x-id": {"1"}, "host": {"site.example"}, "connection": {"keep-alive, X-Hop"}, "x-hop": {"1"}, "keep-alive": {"5"}, "te": {"trailers"},
		"upgrade": {"websocket"}, "transfer-encoding": {"chunked"}, "expect": {"100-continue"}, "proxy-authorization": {"Basic eDp5"},
		"cookie": {"a=b"}, "x-env": {"production"}, "user-agent": {""}, "x-two": {"1", "2"}, "authorization": {"Basic eDp5"},
	}, "body")
	got := mirror.waitFor(t, 1)["1"][0]
	assert.Equal(t, "POST /base//a?b=c HTTP/1.1", got.line)
	assert.Equal(t, []string{"authorization: Basic eDp5", "host: staging.example", "user-agent: ", "x-env: staging", "x-id: 1",
		"x-mirrored-by: n", "x-new: 1", "x-two: 1", "x-two: 2"}, got.headers)
	assert.Equal(t, "body", got.body)
}

// The version of HTTP is the one that the settings say, and connections are used again.
func TestVersions(t *testing.T) {
	for name, tt := range map[string]struct {
		tls            bool
		settings, want string
	}{
		"plain":          {false, "", "HTTP/1.1"},
		"plain, 2":       {false, ", http: 2", "HTTP/2.0"},
		"TLS":            {true, `, ca: "CA"`, "HTTP/2.0"},
		"TLS, 1":         {true, `, ca: "CA", http: 1`, "HTTP/1.1"},
		"TLS, 2":         {true, `, ca: "CA", http: 2`, "HTTP/2.0"},
		"TLS, unchecked": {true, ", insecure: true", "HTTP/2.0"},
		"from":           {false, ", from: 127.0.0.2", "HTTP/1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex // guards the two below
			conns, got := make(map[string]bool), make(map[string]int)
			mirror := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body) // a body cut short differs from what is wanted
				mu.Lock()
				defer mu.Unlock()
				conns[r.RemoteAddr] = true
				got[r.Proto+" "+r.Method+" "+r.Host+r.RequestURI+" "+r.Header.Get("X-A")+" "+string(body)]++
				if strings.Contains(tt.settings, "from") {
					assert.True(t, strings.HasPrefix(r.RemoteAddr, "127.0.0.2:"), r.RemoteAddr)
				}
			}))
			mirror.Config.Protocols = new(http.Protocols)
			mirror.Config.Protocols.SetHTTP1(true)
			mirror.Config.Protocols.SetHTTP2(true)
			mirror.Config.Protocols.SetUnencryptedHTTP2(true)
			mirror.EnableHTTP2 = true
			settings := tt.settings
			if tt.tls {
				mirror.StartTLS()
				file := filepath.Join(t.TempDir(), "ca.pem")
				servicetest.WriteFile(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: mirror.Certificate().Raw})))
				settings = strings.ReplaceAll(settings, "CA", file)
			} else {
				mirror.Start()
			}
			t.Cleanup(mirror.Close)
			c := withTarget(t, "{name: n, url: '"+mirror.URL+"'"+settings+"}", "-workers", "1")
			const n = 20
			for range n {
				c.send(t, "PUT", "/a%2Fb?c", http.Header{"host": {"site.example"}, "x-a": {"b"}}, "body")
			}
			require.Eventually(t, func() bool {
				mu.Lock()
				defer mu.Unlock()
				return got[tt.want+" PUT site.example/a%2Fb?c b body"] == n
			}, patience, patience/500)
			mu.Lock()
			defer mu.Unlock()
			assert.Len(t, conns, 1)
		})
	}
}

// Failures are counted, and logged by a line in ten seconds.
func TestFailuresAreLogged(t *testing.T) {
	mirror := httptest.NewUnstartedServer(http.NotFoundHandler())
	mirror.Config.ErrorLog = log.New(io.Discard, "", 0)
	mirror.StartTLS()
	t.Cleanup(mirror.Close)
	a := startAgent(t, "-url", mirror.URL, "-workers", "1")
	c := dial(t, a)
	for range 5 {
		c.send(t, "GET", "/", nil, "")
	}
	target := strings.TrimPrefix(mirror.URL, "https://")
	a.Scrape(t, `mirror_copies_total{mirror_outcome="failed",mirror_target="`+target+`"} 5`)
	a.Log.Wait(t, `level=WARN msg="copies fail" target=`+target+` copies=1 error=".*certificate`)
	assert.Equal(t, 1, strings.Count(a.Log.String(), "copies fail"))
}
