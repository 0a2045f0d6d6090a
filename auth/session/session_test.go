package session_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/auth/revoked"
	"github.com/spoke-go/spoke/auth/session"
	"github.com/spoke-go/spoke/seal"
	"github.com/spoke-go/spoke/service"
)

var began = time.Unix(1_800_000_000, 0)

func tokens(size int) *openid.Tokens {
	return &openid.Tokens{User: &auth.User{Subject: "id-alice", Name: "alice", Groups: []string{"staff"}}, Session: "s1", ID: strings.Repeat("i", size), Refresh: "r"}
}

func cookie(t *testing.T, secret string) session.Cookie {
	t.Helper()
	keys, err := seal.New([]string{strings.Repeat(secret, 32)})
	require.NoError(t, err)
	return session.Cookie{Name: "__Host-test", Keys: keys, Config: session.Defaults(), Claims: "department"}
}

// header is the Cookie header that a browser makes of Set-Cookie headers.
func header(set []string) string {
	var pairs []string
	for _, h := range set {
		pair, _, _ := strings.Cut(h, ";")
		pairs = append(pairs, pair)
	}
	return "theme=dark; " + strings.Join(pairs, "; ")
}

// TestCookie: a session comes back from one cookie or several, for its host and its key.
func TestCookie(t *testing.T) {
	c := cookie(t, "a")
	for size, n := range map[int]int{100: 1, 4000: 2, 7000: 3} {
		s := session.New("main", began)
		s.Named = c.Claims
		s.Take(tokens(size), began, c.Refresh)
		set, err := c.Set(s, "wiki.example")
		require.NoError(t, err)
		assert.Len(t, set, n)
		assert.Contains(t, set[0], "; Secure; HttpOnly; SameSite=Lax")
		assert.Equal(t, s, c.Read(header(set), "wiki.example", began))
		assert.Nil(t, c.Read(header(set), "shop.example", began), "another host")
		assert.Nil(t, cookie(t, "b").Read(header(set), "wiki.example", began), "another key")
		assert.Nil(t, c.Read(header(set[:n-1]), "wiki.example", began), "a part is missing")
		other := c
		other.Claims = ""
		assert.Nil(t, other.Read(header(set), "wiki.example", began), "rules look at other claims")
	}
	s := session.New("main", began)
	s.Take(tokens(20_000), began, c.Refresh)
	_, err := c.Set(s, "wiki.example")
	assert.Error(t, err)
	deleted, err := c.Delete()
	require.NoError(t, err)
	assert.Len(t, deleted, 3)
	assert.Nil(t, c.Read("", "wiki.example", began))
}

// TestState: a session ends by its lifetime, without requests, and without confirmation.
func TestState(t *testing.T) {
	c := session.Config{Lifetime: 12 * time.Hour, Idle: time.Hour, Refresh: 10 * time.Minute}
	for _, tt := range []struct {
		name    string
		refresh string
		seen    time.Duration
		now     time.Duration
		want    session.State
		reason  string
	}{
		{"new", "r", 0, 0, session.Valid, ""},
		{"to be confirmed", "r", 0, 11 * time.Minute, session.Due, ""},
		{"not confirmed", "r", 0, 21 * time.Minute, session.Ended, session.Unconfirmed},
		{"no refresh token", "", 0, 59 * time.Minute, session.Valid, ""},
		{"idle", "", 0, 61 * time.Minute, session.Ended, "idle"},
		{"in use", "", 11 * time.Hour, 11*time.Hour + time.Minute, session.Valid, ""},
		{"lifetime", "", 12 * time.Hour, 12*time.Hour + time.Minute, session.Ended, "lifetime"},
		{"a slow clock", "", 0, -time.Minute, session.Valid, ""},
		{"the future", "", 0, -3 * time.Minute, session.Ended, "begins in the future"},
	} {
		s := session.New("main", began)
		given := tokens(1)
		given.Refresh = tt.refresh
		s.Take(given, began, c.Refresh)
		s.Seen = began.Add(tt.seen).Unix()
		state, reason := s.State(began.Add(tt.now), c)
		assert.Equal(t, tt.want, state, tt.name)
		assert.Equal(t, tt.reason, reason, tt.name)
	}
	s := session.New("main", began)
	assert.False(t, s.Stale(began.Add(12*time.Minute), c))
	assert.True(t, s.Stale(began.Add(13*time.Minute), c))
}

// TestTake: a refresh that says nothing new keeps what was known.
func TestTake(t *testing.T) {
	s := session.New("main", began)
	s.Take(tokens(1), began, time.Minute)
	s.Take(&openid.Tokens{Refresh: "r2"}, began.Add(time.Hour), time.Minute)
	assert.Equal(t, "alice", s.Name)
	assert.Equal(t, "s1", s.SID)
	assert.Equal(t, "i", s.IDToken)
	assert.Equal(t, "r2", s.RefreshToken)
	assert.Equal(t, began.Add(time.Hour).Unix(), s.Confirmed)
}

// TestRevoked: a list ends one session, a session of the provider's, or all of a user that
// began before.
func TestRevoked(t *testing.T) {
	s := session.New("main", began)
	s.Take(tokens(1), began, time.Minute)
	assert.False(t, s.Revoked(nil))
	ended, end := context.WithCancel(t.Context())
	end()
	for _, tt := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{s.Key(), began, true},
		{"id another", began, false},
		{session.NameOf("main", "s1", ""), began, true},
		{session.NameOf("other", "s1", ""), began, false},
		{session.NameOf("main", "s2", ""), began, false},
		{session.NameOf("main", "", "id-alice"), began, true},
		{session.NameOf("main", "", "id-alice"), began.Add(-time.Second), false},
		{session.NameOf("main", "", "id-bob"), began, false},
	} {
		c := revoked.Defaults()
		c.URL = service.NewSecret("redis://127.0.0.1:1/0") // nothing listens there
		l, err := revoked.New(c, func() time.Duration { return time.Hour }, slog.New(slog.DiscardHandler), func() time.Time { return tt.at })
		require.NoError(t, err)
		assert.Error(t, l.Add(ended, tt.name), "this list has it nevertheless")
		assert.Equal(t, tt.want, s.Revoked(l), tt.name)
	}
}
