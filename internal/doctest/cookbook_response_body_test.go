//go:build unix && !race

package docs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/recipes"
)

// TestCookbookResponseBody: a text with a card number does not leave the site, others do,
// and a text of which the agent saw the beginning says so.
func TestCookbookResponseBody(t *testing.T) {
	t.Parallel()
	const number = "4111 1111 1111 1111"
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Accept-Encoding"))
		kind := "text/plain"
		if r.URL.Path == "/image" {
			kind = "image/png"
		}
		w.Header().Set("Content-Type", kind)
		text := map[string]string{"/leak": number, "/image": number, "/long": strings.Repeat("x", 100_000), "/long-leak": strings.Repeat("x", 40_000) + " " + number}[r.URL.Path]
		_, _ = io.WriteString(w, "text "+text)
	}))
	t.Cleanup(site.Close)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		t.Parallel()
		run := cookbook["response-body/haproxy.cfg"].Start(t, bin, recipes.Setup{Site: site.Listener.Addr().String()})
		k := &runningRecipe{Running: run, t: t}
		assert.Equal(t, "1", k.get(200, "/fine").Header.Get("X-Scanned"))
		k.get(502, "/leak")
		k.get(502, "/long-leak")
		assert.Empty(t, k.get(200, "/image").Header.Get("X-Scanned"))
		assert.Equal(t, "0", k.get(200, "/long").Header.Get("X-Scanned"))
		assert.Contains(t, k.get(200, "/fine").Body, "text")
		k.agent().Kill()
		k.get(502, "/fine")
		k.get(200, "/image")
	})
}
