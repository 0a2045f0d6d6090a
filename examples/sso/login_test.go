package main_test

import (
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
		w.agents[0].log.wait(t, regexpQuote(`msg="logged in" user=alice host=wiki.localhost provider=main`))

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

// TestRules: what each rule does, for browsers and programs.
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
