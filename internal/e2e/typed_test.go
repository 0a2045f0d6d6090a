package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

type typedIn struct {
	IP      netip.Addr  `spoe:"ip,required"`
	Port    uint16      `spoe:"port"`
	Method  string      `spoe:"method"`
	Host    *string     `spoe:"host"`
	Headers http.Header `spoe:"headers"`
	Query   url.Values  `spoe:"query"`
	TLS     bool        `spoe:"ssl"`
	Score   float64     `spoe:"score"`
	None    *int        `spoe:"none"`
}

type typedOut struct {
	Saw     string        `spoe:"saw"`
	Score   int           `spoe:"score,sess"`
	Ratio   float64       `spoe:"ratio"`
	List    string        `spoe:"list,omitempty"`
	IP      netip.Addr    `spoe:"ip"`
	Elapsed time.Duration `spoe:"elapsed"`
	Gone    *string       `spoe:"gone,unset"`
}

// TestTyped has typed functions answer HAProxy, through a router with
// middleware.
func TestTyped(t *testing.T) {
	conf := spoeConf("messages typed count", `
spoe-message typed
    args ip=src port=src_port method=method host=req.hdr(host) headers=req.hdrs_bin query=query
    args ssl=ssl_fc score=req.hdr(x-score) none=req.hdr(x-none)
    event on-frontend-http-request if { path /typed }
spoe-message count
    args path=path
    event on-frontend-http-request if { path /count }`)
	const rules = `
    http-after-response set-header X-Saw "%[var(txn.e2e.saw)]"
    http-after-response set-header X-Ratio "%[var(txn.e2e.ratio)]"
    http-after-response set-header X-IP "%[var(txn.e2e.ip)]"
    http-after-response add-header X-Holds score if { var(sess.e2e.score) -m int eq -90 }
    http-after-response add-header X-Holds ip if { var(txn.e2e.ip) -m ip 2001:db8::/32 }
    http-after-response add-header X-Holds list if { var(txn.e2e.list) -m found }
    http-after-response add-header X-Holds gone if { var(txn.e2e.gone) -m found }
    http-after-response add-header X-Holds elapsed if { var(txn.e2e.elapsed) -m found }
    http-after-response add-header X-Holds count if { var(txn.e2e.count) -m str /count }`

	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		r := router.New()
		r.Use(middleware.Recover(), middleware.Trace(), middleware.Timeout(2*time.Second))
		r.Handle("typed", func(_ context.Context, in typedIn) (*typedOut, error) {
			return &typedOut{
				Saw: fmt.Sprint(in.IP, " ", in.Port > 0, " ", in.Method, " ", in.Host != nil, " ", in.Headers.Get("X-Score"),
					" ", in.Query.Get("q"), " ", in.TLS, " ", in.Score, " ", in.None == nil),
				Score: -90,
				Ratio: in.Score / 2,
				IP:    netip.MustParseAddr("2001:db8::1"),
			}, nil
		})
		r.HandleActions("count", func(_ context.Context, in struct {
			Path string `spoe:"path"`
		}, acts *spoe.Actions) error {
			return acts.SetString(spoe.VarScopeTransaction, "count", in.Path)
		})

		a := startHandler(t, r)
		h := setup(t, bin, a.addr, conf, rules)

		resp := h.Get("/typed?q=a+b", "X-Score", "2.5")
		assert.Equal(t, "127.0.0.1 true GET true 2.5 a b false 2.5 true", resp.Header.Get("X-Saw"))
		assert.Equal(t, "1.25", resp.Header.Get("X-Ratio"))
		assert.Equal(t, "2001:db8::1", resp.Header.Get("X-IP"))
		assert.ElementsMatch(t, []string{"score", "ip", "elapsed"}, resp.Header.Values("X-Holds"))

		resp = h.Get("/count")
		assert.Contains(t, resp.Header.Values("X-Holds"), "count")

		// An argument that cannot be read costs no verdict.
		resp = h.Get("/typed", "X-Score", "many")
		assert.Equal(t, 200, resp.Status)
		assert.Equal(t, "127.0.0.1 true GET true many  false 0 true", resp.Header.Get("X-Saw"))
		assert.Zero(t, a.Stats().Errors)
		for _, l := range h.WaitSPOELogs(3) {
			assert.Zero(t, l.Status, l.Line)
		}
	})
}
