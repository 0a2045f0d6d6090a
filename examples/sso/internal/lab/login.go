package lab

import (
	"crypto/sha256"
	"fmt"
	"html"
	"net/http"
)

func (p *Provider) showLogin(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("authRequestID")
	if c, err := r.Cookie("login"); err == nil {
		p.mu.Lock()
		user := p.seen[c.Value]
		p.mu.Unlock()
		if user != "" && p.CheckUsernamePassword(user, Password, id) == nil {
			http.Redirect(w, r, p.callback(r.Context(), id), http.StatusFound)
			return
		}
	}
	p.form(w, id, "")
}

func (p *Provider) takeLogin(w http.ResponseWriter, r *http.Request) {
	id, user := r.FormValue("id"), r.FormValue("username")
	if err := p.CheckUsernamePassword(user, r.FormValue("password"), id); err != nil {
		p.form(w, id, err.Error())
		return
	}
	session := fmt.Sprintf("%x", sha256.Sum256([]byte(id+user)))
	p.mu.Lock()
	p.seen[session] = user
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "login", Value: session, Path: "/", HttpOnly: true})
	http.Redirect(w, r, p.callback(r.Context(), id), http.StatusFound)
}

func (p *Provider) form(w http.ResponseWriter, id, wrong string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><title>Login</title><body style="font:16px/1.6 system-ui,sans-serif;max-width:22rem;margin:4rem auto">
<h1>Log in</h1>
<p>This is the OpenID Connect provider at %s.
<form method="post" action="/login/username"><input type="hidden" name="id" value="%s">
<p><label>Name<br><input name="username" id="username" autofocus></label>
<p><label>Password<br><input name="password" id="password" type="password"></label>
<p><button id="submit">Log in</button> <span style="color:#b00">%s</span></form></body>
`, html.EscapeString(p.issuer), html.EscapeString(id), html.EscapeString(wrong))
}
