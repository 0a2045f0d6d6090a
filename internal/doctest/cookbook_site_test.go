//go:build unix && !race

package docs_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/require"
)

// visit is a request as the site sees it and returns it in its response.
type visit struct {
	Method string
	Path   string
	Header http.Header
	Length int64 // of the body
}

// startSite starts the site behind HAProxy and returns its address.
func startSite(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Server", "a site")
		w.Header().Set("X-Powered-By", "Go")
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, ".html") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		_ = json.NewEncoder(w).Encode(visit{r.Method, r.URL.Path, r.Header, n}) // HAProxy may be gone
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// seen is a request that the site saw.
func seen(t *testing.T, resp haproxytest.Response) visit {
	t.Helper()
	var v visit
	require.NoError(t, json.Unmarshal([]byte(resp.Body), &v), "%d %s", resp.Status, resp.Body)
	return v
}
