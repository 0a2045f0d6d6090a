//go:build unix && !race

package docs_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe/spoetest"
)

func TestCookbookResponseHeaders(t *testing.T) {
	cookAll(t, "response-headers/haproxy.cfg", setup{}, func(k *kitchen) {
		t := k.t
		page, style := cachedAsTold(k)
		assert.Equal(t, []string{"default-src 'self'"}, page.Header.Values("Content-Security-Policy"))
		assert.Equal(t, []string{"default-src 'none'"}, style.Header.Values("Content-Security-Policy"), "the agent has no say in it")

		k.agent().kill()
		resp := k.cached("no-store", "/static/style.css")
		assert.Equal(t, []string{"default-src 'none'"}, resp.Header.Values("Content-Security-Policy"))
		assert.Empty(t, resp.Header.Get("Server"))
	})
}

// TestCookbookResponseHeaders34 is the same by actions that HAProxy has from 3.4 on.
func TestCookbookResponseHeaders34(t *testing.T) {
	cookAll(t, "response-headers/haproxy-3.4.cfg", setup{}, func(k *kitchen) {
		t := k.t
		page, style := cachedAsTold(k)
		assert.Equal(t, []string{"default-src 'self'"}, page.Header.Values("Content-Security-Policy"))
		assert.Equal(t, []string{"DENY"}, page.Header.Values("X-Frame-Options"))
		assert.Equal(t, []string{"nosniff"}, page.Header.Values("X-Content-Type-Options"))
		assert.Equal(t, []string{"default-src 'none'"}, style.Header.Values("Content-Security-Policy"))
		assert.Empty(t, style.Header.Get("X-Frame-Options"))
		assert.Equal(t, []string{"nosniff"}, style.Header.Values("X-Content-Type-Options"))

		k.agent().kill()
		resp := k.cached("no-store", "/static/style.css")
		assert.Equal(t, []string{"default-src 'none'"}, resp.Header.Values("Content-Security-Policy"))
		assert.Equal(t, "a site", resp.Header.Get("Server"))
	})
}

// cachedAsTold returns two responses with the agent's headers.
func cachedAsTold(k *kitchen) (page, style spoetest.HTTPResponse) {
	k.t.Helper()
	style = k.cached("public, max-age=31536000, immutable", "/static/style.css")
	until(k.t, func() bool {
		page = k.get(200, "/index.html")
		return page.Header.Get("Content-Security-Policy") == "default-src 'self'"
	}, func() string { return "the agent's headers do not come" })
	for _, resp := range []spoetest.HTTPResponse{page, style} {
		assert.Empty(k.t, resp.Header.Get("Server"))
		assert.Empty(k.t, resp.Header.Get("X-Powered-By"))
	}
	assert.Equal(k.t, []string{"no-store"}, page.Header.Values("Cache-Control"))
	return page, style
}

// cached requests a path until its response has that Cache-Control, once.
func (k *kitchen) cached(control, path string) spoetest.HTTPResponse {
	k.t.Helper()
	var resp spoetest.HTTPResponse
	until(k.t, func() bool {
		resp = k.get(200, path)
		return resp.Header.Get("Cache-Control") == control
	}, func() string { return "Cache-Control: " + resp.Header.Get("Cache-Control") })
	assert.Len(k.t, resp.Header.Values("Cache-Control"), 1)
	return resp
}
