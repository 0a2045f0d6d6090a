package main_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/sso/internal/lab"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// claims are those of a good access token, with changes; nil removes one.
func (w *world) claims(changes map[string]any) map[string]any {
	c := map[string]any{"iss": w.server.URL, "aud": []string{"other", lab.ClientID}, "sub": "id-alice", "preferred_username": "alice",
		"email": "alice@example.com", "groups": []string{"staff", "admins"}, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(c, changes)
	for name, v := range c {
		if v == nil {
			delete(c, name)
		}
	}
	return c
}

// token is an access token that the provider signed.
func (w *world) token(changes map[string]any) string {
	w.t.Helper()
	b, err := json.Marshal(w.claims(changes))
	require.NoError(w.t, err)
	token, err := w.provider.Sign(b)
	require.NoError(w.t, err)
	return token
}

// api asks for a page as a program does.
func (w *world) api(b *browser, path, token string) reply {
	w.t.Helper()
	return b.get(w.wiki+path, "Accept", "application/json", "Authorization", "Bearer "+token)
}

// TestBearerJWT: who signed a token, for whom, and until when.
func TestBearerJWT(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b := newBrowser(t)
		good := w.token(nil)
		before := w.provider.Requests()
		for range 3 {
			w.api(b, "/admin/", good).shows(t, w.wiki+"/admin/", "alice")
		}
		w.api(b, "/", w.token(map[string]any{"aud": lab.ClientID, "groups": nil})).shows(t, w.wiki+"/", "alice")
		past := time.Now().Add(-time.Minute).Unix()
		w.api(b, "/", w.token(map[string]any{"exp": past})).shows(t, w.wiki+"/", "alice") // the clocks may differ
		assert.Equal(t, 403, w.api(b, "/admin/", w.token(map[string]any{"groups": []string{"staff"}})).status)
		for name, token := range map[string]string{
			"expired":         w.token(map[string]any{"exp": past - 120}),
			"not yet valid":   w.token(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}),
			"no expiry":       w.token(map[string]any{"exp": nil}),
			"other audience":  w.token(map[string]any{"aud": "another service"}),
			"no audience":     w.token(map[string]any{"aud": nil}),
			"other issuer":    w.token(map[string]any{"iss": "https://evil.example"}),
			"nobody":          w.token(map[string]any{"sub": nil, "preferred_username": nil}),
			"truncated":       good[:len(good)-3],
			"without a body":  "..",
			"empty":           "",
			"two in one":      good + " " + good,
			"8 KB":            strings.Repeat("a.b.", 2048) + good,
			"changed subject": swapPayload(t, good, w.claims(map[string]any{"preferred_username": "root"})),
		} {
			r := w.api(b, "/", token)
			assert.Equal(t, 401, r.status, name)
			assert.Equal(t, `Bearer realm="wiki.localhost", error="invalid_token"`, r.header.Get("WWW-Authenticate"), name)
		}
		assert.Equal(t, before, w.provider.Requests(), "no token costs the provider a request")
		assert.Equal(t, 200, w.api(b, "/public/", "nonsense").status, "a public page needs none")
		assert.Equal(t, 401, b.get(w.shop+"/", "Accept", "application/json", "Authorization", "Bearer "+good).status, "the shop takes none")
		// A cookie does not make up for a bad token.
		b.login(w.wiki+"/", "alice")
		assert.Equal(t, 401, w.api(b, "/", "nonsense").status)
	})
}

// TestIntrospection: tokens that are no JWT are the provider's to judge, once in a while.
func TestIntrospection(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b := newBrowser(t)
		token, err := w.provider.OpaqueToken("bob")
		require.NoError(t, err)
		before := w.provider.Requests()
		for range 5 {
			w.api(b, "/", token).shows(t, w.wiki+"/", "bob")
			assert.Equal(t, 401, w.api(b, "/", "made-up").status)
		}
		assert.Equal(t, before+2, w.provider.Requests(), "both answers are remembered")
		assert.Equal(t, 403, w.api(b, "/admin/", token).status)
		require.Nil(t, w.provider.RevokeToken(t.Context(), w.provider.TokenID(token), "id-bob", ""))
		assert.Equal(t, 200, w.api(b, "/", token).status)
		w.agents[0].clock.forward(61 * time.Second)
		assert.Equal(t, 401, w.api(b, "/", token).status, "it was revoked a minute ago")
	})
}
