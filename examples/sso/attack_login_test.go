package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/sso/internal/lab"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// newest returns the newest HAProxy, for attacks on the agent alone.
func newest(t *testing.T) haproxytest.Binary {
	t.Helper()
	found, err := haproxytest.Installed()
	require.NoError(t, err)
	require.NotEmpty(t, found, "make haproxy installs it")
	return found[len(found)-1]
}

// callback follows a login up to the provider's answer, and returns the address of that.
func (b *browser) callback(page, user string) string {
	b.t.Helper()
	c := *b.Client
	c.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.Path, "/.sso/callback/") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	on := &browser{&c, b.t}
	r := on.get(page) // the provider may know the user already
	if r.atLogin() {
		r = on.login(page, user)
	}
	require.Contains(b.t, r.location, "/.sso/callback/main?")
	return r.location
}

// TestForgedCallback: states and codes that are not the browser's own.
func TestForgedCallback(t *testing.T) {
	w := newWorld(t, newest(t))
	refused := func(b *browser, address, why string) {
		t.Helper()
		r := b.get(address)
		assert.GreaterOrEqual(t, r.status, 400, why)
		assert.NotContains(t, b.cookies(w.wiki), "__Host-sso", why)
	}
	change := func(address, name, value string) string {
		u, err := url.Parse(address)
		require.NoError(t, err)
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	value := func(address, name string) string {
		u, _ := url.Parse(address)
		return u.Query().Get(name)
	}

	victim, attacker := newBrowser(t), newBrowser(t)
	theirs := attacker.callback(w.wiki+"/", "bob")
	refused(victim, theirs, "the attacker's own login, given to a victim")
	mine := victim.callback(w.wiki+"/", "alice")
	for _, state := range []string{"", "x", strings.Repeat("A", 26), value(mine, "state")[:8] + strings.Repeat("A", 18), strings.Repeat("x", 10000)} {
		refused(victim, change(mine, "state", state), "forged state "+state[:min(len(state), 30)])
	}
	// The attempts above have not used the login up unless they named its cookie.
	mine = victim.callback(w.wiki+"/", "alice")
	refused(victim, change(mine, "code", value(theirs, "code")), "the attacker's code in the victim's login: PKCE and nonce differ")
	mine = victim.callback(w.wiki+"/", "alice")
	refused(victim, change(mine, "iss", "https://evil.example"), "mixed-up providers")
	mine = victim.callback(w.wiki+"/", "alice")
	refused(victim, strings.Replace(mine, "callback/main", "callback/other", 1), "another provider's callback")
	mine = victim.callback(w.wiki+"/", "alice")
	refused(victim, change(mine, "error", "access_denied"), "an error beside a code")
	mine = victim.callback(w.wiki+"/", "alice")
	refused(victim, strings.Replace(mine, "wiki.", "shop.", 1), "a login of another site")
	mine = victim.callback(w.wiki+"/", "alice")
	w.agents[0].clock.forward(11 * 60e9)
	refused(victim, mine, "a login that took too long")
	w.agents[0].clock.reset()

	mine = victim.callback(w.wiki+"/", "alice")
	before := victim.cookies(w.wiki)
	victim.get(mine).shows(t, w.wiki+"/", "alice")
	victim.do("POST", w.wiki+"/.sso/logout", "")
	refused(victim, mine, "replayed")
	for name, value := range before {
		victim.setCookie(w.wiki, name, value)
	}
	refused(victim, mine, "replayed with its cookie: the provider takes a code once")
}

// TestMixedUpProviders: an evil provider sends a browser on to the honest one, to get its
// code. The honest one answers at its own callback, where the evil one's state is refused.
func TestMixedUpProviders(t *testing.T) {
	got := make(chan string, 10)
	var evil *httptest.Server
	var honest string
	evil = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			fmt.Fprintf(rw, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q,"id_token_signing_alg_values_supported":["RS256"]}`,
				evil.URL, evil.URL+"/auth", evil.URL+"/token", evil.URL+"/keys")
		case "/keys":
			fmt.Fprint(rw, `{"keys":[]}`)
		case "/auth":
			q := r.URL.Query()
			q.Set("client_id", lab.ClientID)
			q.Set("redirect_uri", strings.Replace(q.Get("redirect_uri"), "callback/evil", "callback/main", 1))
			http.Redirect(rw, r, honest+"/authorize?"+q.Encode(), http.StatusFound)
		default:
			got <- r.FormValue("code")
		}
	}))
	defer evil.Close()
	w := newWorld(t, newest(t), func(issuer string) string {
		honest = issuer
		s := strings.Replace(settings(issuer), "sites:", fmt.Sprintf("  - {name: evil, issuer: %q, client-id: x}\nsites:", evil.URL), 1)
		return strings.Replace(s, "hosts: [shop.localhost]\n    provider: main", "hosts: [shop.localhost]\n    provider: evil", 1)
	})
	require.Eventually(t, func() bool { return newBrowser(t).once(w.shop+"/.sso/login").status == 302 }, patience, 20*1e6)
	b := newBrowser(t)
	r := b.login(w.shop+"/", "alice")
	assert.Equal(t, 400, r.status, r.url)
	w.agents[0].Log.Wait(t, "another provider answers than was asked")
	assert.NotContains(t, b.cookies(w.shop), "__Host-sso")
	assert.Empty(t, got, "the evil provider has a code of the honest one")
}

// TestOpenRedirect: no spelling of an address leads away from the site.
func TestOpenRedirect(t *testing.T) {
	w := newWorld(t, newest(t))
	b := newBrowser(t)
	away := []string{
		"https://evil.example/", "//evil.example/", "///evil.example/", "////evil.example/%2f..", `/\evil.example/`, `\\evil.example/`, `/\/evil.example/`,
		"https:evil.example", "https:///evil.example", "http://evil.example", "javascript:alert(1)", "data:text/html,x", "/%09/evil.example/", "/%5cevil.example",
		"//evil.example%2f@wiki.localhost/", "https://wiki.localhost@evil.example/", "https://wiki.localhost.evil.example/", "%2f%2fevil.example", "/.evil.example",
		"@evil.example", ".evil.example/", ":443@evil.example/", "https%3a%2f%2fevil.example", "/\tevil.example", "//evil%E3%80%82example", "?rd=https://evil.example", "#//evil.example",
	}
	stays := func(location, spelling string) {
		t.Helper()
		u, err := url.Parse(location)
		require.NoError(t, err, spelling)
		assert.Equal(t, strings.TrimPrefix(w.wiki, "https://"), u.Host, spelling)
		assert.Equal(t, "https", u.Scheme, spelling)
		assert.Nil(t, u.User, spelling)
	}
	for _, spelling := range away {
		for _, parameter := range []string{"rd", "return", "redirect", "next", "post_logout_redirect_uri"} {
			b.get(w.wiki + "/.sso/login?" + url.Values{parameter: {spelling}}.Encode())
		}
		for _, page := range []string{"/.sso/logout?", "/.sso/refresh?", "/.sso/bye?", "/.sso/forbidden?"} {
			c := newBrowser(t)
			for _, parameter := range []string{"rd", "post_logout_redirect_uri"} {
				r := c.once(w.wiki+page+url.Values{parameter: {spelling}}.Encode(), "Sec-Fetch-Site", "none")
				if r.location != "" && !strings.HasPrefix(r.location, w.server.URL+"/") {
					stays(r.location, page+spelling)
				}
			}
		}
		// The address after the login: signed, so it is none of a visitor's.
		c := newBrowser(t)
		r := c.once(c.callback(w.wiki+"/.sso/login?rd="+url.QueryEscape(spelling), "alice"))
		assert.Equal(t, w.wiki+"/", r.location, spelling)
	}
	// A page of such a name is the site's own.
	for _, path := range []string{"//evil.example/", "///evil.example", "/@evil.example/", "/.evil.example/", "/https://evil.example/"} {
		c := newBrowser(t)
		stays(c.once(w.wiki+path).location, path)
		stays(c.once(c.callback(w.wiki+path, "alice")).location, path)
	}
	// A Host header is one of a site's, or there is no answer that names it.
	for _, host := range []string{"evil.example", "wiki.localhost@evil.example", "wiki.localhost:80@evil.example", "wiki.localhost/evil", "wiki.localhost:x",
		"wiki.localhost.evil.example", "evil.example:443", "wiki.localhost ", "wiki.localhost:443:443", "[::1]", "", "."} {
		got := w.agents[0].ask(t, question{host: host})
		if host == "" {
			continue // it stands for the site's own
		}
		assert.NotEqual(t, "login", got.Str("txn.decision"), host)
		assert.NotEqual(t, "allow", got.Str("txn.decision"), host)
		assert.Empty(t, got.Str("txn.location"), host)
	}
	got := w.agents[0].ask(t, question{host: "WIKI.localhost.:8443"})
	assert.True(t, strings.HasPrefix(got.Str("txn.location"), "https://wiki.localhost:8443/.sso/login?rd="), got.Str("txn.location"))

	// Signed for one site and used at another, or with another purpose.
	rd := func(site string) string {
		u, _ := url.Parse(newBrowser(t).once(site + "/page").location)
		return u.Query().Get("rd")
	}
	c := newBrowser(t)
	assert.Equal(t, w.shop+"/", c.once(c.callback(w.shop+"/.sso/login?rd="+rd(w.wiki), "alice")).location)
	b.login(w.wiki+"/", "alice")
	c = newBrowser(t)
	assert.Equal(t, w.wiki+"/", c.once(c.callback(w.wiki+"/.sso/login?rd="+b.cookies(w.wiki)["__Host-sso"][1:], "alice")).location)
}

// TestNoLoop: a browser that drops the session's cookie is not sent to and fro for ever.
func TestNoLoop(t *testing.T) {
	w := newWorld(t, newest(t))
	b := newBrowser(t)
	b.login(w.wiki+"/", "alice")
	for i := 0; ; i++ {
		b.setCookie(w.wiki, "__Host-sso", "")
		r := b.get(w.wiki + "/")
		if r.status == http.StatusBadRequest {
			assert.Contains(t, r.body, "does not keep this site&#39;s cookies")
			break
		}
		require.Less(t, i, 10, "it goes on")
	}
	none := newBrowser(t)
	none.Jar = nil
	r := none.login(w.wiki+"/", "alice")
	assert.Equal(t, 400, r.status)
}

// TestLogoutOfAnotherSite: another site cannot log people out.
func TestLogoutOfAnotherSite(t *testing.T) {
	w := newWorld(t, newest(t))
	b := newBrowser(t)
	b.login(w.wiki+"/", "alice")
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", w.shop}} {
		assert.Equal(t, 403, b.do("POST", w.wiki+"/.sso/logout", "", headers...).status, headers)
	}
	b.get(w.wiki+"/.sso/logout", "Sec-Fetch-Site", "cross-site")
	b.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
}

// TestIDToken: an ID token with one thing wrong, and everything else right, is refused.
func TestIDToken(t *testing.T) {
	w := newWorld(t, newest(t))
	refused := 0
	for _, tt := range []struct {
		name  string
		alter func(claims map[string]any)
		log   string // empty: it is good
	}{
		{"nothing wrong", func(map[string]any) {}, ""},
		{"for this client among others", func(c map[string]any) { c["aud"] = []string{"other", lab.ClientID}; c["azp"] = lab.ClientID }, ""},
		{"nonce of another login", func(c map[string]any) { c["nonce"] = strings.Repeat("A", 26) }, "its nonce differs"},
		{"no nonce", func(c map[string]any) { delete(c, "nonce") }, "its nonce differs"},
		{"empty nonce", func(c map[string]any) { c["nonce"] = "" }, "its nonce differs"},
		{"issued to another client", func(c map[string]any) { c["aud"] = []string{"other", lab.ClientID}; c["azp"] = "other" }, "its azp differs"},
		{"other audience", func(c map[string]any) { c["aud"] = "other" }, "expected audience"},
		{"other issuer", func(c map[string]any) { c["iss"] = "https://evil.example" }, "issued by a different provider"},
		{"expired", func(c map[string]any) { c["exp"] = 1_700_000_000 }, "token is expired"},
		{"of another access token", func(c map[string]any) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }, "access token hash does not match"},
		{"about no user", func(c map[string]any) { delete(c, "sub"); delete(c, "preferred_username") }, "the provider names no user"},
	} {
		w.provider.SetAlter(tt.alter)
		b := newBrowser(t)
		r := b.login(w.wiki+"/", "alice")
		if tt.log == "" {
			assert.Equal(t, 200, r.status, tt.name)
			continue
		}
		assert.Equal(t, http.StatusForbidden, r.status, tt.name)
		assert.NotContains(t, b.cookies(w.wiki), "__Host-sso", tt.name)
		refused++
		w.agents[0].Log.Wait(t, fmt.Sprintf(`(?s)(?:login refused.*?){%d}login refused[^\n]*%s`, refused-1, regexp.QuoteMeta(tt.log)))
	}
}

// TestRefreshedIDToken: an ID token about another user does not become the session's.
func TestRefreshedIDToken(t *testing.T) {
	w := newWorld(t, newest(t))
	b := newBrowser(t)
	b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
	w.provider.SetAlter(func(c map[string]any) { c["sub"], c["preferred_username"] = "id-root", "root" })
	w.agents[0].clock.forward(11 * time.Minute)
	r := b.once(w.wiki + "/.sso/refresh")
	assert.Equal(t, 302, r.status)
	assert.Contains(t, r.location, w.server.URL, "it leads to a new login")
}
