package admin_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/admin"
)

func TestHandler(t *testing.T) {
	var notReady error
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") })
	handler := admin.Handler(func() error { return notReady }, metrics)
	for _, tt := range []struct {
		name, method, path string
		ready              error
		status             int
		body               string
	}{
		{"alive", http.MethodGet, "/healthz", nil, 200, "ok\n"},
		{"alive, though not ready", http.MethodGet, "/healthz", errors.New("busy"), 200, "ok\n"},
		{"ready", http.MethodGet, "/readyz", nil, 200, "ready\n"},
		{"not ready", http.MethodGet, "/readyz", errors.New("busy"), 503, "not ready: busy\n"},
		{"metrics", http.MethodGet, "/metrics", nil, 200, "up 1\n"},
		{"a probe by HEAD", http.MethodHead, "/readyz", errors.New("busy"), 503, "not ready: busy\n"}, // a real server leaves the body out
		{"a method that changes things", http.MethodPost, "/metrics", nil, 405, "Method Not Allowed\n"},
		{"another path", http.MethodGet, "/debug/pprof/", nil, 404, "404 page not found\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			notReady = tt.ready
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
			assert.Equal(t, tt.status, w.Code)
			assert.Equal(t, tt.body, w.Body.String())
		})
	}
}
