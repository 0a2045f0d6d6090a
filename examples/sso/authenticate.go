package main

import (
	"context"
	"net/url"
	"strings"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/session"
)

// authenticate finds the user who sends a request: by the bearer token or the password, if
// there is one, and otherwise by the session. The answer is for a request that needs a user
// but has none, or whose session the provider must confirm first.
func (a *sso) authenticate(ctx context.Context, g *gate, s *site, q *Question) (user *auth.User, r Answer) {
	var err error
	switch scheme := auth.Scheme(q.Authorization); {
	case s.Bearer && scheme == "bearer":
		r.reason, err = "token", auth.ErrBadToken
		if token, ok := auth.Bearer(q.Authorization); ok {
			user, err = s.provider.tokens.Verify(ctx, token)
		}
	case s.Basic && scheme == "basic":
		r.reason, err = "password", auth.ErrBadPassword
		if name, password, ok := auth.Basic(q.Authorization); ok {
			user, err = g.directory.Authenticate(ctx, name, password, q.From)
		}
	default:
		return a.bySession(g, s, q)
	}
	switch err {
	case nil:
		return user, r
	case auth.ErrUnavailable:
		return nil, Answer{Decision: "unavailable", reason: err.Error()}
	case auth.ErrTooFast:
		return nil, Answer{Decision: "slow", reason: err.Error()}
	}
	r = unauthorized(s, err.Error())
	if err == auth.ErrBadToken {
		r.Challenge += `, error="invalid_token"`
	}
	return nil, r
}

// bySession finds the user by the session in the cookies. A browser without one goes to the
// login.
func (a *sso) bySession(g *gate, s *site, q *Question) (*auth.User, Answer) {
	browses, now, host := navigates(q), a.now(), q.Host.Name
	if s.provider == nil {
		return nil, unauthorized(s, "no session")
	}
	login := func(page, reason string) Answer {
		if !browses {
			return unauthorized(s, reason)
		}
		back := q.Target.Path
		if q.Target.Query != "" {
			back += "?" + q.Target.Query
		}
		return Answer{Decision: "login", Location: "https://" + q.Host.String() + page + "?rd=" + url.QueryEscape(g.sealReturn(host, back, now)), reason: reason}
	}
	visitor := g.sessions.Read(q.Cookie, host, now)
	if visitor == nil || visitor.Provider != s.provider.name {
		return nil, login(loginPath, "no session")
	}
	state, why := visitor.State(now, g.config.Session)
	switch {
	case state == session.Ended && why == session.Unconfirmed:
		return nil, login(refreshPath, why)
	case state == session.Ended:
		return nil, login(loginPath, why)
	case !a.revoked.Fresh():
		return nil, Answer{Decision: "unavailable", reason: "revocations"}
	case visitor.Revoked(a.revoked):
		return nil, login(loginPath, "revoked")
	case state == session.Due && browses:
		return &visitor.User, login(refreshPath, session.Unconfirmed)
	}
	r := Answer{reason: "session"}
	if visitor.Stale(now, g.config.Session) {
		visitor.Seen = now.Unix()
		if set, err := g.sessions.Set(visitor, host); err == nil {
			set = append(set, "", "")
			r.Cookie, r.Cookie1, r.Cookie2 = set[0], set[1], set[2]
		}
	}
	return &visitor.User, r
}

// navigates reports whether a browser wants to show a page: a redirect makes sense.
func navigates(q *Question) bool {
	if q.Method != "GET" && q.Method != "HEAD" {
		return false
	}
	if q.Mode != "" {
		return q.Mode == "navigate"
	}
	return strings.Contains(q.Accept, "text/html")
}

// unauthorized answers 401.
func unauthorized(s *site, reason string) Answer {
	challenge := `Bearer realm="` + s.Hosts[0] + `"`
	if s.Basic {
		challenge = `Basic realm="` + s.Hosts[0] + `", charset="UTF-8"`
	}
	return Answer{Decision: "unauthorized", Challenge: challenge, reason: reason}
}
