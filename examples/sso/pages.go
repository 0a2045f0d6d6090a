package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/spoke-go/spoke/auth/session"
	"github.com/spoke-go/spoke/codec"
)

// The pages' addresses, below each site. HAProxy sends them here, not to the site.
const (
	pagesPath     = "/.sso/"
	loginPath     = pagesPath + "login"
	refreshPath   = pagesPath + "refresh"
	callbackPath  = pagesPath + "callback/"
	logoutPath    = pagesPath + "logout"
	byePath       = pagesPath + "bye"
	forbiddenPath = pagesPath + "forbidden"
	backPath      = pagesPath + "backchannel/"
	healthPath    = pagesPath + "health"
)

//go:embed pages/page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// message is the content of a page.
type message struct {
	Title, Text, User, Link, LinkText string
	Logout                            bool // a button to log out
}

// visit is a request for a page.
type visit struct {
	*sso
	*http.Request
	w    http.ResponseWriter
	gate *gate
	site *site
	host codec.Host
	now  time.Time
}

// pages are the pages for login and logout.
func (a *sso) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthPath, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	on := func(pattern string, serve func(*visit)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			g := a.gate()
			host, _ := codec.ParseHost(r.Host) // the zero Host has no site
			site, _ := g.sites.Find(host)
			v := &visit{sso: a, w: w, Request: r, gate: g, host: host, site: site, now: a.now()}
			h := w.Header()
			h.Set("Cache-Control", "no-store")
			h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("X-Content-Type-Options", "nosniff")
			if v.site == nil || v.site.provider == nil && pattern != forbiddenPath {
				v.say(http.StatusForbidden, message{Title: "No access", Text: "This address has no login."})
				return
			}
			serve(v)
		})
	}
	on("GET "+loginPath, (*visit).login)
	on("GET "+refreshPath, (*visit).refresh)
	on("GET "+callbackPath+"{provider}", (*visit).callback)
	on("GET "+logoutPath, (*visit).askLogout)
	on("POST "+logoutPath, (*visit).logout)
	on("POST "+backPath+"{provider}", (*visit).backchannel)
	on("GET "+byePath, func(v *visit) {
		v.say(http.StatusOK, message{Title: "You are logged out", Link: "/", LinkText: "Log in again"})
	})
	on(forbiddenPath, func(v *visit) {
		m := message{Title: "No access", Text: "You may not see this page."}
		if v.site.provider != nil {
			if s := v.session(); s != nil {
				m.User, m.Logout = s.Name, true
			}
		}
		v.say(http.StatusForbidden, m)
	})
	return mux
}

// session is the browser's session, or nil.
func (v *visit) session() *session.Session {
	return v.gate.sessions.Read(v.cookie(), v.host.Name, v.now)
}

// cookie returns the request's last Cookie header, which the agent also gets in a message.
func (v *visit) cookie() string {
	all := v.Header["Cookie"]
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

func (v *visit) say(status int, m message) {
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_ = page.Execute(v.w, m) // the visitor may be gone
}

func (v *visit) fail(status int, text string) {
	if status == http.StatusServiceUnavailable {
		v.w.Header().Set("Retry-After", "10")
	}
	v.say(status, message{Title: "The login did not succeed", Text: text, Link: "/", LinkText: "Try again"})
}

// set sets a cookie.
func (v *visit) set(name, value string, age time.Duration) {
	if h, err := session.Host(name, value, age).Append(nil); err == nil {
		v.w.Header().Add("Set-Cookie", string(h))
	}
}

// add adds Set-Cookie headers.
func (v *visit) add(headers []string) {
	for _, h := range headers {
		v.w.Header().Add("Set-Cookie", h)
	}
}

// redirect leads to a path of the same host.
func (v *visit) redirect(path string) { v.leave("https://" + v.host.String() + path) }

func (v *visit) leave(address string) {
	v.w.Header().Set("Location", address)
	v.w.WriteHeader(http.StatusFound)
}

// cookieName is the session's cookie; the names of all others begin with it.
const cookieName = "__Host-sso"

const (
	triesCookie = cookieName + "-tries"
	maxTries    = 8
)

// tries returns the number of sessions that the browser got within a minute.
func (v *visit) tries() int {
	text, _ := codec.Cookie(v.cookie(), triesCookie)
	n, _ := strconv.Atoi(text)
	return max(n, 0)
}

// loops answers a browser that gets sessions but does not keep them: redirects would never
// end.
func (v *visit) loops() bool {
	if v.tries() < maxTries {
		return false
	}
	v.set(triesCookie, "", -1)
	v.fail(http.StatusBadRequest, "Your browser does not keep this site's cookies. Allow them, and check your clock.")
	return true
}

// maxReturn is the maximum length of a return address; HAProxy must fit it into a header.
const maxReturn = 3 << 10

// sealReturn returns a text that stands for a path of a host, which may have a query. Only
// the agent can make such a text.
func (g *gate) sealReturn(host, path string, now time.Time) string {
	if len(path) > maxReturn {
		path = "/"
	}
	return g.keys.Seal([]byte(path), now.Add(time.Hour), "return", host)
}

// returnPath is the sealed path of a request, or "/".
func (v *visit) returnPath() string {
	path, ok := v.gate.keys.Open(v.URL.Query().Get("rd"), v.now, "return", v.host.Name)
	if !ok || !bytes.HasPrefix(path, []byte("/")) {
		return "/"
	}
	return string(path)
}
