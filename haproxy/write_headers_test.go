package haproxy_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

type identity struct {
	Decision string `spoe:"decision"`
	User     string `spoe:"user,omitempty"`
}

// gate lets /user in as alice, sends /pages to the pages and lets the rest in without a
// user.
func gate() *router.Router {
	r := router.New()
	r.Handle("who", func(_ context.Context, in struct {
		Path string `spoe:"path" fetch:"path"`
	}) (identity, error) {
		switch in.Path {
		case "/user":
			return identity{Decision: "allow", User: "alice"}, nil
		case "/pages":
			return identity{Decision: "page"}, nil
		case "/denied":
			return identity{Decision: "deny"}, nil
		}
		return identity{Decision: "allow"}, nil
	}).Group("ask")
	return r
}

// TestWrittenHeadersAndPages: the site gets the agent's headers and none of a visitor's
// own, however it writes their names, and the agent's pages get their requests.
func TestWrittenHeadersAndPages(t *testing.T) {
	tell := func(who string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, who)
			for name, values := range r.Header {
				if got := strings.ToLower(name); strings.HasPrefix(got, "x") && strings.Contains(got, "user") {
					fmt.Fprintf(w, " %s=%s", got, values)
				}
			}
		}))
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	f := write(t, gate(), haproxy.Config{
		Engine: "guard", FailClosed: true, Processing: 5 * time.Second,
		Headers: map[string]string{"X-Auth-User": "user"},
		Rules:   []string{`# What the verdict doesn't allow: "403".`, "http-request deny deny_status 403 unless { var(txn.guard.decision) -m str allow page }"},
		Pages:   &haproxy.Pages{Servers: []string{tell("pages")}, If: "{ var(txn.guard.decision) -m str page }", Check: "/health"},
	})
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		cfg := around(f, spoetest.Serve(t, gate()))
		cfg.Config = cfg.Config[:strings.Index(cfg.Config, "    http-request return")] + "    default_backend site\nbackend site\n    server site " + tell("site") + "\n"
		warnings, err := haproxytest.Check(t, bin, cfg)
		require.NoError(t, err)
		assert.Empty(t, warnings)
		h := haproxytest.Start(t, bin, cfg)
		assert.Equal(t, "site x-auth-user=[alice]", h.Get("/user").Body)
		assert.Equal(t, 403, h.Get("/denied").Status)
		assert.Eventually(t, func() bool { return h.Get("/pages").Body == "pages" }, 30*time.Second, 50*time.Millisecond)
		for _, name := range []string{"X-Auth-User", "x-auth-user", "X_Auth_User", "X-AUTH_USER", "x_auth-user", "X.Auth.User", "X~Auth-User"} {
			assert.Equal(t, "site", h.Get("/", name, "root").Body, name)
			assert.Equal(t, "site x-auth-user=[alice]", h.Get("/user", name, "root", name, "admin").Body, name)
		}
		for _, listed := range []string{"X-Auth-User", "close, x-auth-user", "keep-alive,X_AUTH_USER"} {
			assert.Equal(t, 400, h.Get("/user", "Connection", listed).Status, listed)
		}
		assert.Equal(t, "site xx-auth-user=[other]", h.Get("/", "XX-Auth-User", "other").Body, "another header is left alone")
	})
}

func TestWriteRefusesHeadersAndPages(t *testing.T) {
	for want, c := range map[string]haproxy.Config{
		`"X-Auth User" is no name of a header`:               {Headers: map[string]string{"X-Auth User": "user"}},
		`names "usr", which no message sets`:                 {Headers: map[string]string{"X-Auth-User": "usr"}},
		`Config.Headers needs HAProxy 2.6`:                   {Headers: map[string]string{"X-Auth-User": "user"}, Version: "2.4"},
		`Config.Rules: "http-request deny\nhttp" is not for`: {Rules: []string{"http-request deny\nhttp"}},
		`Config.Pages.Servers is empty`:                      {Pages: &haproxy.Pages{If: "{ always_true }"}},
		`Config.Pages.If is empty`:                           {Pages: &haproxy.Pages{Servers: []string{"127.0.0.1:1"}}},
		`Config.Pages.Servers: "localhost" has no port`:      {Pages: &haproxy.Pages{Servers: []string{"localhost"}, If: "{ always_true }"}},
		`Config.Pages.Check: "health" is no path`:            {Pages: &haproxy.Pages{Servers: []string{"127.0.0.1:1"}, If: "{ always_true }", Check: "health"}},
	} {
		c.Engine = "guard"
		_, err := haproxy.Write(haproxy.Describe(gate()), c)
		require.Error(t, err, want)
		assert.Contains(t, strings.ReplaceAll(err.Error(), `\n`, "\n"), strings.ReplaceAll(want, `\n`, "\n"))
	}
}
