package main

import (
	"context"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
)

const (
	messageName = "authenticate"
	groupName   = "ask"
)

// Question has the arguments that HAProxy sends. A host or target that is none is the zero
// value, and refused.
type Question struct {
	Method        string       `spoe:"method" fetch:"method"`
	Host          codec.Host   `spoe:"host" fetch:"req.fhdr(host)"`
	Target        codec.Target `spoe:"target" fetch:"url"`
	From          netip.Addr   `spoe:"from" fetch:"src"`
	Cookie        string       `spoe:"cookie,secret" fetch:"req.fhdr(cookie)"`
	Authorization string       `spoe:"authorization,secret" fetch:"req.fhdr(authorization)"`
	Accept        string       `spoe:"accept" fetch:"req.fhdr(accept)"`
	Mode          string       `spoe:"mode" fetch:"req.fhdr(sec-fetch-mode)"`
}

// Answer has the variables that HAProxy gets. The rules in haproxy.cfg let a request pass only if the
// decision is allow or page.
type Answer struct {
	Decision  string `spoe:"decision"`            // allow, page, login, unauthorized, forbidden, slow, refuse or unavailable
	Page      string `spoe:"page,omitempty"`      // the page that is served instead of what was asked for
	Location  string `spoe:"location,omitempty"`  // where to log in
	Challenge string `spoe:"challenge,omitempty"` // WWW-Authenticate
	User      string `spoe:"user,omitempty"`      // who it is, from here on
	Mail      string `spoe:"mail,omitempty"`      //
	Groups    string `spoe:"groups,omitempty"`    // between commas
	Cookie    string `spoe:"cookie,omitempty"`    // Set-Cookie, where the session goes on
	Cookie1   string `spoe:"cookie1,omitempty"`   // its further parts
	Cookie2   string `spoe:"cookie2,omitempty"`   //
	reason    string // for log and metrics
}

// decider answers questions.
type decider struct {
	gate    func() *gate // of this moment
	revoked *revoked
	metrics *metrics
	log     *slog.Logger
	now     func() time.Time
}

func (d *decider) register(r *router.Router) {
	r.Arg("traceparent", "req.hdr(traceparent)")
	r.Handle(messageName, d.decide).Group(groupName)
}

func (d *decider) decide(ctx context.Context, q Question) (Answer, error) {
	g := d.gate()
	a := d.answer(ctx, g, &q)
	d.metrics.decided(ctx, a.Decision, a.reason)
	level := slog.LevelDebug
	if g.config.LogAll {
		level = slog.LevelInfo
	}
	if d.log.Enabled(ctx, level) {
		d.log.LogAttrs(ctx, level, "decision", slog.String("decision", a.Decision), slog.String("reason", a.reason), slog.String("user", a.User),
			slog.String("from", q.From.String()), slog.String("method", q.Method), slog.String("host", q.Host.String()),
			slog.String("path", q.Target.Path)) // without the query, which may have secrets
	}
	return a, nil
}

// answer decides. It refuses a request that it cannot read.
func (d *decider) answer(ctx context.Context, g *gate, q *Question) Answer {
	target, host := q.Target, q.Host.Name
	named, _ := codec.ParseHost(target.Authority)
	if host == "" || q.Method == "CONNECT" || target.Path == "" || target.Scheme != "" && named.Name != host {
		return Answer{Decision: "refuse", reason: "malformed"}
	}
	s := g.siteOf(host)
	if s == nil {
		return forbid(q, "no site")
	}
	if s.provider != nil && strings.HasPrefix(target.Path, pagesPath) {
		return Answer{Decision: "page", reason: "page"}
	}
	path, plain := "*", q.Method == "OPTIONS"
	if target.Path != "*" {
		path, plain = codec.CleanPath(target.Path)
	}
	if !plain {
		return Answer{Decision: "refuse", reason: "ambiguous path"}
	}
	r := s.rule(q.Method, path, q.From)
	if r == nil || r.Do == "deny" {
		return forbid(q, "rule")
	}
	a := d.authenticate(ctx, g, s, q)
	id := a.id
	switch {
	case r.Do == "allow" && id == nil:
		return Answer{Decision: "allow", reason: "rule"}
	case id == nil:
		return a.Answer
	case r.Do != "allow" && !r.permits(id):
		a := forbid(q, "groups or claims")
		a.User = id.Name
		return a
	}
	if a.Decision != "" && r.Do != "allow" {
		return a.Answer // to be confirmed first
	}
	a.Decision, a.Location = "allow", ""
	a.User, a.Mail, a.Groups = id.Name, id.Mail, strings.Join(id.Groups, ",")
	return a.Answer
}

// authenticated is the user who sends a request, or an answer about the lack of one.
type authenticated struct {
	Answer
	id *auth.User
}

// authenticate finds the user who sends a request: by the bearer token or the password, if
// there is one, and otherwise by the session.
func (d *decider) authenticate(ctx context.Context, g *gate, s *site, q *Question) (a authenticated) {
	var err error
	switch scheme := auth.Scheme(q.Authorization); {
	case s.Bearer && scheme == "bearer":
		err = auth.ErrBadToken
		if token, ok := auth.Bearer(q.Authorization); ok {
			a.id, err = s.provider.bearer(ctx, token)
		}
		a.reason = "token"
	case s.Basic && scheme == "basic":
		err = auth.ErrBadPassword
		if name, password, ok := auth.Basic(q.Authorization); ok {
			a.id, err = g.directory.Authenticate(ctx, name, password, q.From)
		}
		a.reason = "password"
	default:
		return d.bySession(g, s, q)
	}
	switch err {
	case nil:
		return a
	case auth.ErrUnavailable:
		a.Answer = Answer{Decision: "unavailable", reason: err.Error()}
	case auth.ErrTooFast:
		a.Answer = Answer{Decision: "slow", reason: err.Error()}
	case auth.ErrBadToken:
		a.Answer = unauthorized(s, err.Error())
		a.Challenge += `, error="invalid_token"`
	default:
		a.Answer = unauthorized(s, err.Error())
	}
	return a
}

// bySession finds the user by the session in the cookies. A browser without one goes to the
// login.
func (d *decider) bySession(g *gate, s *site, q *Question) (a authenticated) {
	now, host := d.now(), q.Host.Name
	browses := navigates(q) && s.provider != nil
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
	var session *session
	if g.keys != nil && s.provider != nil {
		session = g.session(q.Cookie, host)
	}
	if session == nil || session.Provider != s.provider.Name {
		a.Answer = login(loginPath, "no session")
		return a
	}
	switch state, why := session.at(now, &g.config.Session); {
	case state == ended && why == unconfirmed:
		a.Answer = login(refreshPath, why)
		return a
	case state == ended:
		a.Answer = login(loginPath, why)
		return a
	case !d.revoked.fresh():
		a.Answer = Answer{Decision: "unavailable", reason: "revocations"}
		return a
	case d.revoked.has(session):
		a.Answer = login(loginPath, "revoked")
		return a
	case state == due && browses:
		a.Answer = login(refreshPath, unconfirmed)
	}
	a.id = &session.User
	if a.Decision == "" && session.stale(now, &g.config.Session) {
		session.Seen = now.Unix()
		if set, err := g.sessionCookies(session, host); err == nil {
			set = append(set, "", "")
			a.Cookie, a.Cookie1, a.Cookie2 = set[0], set[1], set[2]
		}
	}
	a.reason = "session"
	return a
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

// forbid answers 403, with a page for browsers.
func forbid(q *Question, reason string) Answer {
	a := Answer{Decision: "forbidden", reason: reason}
	if strings.Contains(q.Accept, "text/html") {
		a.Decision, a.Page = "page", forbiddenPath
	}
	return a
}

// unauthorized answers 401.
func unauthorized(s *site, reason string) Answer {
	challenge := `Bearer realm="` + s.Hosts[0] + `"`
	if s.Basic {
		challenge = `Basic realm="` + s.Hosts[0] + `", charset="UTF-8"`
	}
	return Answer{Decision: "unauthorized", Challenge: challenge, reason: reason}
}
