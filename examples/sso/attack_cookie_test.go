package main_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// TestTamperedCookies: only the cookie as it was given opens, at its own site.
func TestTamperedCookies(t *testing.T) {
	w := newWorld(t, newest(t))
	a := w.agents[0]
	b := newBrowser(t)
	b.login(w.wiki+"/", "alice")
	jar := b.cookies(w.wiki)
	good := jar["__Host-sso"]
	require.NotEmpty(t, good)
	with := func(value string) string {
		return a.ask(t, question{cookie: "__Host-sso=" + value}).Str("txn.decision")
	}
	require.Equal(t, "allow", with(good))
	assert.Equal(t, "allow", a.ask(t, question{cookie: "a=b; __Host-sso=" + good + "; __Host-sso=x"}).Str("txn.decision"), "the first of a name counts")
	assert.Equal(t, "login", a.ask(t, question{cookie: "__host-sso=" + good}).Str("txn.decision"), "names have a case")

	step := max(1, len(good)/150)
	for i := 0; i < len(good); i += step {
		other := byte('A')
		if good[i] == other {
			other = 'B'
		}
		assert.Equal(t, "login", with(good[:i]+string(other)+good[i+1:]), "byte %d changed", i)
		assert.Equal(t, "login", with(good[:i]), "cut at %d", i)
	}
	other := newBrowser(t)
	other.login(w.wiki+"/", "bob")
	bobs := other.cookies(w.wiki)["__Host-sso"]
	for name, value := range map[string]string{
		"longer":            good + "A",
		"twice":             good + good,
		"halves of two":     good[:len(good)/2] + bobs[len(bobs)/2:],
		"another count":     "2" + good[1:],
		"no count":          good[1:],
		"count of no digit": "x" + good[1:],
		"empty":             "",
		"one byte":          "1",
		"percent-encoded":   url.QueryEscape(good + "="),
		"padded":            good + "==",
		"100 KB":            "1" + strings.Repeat("A", 100<<10),
		"100 KB behind it":  good + strings.Repeat("A", 100<<10),
		"of a login":        "1" + newLogin(t, w),
	} {
		assert.Equal(t, "login", with(value), name)
	}
	assert.Equal(t, "login", a.decision(t, w.shop, jar), "another site's")
	assert.Equal(t, "login", a.ask(t, question{host: "shop.localhost", cookie: "__Host-sso=" + good}).Str("txn.decision"))
}

// newLogin returns the cookie's value of a login that only began.
func newLogin(t *testing.T, w *world) string {
	b := newBrowser(t)
	b.get(w.wiki + "/")
	for name, value := range b.cookies(w.wiki) {
		if strings.HasPrefix(name, "__Host-sso-login-") {
			return value
		}
	}
	t.Fatal("there is no login")
	return ""
}

// TestLongCookies: a session of many groups goes on in further cookies. A session that does
// not fit into all of them fails the login, and HAProxy itself refuses longer headers.
func TestLongCookies(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		var groups []string
		for range 40 {
			groups = append(groups, strings.Repeat("group-of-a-long-name-", 2)+strings.Repeat("x", len(groups)))
		}
		w.provider.SetGroups("alice", groups...)
		b := newBrowser(t)
		b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
		jar := b.cookies(w.wiki)
		require.Contains(t, jar, "__Host-sso1")
		for name, value := range jar {
			assert.LessOrEqual(t, len(name)+len(value), 4096)
			if strings.HasPrefix(name, "__Host-sso") && !strings.Contains(name, "tries") {
				thief := newBrowser(t)
				for other, value := range jar {
					if other != name {
						thief.setCookie(w.wiki, other, value)
					}
				}
				assert.Equal(t, 302, thief.once(w.wiki+"/").status, "without %s", name)
			}
		}
		for range 300 {
			groups = append(groups, strings.Repeat("g", 60))
		}
		w.provider.SetGroups("bob", groups...)
		r := newBrowser(t).login(w.wiki+"/", "bob")
		assert.GreaterOrEqual(t, r.status, 500)
		req, err := http.NewRequest(http.MethodGet, w.wiki+"/", nil)
		require.NoError(t, err)
		req.Header.Set("Cookie", "__Host-sso=1"+strings.Repeat("A", 100<<10))
		resp, err := newBrowser(t).Do(req)
		if err == nil { // HAProxy may close before it reads all
			resp.Body.Close()
			assert.GreaterOrEqual(t, resp.StatusCode, 400)
		}
		assert.NotContains(t, w.agents[0].Log.String(), "decision=allow reason=session user=bob")
	})
}

// TestKeyRotation: a new key in front takes over without a login, and one that is removed
// opens nothing any more.
func TestKeyRotation(t *testing.T) {
	w := newWorld(t, newest(t))
	a := w.agents[0]
	b := newBrowser(t)
	b.login(w.wiki+"/", "alice")
	old := settings(w.server.URL)
	const second = "another secret that is long enough for the tests"
	both := strings.Replace(old, `keys: ["`, `keys: ["`+second+`", "`, 1)
	require.NotEqual(t, old, both)
	a.rewrite(t, both)
	b.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
	a.clock.forward(15 * time.Minute) // the cookie is written again, by the new key
	b.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
	a.rewrite(t, strings.Replace(old, key, second, 1))
	b.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
	a.rewrite(t, old)
	assert.Equal(t, 302, b.once(w.wiki+"/").status)
}
