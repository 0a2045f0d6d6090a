// Command sso is an SPOE agent for single sign-on: it authenticates requests and decides
// which of them pass, for all sites behind a HAProxy. Its -h explains it, and haproxy.cfg
// beside this file shows HAProxy's side. The agent writes the other files of that side,
// spoe.conf and agents.cfg (-print-config).
package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/auth/revoked"
	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/service"
)

//go:generate sh -c "go run . -print-config=spoe > spoe.conf"
//go:generate sh -c "go run . -print-config=backend > agents.cfg"

const about = `sso is single sign-on for the sites behind HAProxy.

HAProxy asks it about each request (see haproxy.cfg and spoe.conf). It identifies the
user by a session that began with a login at an OpenID Connect provider, by a bearer
token, or by a name and a password in LDAP, and applies the rules of the site. HAProxy
redirects browsers without a session to the login, a page of this program
(-pages-listen). See deploy/agent.yaml for a configuration.`

const instrumentation = "github.com/spoke-go/spoke/examples/sso"

func main() { service.Main(agent(time.Now)) }

func agent(now func() time.Time) service.Agent[Config] {
	return service.Agent[Config]{
		Name:      "sso",
		About:     about,
		EnvPrefix: "SSO_",
		Defaults:  defaults,
		Service:   service.Settings{Timeout: 3 * time.Second},
		Middleware: middleware.DefaultConfig{
			Trace: middleware.TraceConfig{ArgAttributes: map[string]string{"from": "client.address", "method": "http.request.method", "host": "server.address"}},
		},
		HAProxy: haproxyConfig,
		Setup:   func(ctx context.Context, s *service.Setup[Config]) error { return setup(s, now) },
	}
}

// haproxyConfig has the rules that act on an answer. They refuse an unknown decision.
var haproxyConfig = haproxy.Config{
	Engine: "sso",
	// The addresses come from the environment, as those in haproxy.cfg do.
	Agents:     []string{`"${SSO_AGENT-127.0.0.1:9000}"`},
	FailClosed: true,
	Headers:    map[string]string{"X-Auth-User": "user", "X-Auth-Mail": "mail", "X-Auth-Groups": "groups"},
	Pages:      &haproxy.Pages{Servers: []string{`"${SSO_PAGES-127.0.0.1:9080}"`}, If: "{ var(txn.sso.decision) -m str page }", Check: healthPath},
	Rules: []string{
		`http-request set-path %[var(txn.sso.page)] if { var(txn.sso.page) -m found }`,
		`http-request redirect code 302 location %[var(txn.sso.location)] if { var(txn.sso.decision) -m str login }`,
		`http-request return status 401 content-type application/json string '{"error":"unauthorized"}' hdr WWW-Authenticate %[var(txn.sso.challenge)] hdr Cache-Control no-store if { var(txn.sso.decision) -m str unauthorized }`,
		`http-request return status 429 content-type application/json string '{"error":"too many wrong passwords"}' hdr Retry-After 5 if { var(txn.sso.decision) -m str slow }`,
		`http-request deny deny_status 400 if { var(txn.sso.decision) -m str refuse }`,
		`http-request deny deny_status 503 if { var(txn.sso.decision) -m str unavailable }`,
		`http-request deny deny_status 403 unless { var(txn.sso.decision) -m str allow page }`,
		`http-after-response set-header Cache-Control private if { var(txn.sso.cookie) -m found }`,
		`http-after-response add-header Set-Cookie %[var(txn.sso.cookie)] if { var(txn.sso.cookie) -m found }`,
		`http-after-response add-header Set-Cookie %[var(txn.sso.cookie1)] if { var(txn.sso.cookie1) -m found }`,
		`http-after-response add-header Set-Cookie %[var(txn.sso.cookie2)] if { var(txn.sso.cookie2) -m found }`,
	},
}

func setup(s *service.Setup[Config], now func() time.Time) error {
	var last *gate
	gates, err := s.Derive(func(_ context.Context, c *Config) (*gate, error) {
		g, err := newGate(c, last, s.Log, now)
		if err == nil {
			last = g
		}
		return g, err
	})
	if err != nil {
		return err
	}
	s.Watch(func(c *Config) []string {
		files := []string{c.LDAP.CA}
		for _, p := range c.Providers {
			files = append(files, p.OpenID.CA)
		}
		return files
	})
	a := &sso{gate: gates.Load, log: s.Log, now: now}
	if a.metrics, err = newMetrics(s.Metrics.Meter(instrumentation), gates.Load); err != nil {
		return err
	}
	if a.revoked, err = revoked.New(s.Config().Redis, func() time.Duration { return s.Config().Session.Lifetime + openid.Leeway }, s.Log, now); err != nil {
		return err
	}
	s.Go(a.revoked.Run)
	s.Router.Arg("traceparent", "req.hdr(traceparent)")
	s.Router.Handle(messageName, a.decide).Group(groupName)
	s.Serve(s.Config().PagesListen, a.pages())
	return nil
}

// sso decides about requests and serves the pages.
type sso struct {
	gate    func() *gate // the current one
	revoked *revoked.List
	metrics *metrics
	log     *slog.Logger
	now     func() time.Time
}
