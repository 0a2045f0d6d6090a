//go:build unix

package main_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/redistest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// slow limits get nothing back while a test runs.
const slow = `
agents: 1
allow: [192.0.2.200/29, "2001:db8:a::/48"]
limits:
  - {name: address, by: [ip], rate: 30, period: 10h}
  - {name: login, by: [ip], path: [/login], method: [POST], rate: 3, period: 1h}
  - {name: key, by: ["header:x-api-key"], rate: 5, period: 1h}
  - {name: cookie, by: ["cookie:sid"], rate: 4, period: 1h}
  - {name: user, by: ["claim:sub"], rate: 6, period: 1h, ipv6-prefix: 48}
  - {name: api, by: [host, method], path: ["/api/*/x"], rate: 2, period: 1h}
  - {name: watched, by: [ip], path: [/dry*], rate: 1, period: 1h, dry-run: true}
`

func token(claims string) string {
	part := base64.RawURLEncoding.EncodeToString
	return "Bearer " + part([]byte(`{"alg":"none"}`)) + "." + part([]byte(claims)) + "."
}

// With a cluster of three nodes each limit counts the requests that it is for, and no others.
func TestLimits(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		var args []string
		for _, addr := range redistest.Addrs(redistest.StartCluster(t, 3)) {
			args = append(args, "-redis-address", addr)
		}
		a := startAgent(t, slow, args...)
		h := startHAProxy(t, bin, []*agent{a})
		// fresh is an address that sent nothing.
		clients := 0
		fresh := func() string { clients++; return "198.51.100." + strconv.Itoa(clients) }
		get := func(want int, path, ip string, headers ...string) haproxytest.Response {
			t.Helper()
			resp := h.Get(path, append([]string{"X-Forwarded-For", ip}, headers...)...)
			require.Equal(t, want, resp.Status)
			return resp
		}
		post := func(want int, path, ip string) {
			t.Helper()
			require.Equal(t, want, h.Post(path, "x", "X-Forwarded-For", ip).Status, path)
		}

		t.Run("address", func(t *testing.T) {
			ip := fresh()
			for n := range 30 {
				resp := get(200, "/", ip)
				assert.Equal(t, `"address";q=30;w=36000`, resp.Header.Get("RateLimit-Policy"))
				assert.Equal(t, fmt.Sprintf(`"address";r=%d;t=%d`, 29-n, 1200*(n+1)), resp.Header.Get("RateLimit"))
			}
			resp := get(429, "/", ip)
			assert.Equal(t, "1200", resp.Header.Get("Retry-After"))
			assert.Equal(t, `"address";r=0;t=1200`, resp.Header.Get("RateLimit"))
			assert.Equal(t, `"address";q=30;w=36000`, resp.Header.Get("RateLimit-Policy"))
			assert.Contains(t, h.WaitLog(ip+" GET / status=429"), "limit=address remaining=0 source=redis")
			get(429, "/", ip)
			h.WaitLog("source=cache")
			get(200, "/", fresh())
		})
		t.Run("network of IPv6", func(t *testing.T) {
			for n := range 30 {
				get(200, "/", fmt.Sprintf("2001:db8:1:2:%x::1", n))
			}
			get(429, "/", "2001:db8:1:2::ffff")
			get(200, "/", "2001:db8:1:3::1")
		})
		t.Run("path and method", func(t *testing.T) {
			ip := fresh()
			for _, path := range []string{"/login", "//login", "/%6cogin"} {
				post(200, path, ip)
			}
			post(429, "/x/../login", ip)
			get(200, "/login", ip)
			post(200, "/logins", ip)
			resp := get(200, "/", ip)
			assert.Equal(t, `"address";q=30;w=36000`, resp.Header.Get("RateLimit-Policy"))
		})
		t.Run("header", func(t *testing.T) {
			for range 5 {
				get(200, "/", fresh(), "X-API-Key", "one, and two")
			}
			resp := get(429, "/", fresh(), "X-API-Key", "one, and two")
			assert.Equal(t, `"address";q=30;w=36000, "key";q=5;w=3600`, resp.Header.Get("RateLimit-Policy"))
			assert.Equal(t, `"key";r=0;t=720`, resp.Header.Get("RateLimit"))
			get(200, "/", fresh(), "X-API-Key", "two")
		})
		t.Run("cookie", func(t *testing.T) {
			for range 4 {
				get(200, "/", fresh(), "Cookie", "a=b; sid=1")
			}
			get(429, "/", fresh(), "Cookie", "sid=1; a=c")
			get(200, "/", fresh(), "Cookie", "sid=2; a=c")
		})
		t.Run("claim", func(t *testing.T) {
			for n := range 6 {
				get(200, "/", fresh(), "Authorization", token(fmt.Sprintf(`{"sub":"ann","n":%d}`, n)))
			}
			get(429, "/", fresh(), "Authorization", token(`{"sub":"ann"}`))
			get(200, "/", fresh(), "Authorization", token(`{"sub":"bob"}`))
			get(200, "/", fresh(), "Authorization", token(`{}`))
		})
		t.Run("pattern, host and method", func(t *testing.T) {
			get(200, "/api/1/x", fresh())
			get(200, "/api/1/2/x", fresh())
			get(429, "/api/3/x", fresh())
			get(200, "/api/3/y", fresh())
			get(200, "/api/3/x", fresh(), "Host", "other")
			post(200, "/api/3/x", fresh())
		})
		t.Run("cost", func(t *testing.T) {
			ip := fresh()
			get(200, "/search?q=1", ip)
			resp := get(200, "/search?q=2", ip)
			assert.Equal(t, `"address";r=10;t=24000`, resp.Header.Get("RateLimit"))
			get(200, "/", ip)
			resp = get(429, "/search?q=3", ip)
			assert.Equal(t, "1200", resp.Header.Get("Retry-After"))
			get(200, "/", ip)
		})
		t.Run("allow list", func(t *testing.T) {
			for range 40 {
				assert.Empty(t, get(200, "/", "192.0.2.201").Header.Get("RateLimit"))
			}
			get(200, "/", "2001:db8:a::1")
		})
		t.Run("dry run", func(t *testing.T) {
			ip := fresh()
			for range 3 {
				resp := get(200, "/dry", ip)
				assert.Equal(t, `"address";q=30;w=36000`, resp.Header.Get("RateLimit-Policy"))
			}
			text := scrape(t, a)
			assert.Regexp(t, `ratelimit_decisions_total\{.*ratelimit_limit="watched",ratelimit_outcome="dry_run",ratelimit_source="redis".*\} 2\n`, text)
			assert.Regexp(t, `ratelimit_decisions_total\{.*ratelimit_limit="watched",ratelimit_outcome="allowed",ratelimit_source="redis".*\} 1\n`, text)
		})
		assert.NotRegexp(t, `spoe_error=\d`, h.Output())
	})
}

// scrape returns the agent's metrics.
func scrape(t *testing.T, a *agent) string {
	t.Helper()
	resp, err := http.Get("http://" + a.Says(adminLine) + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text)
}
