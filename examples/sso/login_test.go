package main_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// TestLogin: a whole login by a plain HTTP client, and everything after it.
func TestLogin(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b := newBrowser(t)
		asked := w.wiki + "/page//a?b=c%2fd&e=%26"
		r := b.login(asked, "alice")
		r.shows(t, asked, "alice")
		assert.Contains(t, r.body, "alice@example.com")
		assert.Contains(t, r.body, `<span id="groups">staff,admins</span>`)
		w.agents[0].Log.Wait(t, regexp.QuoteMeta(`msg="logged in" user=alice host=wiki.localhost provider=main`))

		before := w.provider.Requests()
		for range 5 {
			b.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
		}
		assert.Equal(t, before, w.provider.Requests(), "a session asks nobody")

		b.get(w.shop+"/cart").shows(t, w.shop+"/cart", "alice")
		b.get(w.wiki+"/admin/x").shows(t, w.wiki+"/admin/x", "alice")

		r = b.get(w.wiki + "/.sso/logout")
		assert.Contains(t, r.body, "Log out?", "a foreign site's link asks first")
		r = b.do("POST", w.wiki+"/.sso/logout", "", "Sec-Fetch-Site", "same-origin")
		assert.Equal(t, w.wiki+"/.sso/bye", r.url)
		assert.Contains(t, r.body, "You are logged out")
		assert.True(t, b.get(w.wiki+"/").atLogin(), "it asks again")
	})
}

// TestRules: each kind of rule, for browsers and programs.
func TestRules(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b := newBrowser(t)
		b.get(w.wiki+"/public/a").shows(t, w.wiki+"/public/a", "")
		b.get(w.wiki+"/healthz").shows(t, w.wiki+"/healthz", "")
		assert.Equal(t, 403, b.get(w.wiki+"/secret/").status)
		assert.Contains(t, b.get(w.wiki+"/secret/a").body, "You may not see this page")
		assert.Equal(t, 403, b.get(w.wiki+"/secret/a", "Accept", "application/json").status)
		assert.Equal(t, 403, b.get(w.wiki+"/inside/a").status, "127.0.0.1 is not in the network")
		assert.Equal(t, 403, b.do("DELETE", w.wiki+"/a", "").status, "no rule")

		r := b.once(w.wiki+"/a", "Accept", "application/json")
		assert.Equal(t, 401, r.status)
		assert.Equal(t, `Bearer realm="wiki.localhost"`, r.header.Get("WWW-Authenticate"))
		assert.Equal(t, 401, b.once(w.wiki+"/a", "Sec-Fetch-Mode", "cors").status, "a script's request is not redirected")
		assert.Equal(t, 302, b.once(w.wiki+"/a", "Accept", "*/*", "Sec-Fetch-Mode", "navigate").status)
		assert.Equal(t, 401, b.do("POST", w.wiki+"/a", "x=y").status)

		b.login(w.wiki+"/", "bob").shows(t, w.wiki+"/", "bob")
		r = b.get(w.wiki + "/admin/")
		assert.Equal(t, 403, r.status)
		assert.Contains(t, r.body, "You are logged in as <b>bob</b>")
		b.do("POST", w.wiki+"/a", "x=y").shows(t, w.wiki+"/a", "bob")

		r = b.get("https://other.localhost:" + port(w.wiki) + "/")
		assert.Equal(t, 403, r.status, "a host without a site")
		assert.NotContains(t, r.body, `id="user"`)
	})
}

// TestClaimRules: a rule's claims must all be the user's, from the login and from a token.
func TestClaimRules(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin, func(issuer string) string {
			return strings.Replace(settings(issuer), "      - {paths: [/admin/]", `      - {paths: [/it/], claims: {department: it}}
      - {paths: [/scope/], claims: {scope: write}}
      - {paths: [/both/], claims: {department: it, roles: editor}}
      - {paths: [/verified/], claims: {email_verified: "true"}}
      - {paths: [/admin/]`, 1)
		})
		w.provider.SetAlter(func(c map[string]any) {
			if c["sub"] == "id-alice" {
				c["department"], c["roles"] = "it", []string{"author", "editor"}
			} else {
				c["department"], c["roles"] = "it-not", "editor"
			}
		})
		alice, bob := newBrowser(t), newBrowser(t)
		alice.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
		bob.login(w.wiki+"/", "bob").shows(t, w.wiki+"/", "bob")
		for _, path := range []string{"/it/", "/it/x", "/both/", "/verified/"} {
			alice.get(w.wiki+path).shows(t, w.wiki+path, "alice")
		}
		bob.get(w.wiki+"/verified/").shows(t, w.wiki+"/verified/", "bob")
		for _, path := range []string{"/it/", "/IT/x", "/both/"} {
			r := bob.get(w.wiki + path)
			assert.Equal(t, 403, r.status, path)
			assert.NotContains(t, r.body, `id="user"`, path)
		}
		for value, want := range map[string]int{"it": 200, "IT": 403, "": 403, "it ": 403, "not-it": 403, "sales it": 403} {
			r := w.api(newBrowser(t), "/it/", w.token(map[string]any{"department": value}))
			assert.Equal(t, want, r.status, "%q", value)
		}
		for value, want := range map[string]int{"read": 403, "read write": 200, "rewrite": 403} {
			r := w.api(newBrowser(t), "/scope/", w.token(map[string]any{"scope": value}))
			assert.Equal(t, want, r.status, "%q", value)
		}
		assert.Equal(t, 403, w.api(newBrowser(t), "/it/", w.token(map[string]any{"department": []string{"not it"}})).status)
		assert.Equal(t, 200, w.api(newBrowser(t), "/it/", w.token(map[string]any{"department": []string{"x", "it"}})).status)
		assert.Equal(t, 403, w.api(newBrowser(t), "/it/", w.token(nil)).status, "no such claim")
	})
}
