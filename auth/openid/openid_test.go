package openid_test

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/internal/issuertest"
	"github.com/spoke-go/spoke/auth/openid"
)

const patience = 30 * time.Second

const redirect = "https://wiki.example/callback"

func newProvider(t *testing.T, issuer string) *openid.Provider {
	t.Helper()
	p, err := openid.New(openid.Config{Issuer: issuer, ClientID: issuertest.Audience, Claims: []string{"scope", "admin"}}, slog.New(slog.DiscardHandler), time.Now)
	require.NoError(t, err)
	return p
}

func run(t *testing.T, p *openid.Provider) {
	t.Helper()
	var background sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	background.Go(func() { p.Run(ctx) })
	t.Cleanup(func() { stop(); background.Wait() })
	require.Eventually(t, p.Up, patience, time.Millisecond)
}

// TestLogin: the provider gets the verifier of the login that began, and its answer is
// taken for that login alone.
func TestLogin(t *testing.T) {
	i := issuertest.Start(t)
	p := newProvider(t, i.URL)
	_, _, err := p.Begin(redirect)
	assert.ErrorIs(t, err, auth.ErrUnavailable, "it has not answered yet")
	run(t, p)
	address, l, err := p.Begin(redirect)
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	query := u.Query()
	assert.Equal(t, i.URL+"/authorize", u.Scheme+"://"+u.Host+u.Path)
	assert.Equal(t, redirect, query.Get("redirect_uri"))
	assert.Equal(t, "S256", query.Get("code_challenge_method"))
	assert.Equal(t, l.Nonce, query.Get("nonce"))
	assert.Equal(t, l.State, query.Get("state"))

	nonce, status := l.Nonce, 200
	i.Token(func(form url.Values) (int, map[string]any) {
		if form.Get("code") != "the code" || form.Get("code_verifier") != l.Verifier {
			return 400, map[string]any{"error": "invalid_grant"}
		}
		return status, map[string]any{"access_token": "x", "token_type": "Bearer", "refresh_token": "r",
			"id_token": i.Sign(map[string]any{"nonce": nonce, "sid": "s1", "scope": "read write", "admin": true})}
	})
	answer := func(more ...string) url.Values {
		v := url.Values{"state": {l.State}, "code": {"the code"}}
		for n := 0; n < len(more); n += 2 {
			v.Set(more[n], more[n+1])
		}
		return v
	}
	tokens, err := p.Finish(t.Context(), l, answer(), redirect)
	require.NoError(t, err)
	assert.Equal(t, &auth.User{Subject: "id-alice", Name: "alice", Claims: map[string][]string{"scope": {"read", "write"}, "admin": {"true"}}}, tokens.User)
	assert.Equal(t, "s1", tokens.Session)
	assert.Equal(t, "r", tokens.Refresh)

	finish := func(v url.Values) error {
		_, err := p.Finish(t.Context(), l, v, redirect)
		return err
	}
	assert.NoError(t, finish(answer("iss", i.URL)))
	assert.ErrorIs(t, finish(answer("iss", "https://evil.example")), openid.ErrForged)
	assert.ErrorIs(t, finish(answer("state", "another")), openid.ErrForged)
	assert.ErrorContains(t, finish(answer("error", "access_denied")), "access_denied")
	assert.NotErrorIs(t, finish(answer("code", "another")), auth.ErrUnavailable, "the provider refuses")
	nonce = "another"
	assert.ErrorContains(t, finish(answer()), "nonce differs")
	status = 503
	assert.ErrorIs(t, finish(answer()), auth.ErrUnavailable)
}

// TestRefresh: a refresh may say nothing new, and must not be about another user.
func TestRefresh(t *testing.T) {
	i := issuertest.Start(t)
	p := newProvider(t, i.URL)
	run(t, p)
	var id string
	i.Token(func(form url.Values) (int, map[string]any) {
		if form.Get("refresh_token") != "r" {
			return 400, map[string]any{"error": "invalid_grant"}
		}
		return 200, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": id}
	})
	tokens, err := p.Refresh(t.Context(), "r", "id-alice")
	require.NoError(t, err)
	assert.Nil(t, tokens.User)
	id = i.Sign(nil)
	tokens, err = p.Refresh(t.Context(), "r", "id-alice")
	require.NoError(t, err)
	assert.Equal(t, "alice", tokens.User.Name)
	_, err = p.Refresh(t.Context(), "r", "id-bob")
	assert.ErrorContains(t, err, "another user")
	_, err = p.Refresh(t.Context(), "ended", "id-alice")
	assert.Error(t, err)
	assert.NotErrorIs(t, err, auth.ErrUnavailable)
}

// TestLogout: the address ends the provider's session and leads back.
func TestLogout(t *testing.T) {
	i := issuertest.Start(t)
	p := newProvider(t, i.URL)
	assert.Empty(t, p.LogoutURL("", redirect))
	run(t, p)
	assert.Equal(t, i.URL+"/end?client_id=api&id_token_hint=x&post_logout_redirect_uri=https%3A%2F%2Fwiki.example%2Fcallback", p.LogoutURL("x", redirect))
	_, _, err := p.VerifyLogout(t.Context(), i.Sign(nil))
	assert.Error(t, err, "no logout token")
}

// TestAdopt: a provider has the keys of an earlier one of the same issuer alone.
func TestAdopt(t *testing.T) {
	i := issuertest.Start(t)
	first := newProvider(t, i.URL)
	run(t, first)
	second, other := newProvider(t, i.URL), newProvider(t, "https://other.example")
	second.Adopt(first)
	other.Adopt(first)
	claims, err := second.Verify(t.Context(), i.Sign(nil))
	require.NoError(t, err)
	assert.Equal(t, "id-alice", claims.Text("sub"))
	_, _, err = other.Begin(redirect)
	assert.ErrorIs(t, err, auth.ErrUnavailable)
}

func TestConfig(t *testing.T) {
	for _, issuer := range []string{"", "id.example.com", "ftp://id.example.com", "https://"} {
		assert.ErrorContains(t, openid.Config{Issuer: issuer}.Validate(), "is no URL", issuer)
	}
	assert.NoError(t, openid.Config{Issuer: "https://id.example.com"}.Validate())
}
