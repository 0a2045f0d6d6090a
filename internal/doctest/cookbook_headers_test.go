//go:build unix && !race

package docs_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/internal/recipes"
)

func TestCookbookResponseHeaders(t *testing.T) {
	runRecipe(t, "response-headers/haproxy.cfg", recipes.Setup{}, func(k *runningRecipe) {
		t := k.t
		page, style := cachedAsTold(k)
		assert.Equal(t, []string{"default-src 'self'"}, page.Header.Values("Content-Security-Policy"))
		assert.Equal(t, []string{"default-src 'none'"}, style.Header.Values("Content-Security-Policy"), "the agent has no say in it")

		k.agent().Kill()
		resp := k.cached("no-store", "/static/style.css")
		assert.Equal(t, []string{"default-src 'none'"}, resp.Header.Values("Content-Security-Policy"))
		assert.Empty(t, resp.Header.Get("Server"))
	})
}

// TestCookbookResponseHeaders34 is the same by actions that HAProxy has from 3.4 on.
func TestCookbookResponseHeaders34(t *testing.T) {
	runRecipe(t, "response-headers/haproxy-3.4.cfg", recipes.Setup{}, func(k *runningRecipe) {
		t := k.t
		page, style := cachedAsTold(k)
		assert.Equal(t, []string{"default-src 'self'"}, page.Header.Values("Content-Security-Policy"))
		assert.Equal(t, []string{"DENY"}, page.Header.Values("X-Frame-Options"))
		assert.Equal(t, []string{"nosniff"}, page.Header.Values("X-Content-Type-Options"))
		assert.Equal(t, []string{"default-src 'none'"}, style.Header.Values("Content-Security-Policy"))
		assert.Empty(t, style.Header.Get("X-Frame-Options"))
		assert.Equal(t, []string{"nosniff"}, style.Header.Values("X-Content-Type-Options"))

		k.agent().Kill()
		resp := k.cached("no-store", "/static/style.css")
		assert.Equal(t, []string{"default-src 'none'"}, resp.Header.Values("Content-Security-Policy"))
		assert.Equal(t, "a site", resp.Header.Get("Server"))
	})
}

// cachedAsTold returns two responses with the agent's headers.
func cachedAsTold(k *runningRecipe) (page, style haproxytest.Response) {
	k.t.Helper()
	style = k.cached("public, max-age=31536000, immutable", "/static/style.css")
	recipes.Until(k.t, func() bool {
		page = k.get(200, "/index.html")
		return page.Header.Get("Content-Security-Policy") == "default-src 'self'"
	}, func() string { return "the agent's headers do not come" })
	for _, resp := range []haproxytest.Response{page, style} {
		assert.Empty(k.t, resp.Header.Get("Server"))
		assert.Empty(k.t, resp.Header.Get("X-Powered-By"))
	}
	assert.Equal(k.t, []string{"no-store"}, page.Header.Values("Cache-Control"))
	return page, style
}

// cached requests a path until its response has that Cache-Control, once.
func (k *runningRecipe) cached(control, path string) haproxytest.Response {
	k.t.Helper()
	var resp haproxytest.Response
	recipes.Until(k.t, func() bool {
		resp = k.get(200, path)
		return resp.Header.Get("Cache-Control") == control
	}, func() string { return "Cache-Control: " + resp.Header.Get("Cache-Control") })
	assert.Len(k.t, resp.Header.Values("Cache-Control"), 1)
	return resp
}

// TestCookbookHeaderActions sees what the actions of 3.4 do with headers that occur
// more than once, and with names.
func TestCookbookHeaderActions(t *testing.T) {
	type blocks struct {
		Set    http.Header `spoe:"set"`
		Add    http.Header `spoe:"add"`
		Remove http.Header `spoe:"remove"`
	}
	r := router.New()
	r.Handle("response", func(context.Context, struct{}) (blocks, error) {
		two := []string{"1", "2"}
		return blocks{http.Header{"X-Set": two}, http.Header{"X-Add": two}, http.Header{"X-First": {""}, "X-Second": {""}}}, nil
	}).Event(router.OnHTTPResponse)
	files, err := haproxy.Write(haproxy.Describe(r), haproxy.Config{Engine: "e", Processing: recipes.Patience})
	require.NoError(t, err)
	t.Parallel()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		if !bin.AtLeast("3.4") {
			t.Logf("NOT TESTED with %v: the actions are HAProxy 3.4's", bin)
			return
		}
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Agent: spoetest.Serve(t, r),
			Files: map[string]string{"spoe.conf": files.SPOE},
			Rules: `
    http-response add-header X-Set site
    http-response add-header X-Add site
    http-response add-header X-First site
    http-response add-header X-Second site
    http-response set-headers-bin var(txn.e.set)
    http-response add-headers-bin var(txn.e.add)
    http-response del-headers-bin var(txn.e.remove)`,
		})
		got := h.Get("/").Header
		assert.Equal(t, []string{"2"}, got.Values("X-Set"), "the last one stays")
		assert.Equal(t, []string{"site", "1", "2"}, got.Values("X-Add"), "all stay")
		assert.Empty(t, got.Values("X-First"))
		assert.Equal(t, []string{"site"}, got.Values("X-Second"), "an http.Header is no list of names")
	})
}

// TestCookbookHeaderActionLimits tests headers that are too long, and headers that
// belong to HAProxy.
func TestCookbookHeaderActionLimits(t *testing.T) {
	type block struct {
		Set http.Header `spoe:"set"`
	}
	r := router.New()
	r.Handle("response", func(_ context.Context, in struct {
		Path string `spoe:"path" fetch:"var(txn.path)"`
	}) (block, error) {
		if in.Path == "/long" {
			return block{http.Header{"X-Long": {strings.Repeat("h", 1500)}}}, nil
		}
		return block{http.Header{"Content-Length": {"1"}, "X-Set": {"yes"}}}, nil
	}).Event(router.OnHTTPResponse)
	files, err := haproxy.Write(haproxy.Describe(r), haproxy.Config{Engine: "e", Processing: recipes.Patience})
	require.NoError(t, err)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("b", 100_000))
	}))
	t.Cleanup(site.Close)
	t.Parallel()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		if !bin.AtLeast("3.4") {
			t.Logf("NOT TESTED with %v: the actions are HAProxy 3.4's", bin)
			return
		}
		h := haproxytest.Start(t, bin, haproxytest.Config{
			Agent:  spoetest.Serve(t, r),
			Origin: site.Listener.Addr().String(),
			Files:  map[string]string{"spoe.conf": files.SPOE},
			Rules:  "    http-request set-var(txn.path) path\n    http-response set-headers-bin var(txn.e.set)\n",
		})
		// Where the body has not come yet, its part of the buffer has space for the header.
		assert.Eventually(t, func() bool { return h.Get("/long").Status == 500 },
			recipes.Patience, time.Millisecond, "over tune.maxrewrite")
		got := h.Get("/short")
		assert.Equal(t, 200, got.Status)
		assert.Equal(t, "yes", got.Header.Get("X-Set"))
		assert.Len(t, got.Body, 100_000, "Content-Length is passed over")
	})
}
