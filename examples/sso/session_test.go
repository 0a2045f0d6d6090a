package main_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// TestSessionEnds: after its lifetime, and after the idle time unless there were
// requests; these write the cookie again.
func TestSessionEnds(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin, func(issuer string) string {
			return settings(issuer) + "session: {lifetime: 3h, idle: 1h, refresh: 24h}\n"
		})
		b, clock := newBrowser(t), w.agents[0].clock
		b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
		first := b.cookies(w.wiki)["__Host-sso"]
		b.get(w.wiki + "/")
		assert.Equal(t, first, b.cookies(w.wiki)["__Host-sso"], "it is not written again at each request")
		for range 3 {
			clock.forward(50 * time.Minute)
			r := b.once(w.wiki + "/")
			assert.Equal(t, 200, r.status, "requests keep it alive")
			assert.Contains(t, strings.Join(r.header.Values("Set-Cookie"), "\n"), "__Host-sso=")
			assert.Equal(t, "private", r.header.Get("Cache-Control"), "no cache keeps the cookie for others")
		}
		assert.NotEqual(t, first, b.cookies(w.wiki)["__Host-sso"])
		clock.forward(35 * time.Minute)
		assert.Equal(t, 302, b.once(w.wiki+"/").status, "its lifetime is over")
		clock.reset()
		b = newBrowser(t)
		b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
		clock.forward(61 * time.Minute)
		assert.Equal(t, 302, b.once(w.wiki+"/").status, "it was idle")
		assert.Equal(t, 401, b.once(w.wiki+"/", "Accept", "application/json").status)
	})
}

// TestSessionIsConfirmed: the provider confirms a session on the way to a page, and its
// changes take effect; scripts are not sent there.
func TestSessionIsConfirmed(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b, clock := newBrowser(t), w.agents[0].clock
		b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
		b.get(w.wiki+"/admin/").shows(t, w.wiki+"/admin/", "alice")
		w.provider.SetGroups("alice", "staff")
		clock.forward(11 * time.Minute)
		before := w.provider.Requests()
		assert.Equal(t, 200, b.once(w.wiki+"/data", "Accept", "application/json").status)
		assert.Equal(t, before, w.provider.Requests())
		r := b.get(w.wiki + "/page?x=1")
		r.shows(t, w.wiki+"/page?x=1", "alice")
		assert.Contains(t, r.body, `<span id="groups">staff</span>`)
		assert.Equal(t, before+1, w.provider.Requests(), "one request for a token, no login")
		assert.Equal(t, 403, b.get(w.wiki+"/admin/").status)
		clock.forward(21 * time.Minute)
		assert.Equal(t, 401, b.once(w.wiki+"/data", "Accept", "application/json").status, "nobody has confirmed it")
		b.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
	})
}

// TestProviderDown: without the provider sessions go on for a while, and logins get 503.
// The agent starts without it, and needs no restart once it is there.
func TestProviderDown(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b, clock := newBrowser(t), w.agents[0].clock
		b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
		handler := w.server.Config.Handler
		w.server.CloseClientConnections()
		w.server.Listener.Close()

		b.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
		clock.forward(11 * time.Minute)
		b.get(w.wiki+"/late").shows(t, w.wiki+"/late", "alice")
		clock.forward(10 * time.Minute)
		r := b.get(w.wiki + "/")
		assert.Equal(t, 503, r.status, "it was not confirmed for too long")
		assert.Contains(t, r.body, "does not answer")

		config := settings(w.server.URL)
		cold := startAgent(t, config)
		assert.Equal(t, 503, pageOf(t, cold, "/.sso/login"))
		cold.Log.Wait(t, regexp.QuoteMeta(`msg="no answer; it is asked again" provider=main`))
		again := serveAt(t, w.server.Listener.Addr().String(), handler)
		defer again.Close()
		cold.waitProvider(t)
		clock.reset()
		b.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
	})
}

// TestClocksDiffer: the agent's clock may be off by a minute and a half, in both
// directions.
func TestClocksDiffer(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin, settings, settings)
		w.provider.SetLifetime(time.Minute)
		w.agents[0].clock.forward(90 * time.Second)
		w.agents[1].clock.forward(-30 * time.Second) // two minutes behind the other
		for range 4 {
			b := newBrowser(t)
			b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
			for range 4 {
				b.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
			}
		}
	})
}

// TestTwoAgents: one agent serves the pages and another answers HAProxy's questions; then
// one ends, and the other does both.
func TestTwoAgents(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin, settings, settings)
		for _, server := range []string{"sso-agents/agent2", "sso-pages/pages1"} {
			w.h.Command("set server " + server + " state maint")
		}
		b := newBrowser(t)
		b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
		w.agents[0].Log.Wait(t, "decision=allow reason=session user=alice")
		w.agents[1].Log.Wait(t, `msg="logged in" user=alice`)
		for _, server := range []string{"sso-agents/agent2", "sso-pages/pages1"} {
			w.h.Command("set server " + server + " state ready")
		}
		w.agents[0].Stop()
		assert.Zero(t, <-w.agents[0].Ended)
		assert.Eventually(t, func() bool { return b.once(w.wiki+"/").status == 200 }, patience, 50*time.Millisecond)
		b.get(w.shop+"/").shows(t, w.shop+"/", "alice")
		w.agents[1].Log.Wait(t, "decision=allow reason=session user=alice")
	})
}

// TestAgentDown: without an agent no request reaches a site.
func TestAgentDown(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b := newBrowser(t)
		b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
		w.agents[0].Stop()
		assert.Zero(t, <-w.agents[0].Ended)
		for _, path := range []string{"/", "/public/", "/.sso/login"} {
			r := b.get(w.wiki + path)
			assert.Equal(t, 503, r.status, path)
			assert.NotContains(t, r.body, `id="user"`)
		}
	})
}
