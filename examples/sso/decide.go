package main

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/service"
)

const (
	messageName = "authenticate"
	groupName   = "ask"
)

// Question has the arguments that HAProxy sends. A wrong host or target is the zero value,
// and refused.
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
	Page      string `spoe:"page,omitempty"`      // the page that is served instead of the requested one
	Location  string `spoe:"location,omitempty"`  // where to log in
	Challenge string `spoe:"challenge,omitempty"` // WWW-Authenticate
	User      string `spoe:"user,omitempty"`      // the name; this and the next fields are for a known user
	Mail      string `spoe:"mail,omitempty"`      //
	Groups    string `spoe:"groups,omitempty"`    // between commas
	Cookie    string `spoe:"cookie,omitempty"`    // Set-Cookie, if the session changes
	Cookie1   string `spoe:"cookie1,omitempty"`   // its other parts
	Cookie2   string `spoe:"cookie2,omitempty"`   //
	reason    string // for log and metrics
}

func (a *sso) decide(ctx context.Context, q Question) (Answer, error) {
	g := a.gate()
	r := a.answer(ctx, g, &q)
	a.metrics.decided(ctx, r.Decision, r.reason)
	level := service.LineLevel(g.config.LogAll)
	if a.log.Enabled(ctx, level) {
		a.log.LogAttrs(ctx, level, "decision", slog.String("decision", r.Decision), slog.String("reason", r.reason), slog.String("user", r.User),
			slog.String("from", q.From.String()), slog.String("method", q.Method), slog.String("host", q.Host.String()),
			slog.String("path", q.Target.Path)) // without the query, which may have secrets
	}
	return r, nil
}

// answer decides. It refuses a request that it cannot read.
func (a *sso) answer(ctx context.Context, g *gate, q *Question) Answer {
	target, host := q.Target, q.Host.Name
	named, _ := codec.ParseHost(target.Authority)
	if host == "" || q.Method == "CONNECT" || target.Path == "" || target.Scheme != "" && named.Name != host {
		return Answer{Decision: "refuse", reason: "malformed"}
	}
	s, ok := g.sites.Find(q.Host)
	if !ok {
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
	rule := s.rule(q.Method, path, q.From)
	if rule == nil || rule.Do == "deny" {
		return forbid(q, "rule")
	}
	user, r := a.authenticate(ctx, g, s, q)
	public := rule.Do == "allow"
	switch {
	case user == nil && public:
		return Answer{Decision: "allow", reason: "rule"}
	case user == nil:
		return r
	case !public && !rule.permits(user):
		r = forbid(q, "groups or claims")
		r.User = user.Name
		return r
	case !public && r.Decision != "":
		return r // to be confirmed first
	}
	r.Decision, r.Location = "allow", ""
	r.User, r.Mail, r.Groups = user.Name, user.Mail, strings.Join(user.Groups, ",")
	return r
}

// forbid answers 403, with a page for browsers.
func forbid(q *Question, reason string) Answer {
	a := Answer{Decision: "forbidden", reason: reason}
	if strings.Contains(q.Accept, "text/html") {
		a.Decision, a.Page = "page", forbiddenPath
	}
	return a
}
