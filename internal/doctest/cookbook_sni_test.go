//go:build unix && !race

package docs_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

// TestCookbookSNI: TLS connections reach the site that the agent chooses by their name,
// and no other connection reaches one.
func TestCookbookSNI(t *testing.T) {
	t.Parallel()
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the shop's "+r.TLS.ServerName)
	}))
	t.Cleanup(site.Close)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		t.Parallel()
		for _, none := range []bool{false, true} {
			run := cookbook["sni/haproxy.cfg"].Start(t, bin, recipes.Setup{Site: site.Listener.Addr().String(), None: none,
				Edits: map[bool][]string{true: {"127.0.0.1:9000", freeaddr.Find(t)}}[none]})
			get := func(url, name string) string {
				c := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
					DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: name}}}
				resp, err := c.Get(url)
				if err != nil {
					return ""
				}
				defer resp.Body.Close()
				b, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				return string(b)
			}
			if none {
				assert.Empty(t, get("https://"+run.Addr("http"), "shop.example"))
				continue
			}
			// More than once: an agent on a busy machine may miss its deadline.
			recipes.Until(t, func() bool {
				return get("https://"+run.Addr("http"), "www.shop.example") == "the shop's www.shop.example"
			},
				func() string { return "the shop was not reached" })
			run.WaitLog("site=shop error=-")
			assert.Empty(t, get("https://"+run.Addr("http"), "bank.example"))
			assert.Empty(t, get("http://"+run.Addr("http"), ""), "no TLS")
		}
	})
}
