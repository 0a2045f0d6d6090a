package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/sso/internal/lab"
	"github.com/spoke-go/spoke/internal/freeaddr"
	"github.com/spoke-go/spoke/internal/recipes"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// startRedis starts a Redis and returns its port.
func startRedis(t *testing.T, port string) *recipes.Process {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	require.NoError(t, err, "make redis installs it")
	return recipes.StartProgram(t, path, regexp.MustCompile(`(Ready to accept connections)`),
		"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no")
}

// withRedis is settings with a Redis.
func withRedis(port string) func(string) string {
	return func(issuer string) string {
		return settings(issuer) + fmt.Sprintf("redis: {url: 'redis://127.0.0.1:%s/0', stale: 2s}\n", port)
	}
}

// TestLogoutIsForCopies: a copy of a cookie is worthless after the logout, at any agent.
func TestLogoutIsForCopies(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		redis := freeaddr.Port(t)
		startRedis(t, redis)
		w := newWorld(t, bin, withRedis(redis), withRedis(redis))
		w.h.Command("set server sso-agents/agent2 state maint")
		w.h.Command("set server sso-pages/pages1 state maint")
		b, thief := newBrowser(t), newBrowser(t)
		require.Eventually(t, func() bool { return b.get(w.wiki + "/").atLogin() }, patience, 20*time.Millisecond)
		b.login(w.wiki+"/", "alice").shows(t, w.wiki+"/", "alice")
		for name, value := range b.cookies(w.wiki) {
			thief.setCookie(w.wiki, name, value)
		}
		thief.get(w.wiki+"/").shows(t, w.wiki+"/", "alice")
		b.do("POST", w.wiki+"/.sso/logout", "")
		assert.Eventually(t, func() bool { return thief.once(w.wiki+"/").status == http.StatusFound }, patience, 20*time.Millisecond,
			"one agent was told of the logout, and another refuses the copy")

		late := startAgent(t, withRedis(redis)(w.server.URL))
		late.waitProvider(t)
		assert.Eventually(t, func() bool { return late.decision(t, w.wiki, thief.cookies(w.wiki)) == "login" }, patience, 20*time.Millisecond,
			"an agent that starts later learns of it")
	})
}

// TestRedisDown: while Redis is down, the agent does not know which sessions ended; after
// the time that is set it accepts none.
func TestRedisDown(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		port := freeaddr.Port(t)
		redis := startRedis(t, port)
		w := newWorld(t, bin, withRedis(port))
		b := newBrowser(t)
		b.login(w.wiki+"/", "alice")
		require.Eventually(t, func() bool { return b.once(w.wiki+"/").status == 200 }, patience, 20*time.Millisecond)
		redis.Kill()
		assert.Eventually(t, func() bool { return b.once(w.wiki+"/").status == 503 }, patience, 50*time.Millisecond)
		assert.Equal(t, 200, b.once(w.wiki+"/public/").status)
		startRedis(t, port)
		assert.Eventually(t, func() bool { return b.once(w.wiki+"/").status == 200 }, patience, 50*time.Millisecond)
	})
}

// TestBackchannelLogout: only the provider can end a user's sessions.
func TestBackchannelLogout(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		port := freeaddr.Port(t)
		startRedis(t, port)
		w := newWorld(t, bin, withRedis(port))
		b := newBrowser(t)
		b.login(w.wiki+"/", "alice")
		require.Eventually(t, func() bool { return b.once(w.wiki+"/").status == 200 }, patience, 20*time.Millisecond)
		tell := func(changes map[string]any) int {
			c := map[string]any{"iss": w.server.URL, "aud": lab.ClientID, "sub": "id-alice", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "jti": "1",
				"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
			for name, v := range changes {
				if c[name] = v; v == nil {
					delete(c, name)
				}
			}
			body, err := json.Marshal(c)
			require.NoError(t, err)
			token, err := w.provider.Sign(body)
			require.NoError(t, err)
			if changes["forged"] != nil {
				token = token[:len(token)-6] + "AAAAAA"
			}
			return newBrowser(t).do("POST", w.wiki+"/.sso/backchannel/main", url.Values{"logout_token": {token}}.Encode()).status
		}
		for name, changes := range map[string]map[string]any{
			"forged":         {"forged": true},
			"other audience": {"aud": "another"},
			"other issuer":   {"iss": "https://evil.example"},
			"an ID token":    {"events": nil},
			"with a nonce":   {"nonce": "n"},
			"expired":        {"exp": time.Now().Add(-time.Hour).Unix()},
			"about nobody":   {"sub": nil},
		} {
			assert.Equal(t, 400, tell(changes), name)
		}
		assert.Equal(t, 200, b.once(w.wiki+"/").status)
		assert.Equal(t, 200, tell(map[string]any{"sub": "id-bob"}))
		assert.Equal(t, 200, b.once(w.wiki+"/").status, "bob's sessions have ended")
		assert.Equal(t, 200, tell(nil))
		assert.Equal(t, 302, b.once(w.wiki+"/").status)
	})
}
