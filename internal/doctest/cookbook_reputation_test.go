//go:build unix && !race

package docs_test

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

func TestCookbookReputation(t *testing.T) {
	runRecipe(t, "reputation/haproxy.cfg", recipes.Setup{}, func(k *runningRecipe) {
		t := k.t
		forged := []string{"X-IP-Score", "100", "X-IP-List", "forged"}

		resp := k.get(200, "/", forged...)
		recipes.Until(t, func() bool { // without an answer the request passes, too
			resp = k.get(200, "/", forged...)
			return seen(t, resp).Header.Get("X-Ip-Score") == "100"
		}, func() string { return resp.Body })
		assert.Empty(t, seen(t, resp).Header.Get("X-Ip-List"), "the client's own does not get through")

		recipes.Until(t, func() bool {
			resp = k.from("127.0.0.50", "/", forged...)
			return resp.Status == 200 && seen(t, resp).Header.Get("X-Ip-Score") == "50"
		}, func() string { return resp.Body })
		assert.Equal(t, []string{"suspect"}, seen(t, resp).Header.Values("X-Ip-List"))

		recipes.Until(t, func() bool { return k.from("127.0.0.66", "/").Status == 403 }, func() string { return "a blocked address gets through" })

		k.agent().Kill()
		recipes.Until(t, func() bool {
			resp = k.from("127.0.0.66", "/", forged...)
			return resp.Status == 200
		}, func() string { return "it does not fail open" })
		assert.Empty(t, seen(t, resp).Header.Get("X-Ip-Score"), "the client's own does not get through")
	})
}

// from requests a path from another address of this machine, which on Linux has
// all of 127.0.0.0/8.
func (k *runningRecipe) from(ip, path string, headers ...string) haproxytest.Response {
	k.t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, addr)
	}, DisableKeepAlives: true}
	req, err := http.NewRequest(http.MethodGet, k.URL+path, nil)
	require.NoError(k.t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return k.send(&http.Client{Transport: transport}, req)
}
