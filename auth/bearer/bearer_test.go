package bearer_test

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/bearer"
	"github.com/spoke-go/spoke/auth/internal/issuertest"
	"github.com/spoke-go/spoke/auth/openid"
)

// patience bounds every wait; it is reached only where something is wrong.
const patience = 30 * time.Second

// api verifies tokens of an issuer.
type api struct {
	*issuertest.Issuer
	*bearer.Verifier
	t        *testing.T
	provider *openid.Provider
	off      atomic.Int64 // of the clock
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{Issuer: issuertest.Start(t), t: t}
	now := func() time.Time { return time.Now().Add(time.Duration(a.off.Load())) }
	log := slog.New(slog.DiscardHandler)
	var err error
	a.provider, err = openid.New(openid.Config{Issuer: a.URL, ClientID: "api"}, log, now)
	require.NoError(t, err)
	var background sync.WaitGroup
	background.Go(func() { a.provider.Run(t.Context()) })
	t.Cleanup(background.Wait)
	require.Eventually(t, a.provider.Up, patience, time.Millisecond)
	a.Verifier = bearer.New(a.provider, bearer.Config{Audiences: []string{issuertest.Audience}, Introspect: true}, log, now)
	return a
}

func (a *api) forward(d time.Duration) { a.off.Add(int64(d)) }

func (a *api) try(token string) error {
	_, err := a.Verify(a.t.Context(), token)
	return err
}

// TestJWT: who signed a token, for whom, and until when.
func TestJWT(t *testing.T) {
	a := newAPI(t)
	user, err := a.Verify(t.Context(), a.Sign(map[string]any{"groups": []string{"staff", "a,b"}, "email": "alice@example.com"}))
	require.NoError(t, err)
	assert.Equal(t, &auth.User{Subject: "id-alice", Name: "alice", Mail: "alice@example.com", Groups: []string{"staff"}, Claims: map[string][]string{}}, user)
	assert.NoError(t, a.try(a.Sign(map[string]any{"aud": []string{"other", issuertest.Audience}})))
	past := time.Now().Add(-time.Minute).Unix()
	assert.NoError(t, a.try(a.Sign(map[string]any{"exp": past})), "the clocks may differ")
	for name, changes := range map[string]map[string]any{
		"expired":        {"exp": past - 120},
		"no expiry":      {"exp": nil},
		"not yet valid":  {"nbf": time.Now().Add(time.Hour).Unix()},
		"other audience": {"aud": "another"},
		"no audience":    {"aud": nil},
		"other issuer":   {"iss": "https://evil.example"},
		"an ID token":    {"at_hash": "x"},
		"a logout token": {"events": map[string]any{}},
		"nobody":         {"sub": nil, "preferred_username": nil},
	} {
		assert.Equal(t, auth.ErrBadToken, a.try(a.Sign(changes)), name)
	}
	assert.Zero(t, a.Introspected.Load(), "no call for a JWT")
}

// TestWithdrawnKey: tokens of a key that the provider withdraws are refused after the keys
// were read again, remembered ones too, and tokens of the new key are good without a
// restart.
func TestWithdrawnKey(t *testing.T) {
	a := newAPI(t)
	old := a.Sign(nil)
	require.NoError(t, a.try(old))
	require.NoError(t, a.try(old), "it is remembered")

	a.Rotate(true)
	rotated := a.Sign(nil)
	assert.NoError(t, a.try(rotated), "a new key has the keys read again")
	assert.NoError(t, a.try(old), "the old key is still published")

	a.Rotate(false)
	a.forward(11 * time.Second) // as the keys are read again once in ten seconds
	newest := a.Sign(nil)
	assert.NoError(t, a.try(newest))
	assert.Equal(t, auth.ErrBadToken, a.try(old), "its key was withdrawn a moment ago")
	assert.Equal(t, auth.ErrBadToken, a.try(rotated))
	assert.NoError(t, a.try(newest))
	assert.Equal(t, int64(3), a.Discoveries.Load())
}

// TestUnknownKeys: tokens of unknown keys cost the provider a request once in a while, and tokens of
// known keys are good meanwhile.
func TestUnknownKeys(t *testing.T) {
	a := newAPI(t)
	other := issuertest.Start(t)
	good := a.Sign(nil)
	for range 20 {
		other.Rotate(false)
		assert.Equal(t, auth.ErrBadToken, a.try(other.Sign(map[string]any{"iss": a.URL})))
		assert.NoError(t, a.try(good))
	}
	assert.LessOrEqual(t, a.Discoveries.Load(), int64(2))
}

// TestBadTokens: the provider refuses a token once, and a flood of bad tokens neither costs
// a call for each request nor drives good tokens out.
func TestBadTokens(t *testing.T) {
	bearer.SetSize(t, 100)
	a := newAPI(t)
	var good []string
	for i := range 50 {
		good = append(good, fmt.Sprint("good-", i))
		a.Activate(good[i])
		require.NoError(t, a.try(good[i]))
	}
	jwt := a.Sign(nil)
	require.NoError(t, a.try(jwt))
	calls := a.Introspected.Load()
	for range 200 {
		assert.Equal(t, auth.ErrBadToken, a.try("bad"))
		assert.Equal(t, auth.ErrBadToken, a.try(jwt[:len(jwt)-4]+"AAAA"))
	}
	assert.Equal(t, calls+1, a.Introspected.Load(), "one call for the same bad token")
	for i := range 500 { // more than both generations of a cache
		require.Equal(t, auth.ErrBadToken, a.try(fmt.Sprint("made-up-", i)))
		require.Equal(t, auth.ErrBadToken, a.try(fmt.Sprintf("made.up.%d", i)))
	}
	calls = a.Introspected.Load()
	for _, token := range good {
		assert.NoError(t, a.try(token))
	}
	assert.NoError(t, a.try(jwt))
	assert.Equal(t, calls, a.Introspected.Load(), "good tokens are still remembered")

	a.Activate("bad") // a token that was bad is asked about again
	a.forward(11 * time.Second)
	assert.NoError(t, a.try("bad"))
}

// TestUnavailable: a token that the provider cannot judge now is no bad token.
func TestUnavailable(t *testing.T) {
	a := newAPI(t)
	a.Metadata("introspection_endpoint", "http://127.0.0.1:1/")
	a.Rotate(false)
	require.NoError(t, a.try(a.Sign(nil)), "the metadata is read again")
	assert.Equal(t, auth.ErrUnavailable, a.try("opaque"))
}
