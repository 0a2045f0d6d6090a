package haproxytest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// Get and Post show a redirect; Client follows it.
func TestRedirects(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		h := haproxytest.Start(t, bin, haproxytest.Config{Config: `
{{defaults "http"}}
frontend http
    bind {{addr "http"}}
    option http-buffer-request
    http-request redirect location /login code 302 unless { path /login } or { method POST }
    http-request return status 200 content-type text/plain lf-string "%[method] %[req.body] %[req.hdr(x-a)] %[req.hdr(host)]"
`})
		resp := h.Get("/page")
		assert.Equal(t, 302, resp.Status)
		assert.Equal(t, "/login", resp.Header.Get("Location"))
		assert.Equal(t, "POST a=1 b example.org", h.Post("/", "a=1", "x-a", "b", "host", "example.org").Body)
		assert.Equal(t, 302, h.Status("/page"))
		assert.Zero(t, h.Status("/page", "a name"), "a header without a value")
		followed, err := h.Client().Get(h.URL + "/page")
		require.NoError(t, err)
		require.NoError(t, followed.Body.Close())
		assert.Equal(t, http.StatusOK, followed.StatusCode)
	})
}
