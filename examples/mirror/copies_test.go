package main_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// requests is the number of requests through each HAProxy: `make mirror-copies` sets
// it.
func requests(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SPOKE_MIRROR_REQUESTS")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// A site and its mirror get the same: line, headers and body, byte by byte.
func TestCopiesAreEqual(t *testing.T) {
	n := requests(t)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		origin, mirror := newSite(t, nil), newSite(t, nil)
		a := startAgent(t, "-url", mirror.URL, "-queue", strconv.Itoa(n))
		h := startHAProxy(t, bin, a, origin)
		bytes := sendAll(t, h, n)
		want, have := origin.waitFor(t, n), mirror.waitFor(t, n)
		different := 0
		for id, w := range want {
			c := have[id]
			for i := range c {
				c[i].headers = slices.DeleteFunc(c[i].headers, func(line string) bool { return line == "x-mirrored-by: "+mirror.addr() })
			}
			if !assert.Equal(t, w, c) {
				if different++; different == 3 {
					t.FailNow()
				}
			}
		}
		require.Len(t, have, n)
		t.Logf("%v: %d requests with %d bytes of bodies, %d copies, %d differ", bin, len(want), bytes, len(have), different)
		assert.NotRegexp(t, `spoe_error=\d`, h.Output())
	})
}

// sendAll sends n requests, some at once, over HTTP/1.1 and HTTP/2, and returns how many
// bytes their bodies had. It needs each to be answered by the origin.
func sendAll(t *testing.T, h *haproxytest.HAProxy, n int) (sent int64) {
	t.Helper()
	h2 := new(http.Transport)
	h2.Protocols = new(http.Protocols)
	h2.Protocols.SetUnencryptedHTTP2(true)
	h1 := &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}
	defer h1.CloseIdleConnections()
	defer h2.CloseIdleConnections()
	var wg sync.WaitGroup
	jobs := make(chan int)
	for range 8 {
		wg.Go(func() { // ends when jobs is closed
			for i := range jobs {
				transport, addr := h1, h.Addr("http")
				if i%3 == 0 {
					transport, addr = h2, h.Addr("h2")
				}
				resp, err := transport.RoundTrip(visit(i, addr))
				if !assert.NoError(t, err) {
					continue
				}
				_, err = io.Copy(io.Discard, resp.Body)
				assert.NoError(t, err)
				assert.NoError(t, resp.Body.Close())
				assert.Equal(t, http.StatusOK, resp.StatusCode)
			}
		})
	}
	for i := range n {
		jobs <- i
		sent += int64(len(visitBody(rand.New(rand.NewPCG(1, uint64(i))))))
	}
	close(jobs)
	wg.Wait()
	return sent
}

// Specimens for requests.
var (
	methods = []string{"GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"}
	targets = []string{
		"/", "/a/b.html", "/a%2Fb", "//two//slashes", "//two?a=//b", "/a?", "/a?b=c&d=%20+e;f", "/?x=http://other/?y",
		"/a/../b/./c", "/~user/(1)'!*,;=:@&=+$", "/a%00b", "/a?b?c#", "/" + strings.Repeat("long/", 200), "/%E2%82%AC?%E2%82%AC",
	}
	values = []string{"", "x", "a b", "\"quoted\", and, commas", "\xe4\xf6\xfc", "a=b; c=d", strings.Repeat("v", 3000), "text/html;q=0.5"}
)

// visitBody is nothing, some bytes, or many; at most what fits into HAProxy's buffer.
func visitBody(r *rand.Rand) []byte {
	size := 0
	switch r.IntN(4) {
	case 0:
		size = r.IntN(100)
	case 1:
		size = r.IntN(40000)
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// visit makes a visitor's request, the same for the same i.
func visit(i int, addr string) *http.Request {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	body := visitBody(r)
	method := methods[r.IntN(len(methods))]
	if len(body) > 0 && (method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "DELETE") {
		method = "POST" // HAProxy refuses bodies of others in some versions
	}
	req, err := http.NewRequest(method, "http://"+addr, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	target := targets[r.IntN(len(targets))]
	if strings.HasPrefix(target, "//") {
		path, query, _ := strings.Cut(target, "?")
		req.URL.Path, req.URL.RawQuery = path, query
	} else {
		req.URL = &url.URL{Scheme: "http", Host: addr, Opaque: strings.TrimSuffix(target, "#")}
	}
	if len(body) > 0 && r.IntN(2) == 0 {
		req.ContentLength = -1 // chunked, or HTTP/2 without Content-Length
	}
	req.Host = []string{"site.example", "site.example:8080", "[2001:db8::1]"}[r.IntN(3)]
	req.Header.Set("X-Id", strconv.Itoa(i))
	for k := range r.IntN(6) {
		req.Header.Add(fmt.Sprintf("X-%d", k/2), values[r.IntN(len(values))]) // some twice
	}
	if r.IntN(3) == 0 {
		req.Header["User-Agent"] = nil
	}
	if r.IntN(3) == 0 {
		req.Header.Add("Cookie", "a=1")
		req.Header.Add("Cookie", "b=2")
	}
	return req
}
