package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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
			"an ID token":     w.token(map[string]any{"at_hash": "x"}),
			"a logout token":  w.token(map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}),
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

// TestWithdrawnKey: after the provider replaces its key, the agent takes tokens and
// logins of the new key without a restart, and refuses tokens of the old one, also a token
// that it just took.
func TestWithdrawnKey(t *testing.T) {
	w := newWorld(t, newest(t))
	b := newBrowser(t)
	old := w.token(nil)
	w.api(b, "/", old).shows(t, w.wiki+"/", "alice")
	w.api(b, "/", old).shows(t, w.wiki+"/", "alice")
	require.NoError(t, w.provider.Rotate())
	token := w.token(nil)
	w.api(b, "/", token).shows(t, w.wiki+"/", "alice")
	assert.Equal(t, 401, w.api(b, "/", old).status)
	w.api(b, "/", token).shows(t, w.wiki+"/", "alice")
	b.login(w.wiki+"/", "bob").shows(t, w.wiki+"/", "bob")
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

// TestIntrospectionFlood: made-up opaque tokens open a bounded number of calls, and tokens
// that were good go on, from memory and by calls of their own.
func TestIntrospectionFlood(t *testing.T) {
	w := newWorld(t, newest(t))
	a := w.agents[0]
	decision := func(token string) string {
		return a.ask(t, question{authorization: "Bearer " + token}).Str("txn.decision")
	}
	good, err := w.provider.OpaqueToken("bob")
	require.NoError(t, err)
	require.Equal(t, "allow", decision(good))

	var calls, most atomic.Int64
	release := make(chan struct{})
	w.provider.SetAsked(func(r *http.Request) {
		if r.URL.Path != "/oauth/introspect" || r.FormValue("token") == good {
			return
		}
		now := calls.Add(1)
		for was := most.Load(); was < now && !most.CompareAndSwap(was, now); was = most.Load() {
		}
		<-release
		calls.Add(-1)
	})
	var all sync.WaitGroup
	decisions := make(chan string, 200)
	for i := range 200 {
		all.Go(func() { decisions <- decision(fmt.Sprint("made-up-", i)) })
	}
	for range 200 - 16 {
		select {
		case d := <-decisions:
			assert.Equal(t, "unavailable", d)
		case <-time.After(patience):
			t.Fatal("more than 16 calls are under way")
		}
	}
	assert.Equal(t, "allow", decision(good), "it is remembered")
	a.clock.forward(61 * time.Second)
	assert.Equal(t, "allow", decision(good), "it has calls of its own")
	close(release)
	all.Wait()
	for range 16 {
		assert.Equal(t, "unauthorized", <-decisions)
	}
	assert.Equal(t, int64(16), most.Load())

	// Equal tokens share a call.
	most.Store(0)
	begun := make(chan struct{}, 100)
	release = make(chan struct{})
	w.provider.SetAsked(func(r *http.Request) {
		begun <- struct{}{}
		<-release
	})
	for range 50 {
		all.Go(func() { assert.Equal(t, "unauthorized", decision("the-same")) })
	}
	<-begun
	close(release)
	all.Wait()
	assert.Empty(t, begun, "one call, and its answer is remembered")
}

// TestProviderDoesNotJudge: a token that the provider cannot judge now is no bad token.
func TestProviderDoesNotJudge(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		w := newWorld(t, bin)
		b := newBrowser(t)
		token, err := w.provider.OpaqueToken("bob")
		require.NoError(t, err)
		w.server.CloseClientConnections()
		w.server.Listener.Close()
		r := w.api(b, "/", token)
		assert.Equal(t, 503, r.status)
		assert.Empty(t, r.header.Get("WWW-Authenticate"))
		w.api(b, "/", w.token(nil)).shows(t, w.wiki+"/", "alice") // a JWT needs no call
	})
}
