package session

import (
	"cmp"
	"crypto/rand"
	"time"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/auth/revoked"
)

// Session is a login of a browser. Times are in seconds since 1970.
type Session struct {
	ID       string `json:"i"`
	Provider string `json:"p"`           // the name of the provider
	SID      string `json:"d,omitempty"` // the provider's name of its own session
	Named    string `json:"n,omitempty"` // Cookie.Claims at the login
	auth.User
	Began int64 `json:"b"`
	Seen  int64 `json:"l"`
	// Confirmed is the time at which the provider confirmed it, and Confirm the time at
	// which the agent should ask again. Both are 0 for a session without a refresh token.
	Confirmed int64 `json:"c0,omitempty"`
	Confirm   int64 `json:"c1,omitempty"`

	// In the cookie the tokens follow the JSON, so that a request reads only the JSON.
	RefreshToken string `json:"-"`
	IDToken      string `json:"-"`
}

// New returns a session that begins now. It has no user yet.
func New(provider string, now time.Time) *Session {
	return &Session{ID: rand.Text(), Provider: provider, Began: now.Unix(), Seen: now.Unix()}
}

// Take puts a provider's tokens into the session, after a login or a refresh. The provider
// must confirm it again after refresh.
func (s *Session) Take(t *openid.Tokens, now time.Time, refresh time.Duration) {
	if t.User != nil {
		s.User, s.SID = *t.User, cmp.Or(t.Session, s.SID)
	}
	s.IDToken, s.RefreshToken = cmp.Or(t.ID, s.IDToken), cmp.Or(t.Refresh, s.RefreshToken)
	if s.RefreshToken != "" {
		s.Confirmed, s.Confirm = now.Unix(), now.Add(refresh).Unix()
	}
}

// State says whether a session can be used.
type State int

// States of a session.
const (
	Ended State = iota
	Due         // usable, but the provider should confirm it
	Valid
)

// Unconfirmed is the reason for the end of a session that the provider may still confirm.
const Unconfirmed = "unconfirmed"

// State returns the session's state, and the reason if it ended.
func (s *Session) State(now time.Time, c Config) (State, string) {
	unix := now.Unix()
	after := func(since int64, d time.Duration) bool { return unix > since+int64(d/time.Second) }
	switch {
	case s.Began > unix+int64(openid.Leeway/time.Second):
		return Ended, "begins in the future"
	case after(s.Began, c.Lifetime):
		return Ended, "lifetime"
	case after(s.Seen, c.Idle):
		return Ended, "idle"
	case s.Confirmed != 0 && after(s.Confirmed, 2*c.Refresh):
		return Ended, Unconfirmed
	case s.Confirm != 0 && unix > s.Confirm:
		return Due, ""
	}
	return Valid, ""
}

// Stale reports whether the cookie should be written again, so that Seen follows the
// requests. It does not ask for that at each request.
func (s *Session) Stale(now time.Time, c Config) bool {
	return now.Unix() > s.Seen+int64(c.Idle/time.Second)/5
}

// Key is the session's name in a list of ended ones.
func (s *Session) Key() string { return "id " + s.ID }

// NameOf returns the name by which a provider ends its own session sid or, if that is
// empty, all sessions of a user.
func NameOf(provider, sid, subject string) string {
	if sid != "" {
		return "sid " + provider + " " + sid
	}
	return "sub " + provider + " " + subject
}

// Revoked reports whether the list has the session, or its user since the session began: a
// later session is a new login.
func (s *Session) Revoked(l *revoked.List) bool {
	if l == nil {
		return false
	}
	_, one := l.At(s.Key())
	_, sid := l.At(NameOf(s.Provider, s.SID, s.Subject))
	at, all := l.At(NameOf(s.Provider, "", s.Subject))
	return one || sid && s.SID != "" || all && s.Began <= at
}
