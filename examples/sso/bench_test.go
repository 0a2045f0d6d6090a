//go:build unix

package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/auth/session"
	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/service"
)

// benchmarked returns an agent with a site of ten rules, and a question with a session:
// tokens as providers give them, eight groups.
func benchmarked(tb testing.TB) (*sso, Question) {
	config := defaults
	config.Keys = []service.Secret{service.NewSecret(strings.Repeat("k", 32))}
	config.Providers = []ProviderConfig{{Name: "main", OpenID: openid.Config{Issuer: "http://127.0.0.1:1", ClientID: "sso"}}}
	site := SiteConfig{Hosts: []string{"wiki.localhost"}, Provider: "main"}
	for i := range 9 {
		site.Rules = append(site.Rules, RuleConfig{Paths: []string{fmt.Sprintf("/part%d/", i)}})
	}
	site.Rules = append(site.Rules, RuleConfig{Groups: []string{"group7"}})
	config.Sites = []SiteConfig{site}
	g, err := newGate(&config, nil, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = g.Close() })
	m, err := newMetrics(noop.Meter{}, func() *gate { return g })
	if err != nil {
		tb.Fatal(err)
	}
	s := session.New("main", time.Now())
	s.User = auth.User{Subject: "0b3c7a5e-1", Name: "alice", Mail: "alice@example.com"}
	for i := range 8 {
		s.Groups = append(s.Groups, fmt.Sprintf("group%d", i))
	}
	s.RefreshToken, s.IDToken = strings.Repeat("r", 200), strings.Repeat("i", 900)
	set, err := g.sessions.Set(s, "wiki.localhost")
	if err != nil {
		tb.Fatal(err)
	}
	cookie, _, _ := strings.Cut(set[0], ";")
	d := &sso{gate: func() *gate { return g }, metrics: m, log: slog.New(slog.DiscardHandler), now: time.Now}
	target, err := codec.ParseTarget("https://wiki.localhost/page?x=1")
	if err != nil {
		tb.Fatal(err)
	}
	return d, Question{Method: "GET", Host: codec.Host{Name: "wiki.localhost"}, Target: target, From: netip.MustParseAddr("192.0.2.1"),
		Cookie: "theme=dark; _ga=GA1.2.1234567890.1234567890; " + cookie, Accept: "text/html,application/xhtml+xml", Mode: "navigate"}
}

// BenchmarkSession is a request with a valid session.
func BenchmarkSession(b *testing.B) {
	d, q := benchmarked(b)
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		if a, err := d.decide(b.Context(), q); err != nil || a.Decision != "allow" {
			b.Fatal(a, err)
		}
	}
}

// BenchmarkSessionCryptography is the part of that which opens the cookie.
func BenchmarkSessionCryptography(b *testing.B) {
	d, q := benchmarked(b)
	text, _ := codec.Cookie(q.Cookie, cookieName)
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		if _, ok := d.gate().keys.Open(text[1:], time.Now(), "session", "wiki.localhost"); !ok {
			b.Fatal("it does not open")
		}
	}
}

// reportCPU reports the time that the process had a CPU, as other programs may have one
// meanwhile.
func reportCPU(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	begun := used()
	return func() { b.ReportMetric(float64(used()-begun)/float64(b.N)/1e3, "cpu-µs/op") }
}
