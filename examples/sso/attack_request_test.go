package main_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// raw sends a request as it stands and returns the status and all that came.
func (w *world) raw(t *testing.T, lines ...string) (status int, text string) {
	t.Helper()
	c, err := tls.Dial("tcp", w.h.Addr("https"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n")
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err, lines)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

// TestIdentityHeadersCannotBeForged: a visitor's own never reach the site, on pages with
// a login and without, over HTTP/1 and HTTP/2.
func TestIdentityHeadersCannotBeForged(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b := newBrowser(t)
		b.login(w.wiki+"/", "bob")
		cookie := "Cookie: " + header(b.cookies(w.wiki))
		host := "Host: " + strings.TrimPrefix(w.wiki, "https://")
		for _, forged := range [][]string{
			{"X-Auth-User: root"}, {"x-auth-user: root"}, {"X_Auth_User: root"}, {"X-AUTH_USER: root"}, {"X-Auth-User: root", "X-Auth-User: admin"},
			{"X-Auth-Groups: admins"}, {"X_AUTH_GROUPS: admins"}, {"X-Auth-Mail: root@example.com"}, {"x.auth.user: root"}, {"X-Auth-User:root"}, {"X-Auth-User:", "X-Auth-Groups: admins"},
		} {
			status, text := w.raw(t, append([]string{"GET /public/ HTTP/1.1", host, "Connection: close"}, forged...)...)
			assert.Equal(t, 200, status, forged)
			assert.Contains(t, text, `<b id="user"></b> &lt;<span id="mail"></span>&gt;, in the groups <span id="groups"></span>`, forged)
			status, text = w.raw(t, append([]string{"GET / HTTP/1.1", host, "Connection: close", cookie}, forged...)...)
			assert.Equal(t, 200, status, forged)
			assert.Contains(t, text, `<b id="user">bob</b> &lt;<span id="mail">bob@example.com</span>&gt;, in the groups <span id="groups">staff</span>`, forged)
			name, value, _ := strings.Cut(forged[len(forged)-1], ":")
			assert.NotContains(t, b.get(w.wiki+"/", name, value).body, strings.TrimSpace(value)+"<", "%s over HTTP/2", name)
		}
		for _, listed := range [][]string{
			{"Connection: close, X-Auth-User"}, {"Connection: x_auth_groups"}, {"Connection: keep-alive,X-AUTH-MAIL"}, {"connection:\tX-Auth-User\t"},
			{"Connection: close", "Connection: X-Auth-User"}, {"Connection: ,,X-Auth-User,,"}, {"CONNECTION: close,x.auth.groups"},
		} {
			status, _ := w.raw(t, append([]string{"GET / HTTP/1.1", host, cookie}, listed...)...)
			assert.Equal(t, 400, status, listed)
		}
		for _, broken := range []string{"X-Auth-User : root", " X-Auth-User: root", "X-Auth-User\x00: root", "X-Auth\x00-User: root"} {
			status, text := w.raw(t, "GET / HTTP/1.1", host, "Connection: close", cookie, broken)
			assert.NotContains(t, text, "root", "%q: %d", broken, status)
		}
		w.provider.SetGroups("bob", "staff", "x,admins", "y\r\nX-Auth-User: root", "")
		b = newBrowser(t)
		assert.Contains(t, b.login(w.wiki+"/", "bob").body, `<b id="user">bob</b> &lt;<span id="mail">bob@example.com</span>&gt;, in the groups <span id="groups">staff</span>`)
		assert.Equal(t, 403, b.get(w.wiki+"/admin/").status)
	})
}

// TestPathSpellings: no spelling of a path gets past the rule of the page that a site may
// serve for it.
func TestPathSpellings(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b := newBrowser(t)
		b.login(w.wiki+"/", "bob")
		host, cookie := "Host: "+strings.TrimPrefix(w.wiki, "https://"), "Cookie: "+header(b.cookies(w.wiki))
		for _, path := range []string{
			"/secret/", "/secret", "/SECRET/", "//secret/", "/./secret/", "/x/../secret/", "/public/../secret/", "/public/..%2fsecret/", "/public/%2e%2e/secret/",
			"/public/..;/secret/", "/secret;a=b/", "/%73ecret/", "/%53ecret/x", `/public\..\secret/`, "/public/..%5csecret/", "/public/%252e%252e/secret/", "/secret%00/", "/secret%2f",
			"/public//..//secret/", "/public/%2e./secret/", "/public/.%2e/secret/", "/%2fsecret/", "/secret/?x", "/%zz/secret/", "/public/%", "/admin", "/admin/", "//ADMIN//x", "/adm%69n/x;y",
		} {
			status, text := w.raw(t, "GET "+path+" HTTP/1.1", host, "Connection: close", cookie, "Accept: */*")
			assert.True(t, status == 403 || status == 400, "%s: %d", path, status)
			assert.NotContains(t, text, `id="user"`, path)
		}
		for _, target := range []string{"https://wiki.localhost:" + port(w.wiki) + "/secret/", "https://other.localhost/", "*", "/public/x"} {
			method := "GET"
			if target == "*" {
				method = "OPTIONS"
			}
			status, text := w.raw(t, method+" "+target+" HTTP/1.1", host, "Connection: close", "Accept: */*")
			if target == "/public/x" {
				assert.Equal(t, 200, status)
				continue
			}
			assert.GreaterOrEqual(t, status, 400, target)
			assert.NotContains(t, text, `id="user"`, target)
		}
	})
	a := startAgent(t, settings("http://127.0.0.1:1"))
	for _, q := range []question{
		{target: "*"}, {target: "*", method: "POST"}, {target: "wiki.localhost:443", method: "CONNECT"}, {target: "https://shop.localhost/", host: "wiki.localhost"}, {target: " "}, {target: "\x00"}, {target: "x"},
	} {
		assert.Equal(t, "refuse", a.ask(t, q).Str("txn.decision"), fmt.Sprint(q))
	}
}

// TestTrailers: headers behind a body are none of the site's, though some servers put them
// among the others. HAProxy up to 3.0 cannot remove them.
func TestTrailers(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b := newBrowser(t)
		b.login(w.wiki+"/", "bob")
		host, cookie := "Host: "+strings.TrimPrefix(w.wiki, "https://"), "Cookie: "+header(b.cookies(w.wiki))
		status, text := w.raw(t, "POST /form HTTP/1.1", host, "Connection: close", cookie, "Transfer-Encoding: chunked", "Trailer: X-Auth-User", "",
			"3", "a=b", "0", "X-Auth-User: root", "x_auth_groups: admins")
		assert.Equal(t, 200, status)
		assert.Contains(t, text, `<b id="user">bob</b>`)
		if bin.AtLeast("3.2") {
			assert.Contains(t, text, `<span id="trailers">0</span>`)
		}
	})
}
