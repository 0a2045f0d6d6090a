package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/auth/revoked"
	"github.com/spoke-go/spoke/codec"
)

// session is the content of a browser's cookie. Times are in seconds since 1970.
type session struct {
	ID       string `json:"i"`
	Provider string `json:"p"`
	SID      string `json:"d,omitempty"` // the provider's name of its own session
	Named    string `json:"n,omitempty"` // the claims that rules named at the login
	auth.User
	Began int64 `json:"b"`
	Seen  int64 `json:"l"`
	// Confirmed is when the provider confirmed it, and Confirm when the agent should ask
	// again. Both are 0 for a session that the provider gave no refresh token for.
	Confirmed int64 `json:"c0,omitempty"`
	Confirm   int64 `json:"c1,omitempty"`

	refreshToken, idToken string // behind the JSON, which each request reads
}

func newSession(provider string, now time.Time) *session {
	return &session{ID: rand.Text(), Provider: provider, Began: now.Unix(), Seen: now.Unix()}
}

// take puts the content of the provider's tokens into the session.
func (s *session) take(t *openid.Tokens, now time.Time, refresh time.Duration) {
	if t.User != nil {
		s.User, s.SID = *t.User, cmp.Or(t.Session, s.SID)
	}
	s.idToken, s.refreshToken = cmp.Or(t.ID, s.idToken), cmp.Or(t.Refresh, s.refreshToken)
	if s.refreshToken != "" {
		s.Confirmed, s.Confirm = now.Unix(), now.Add(refresh).Unix()
	}
}

// state says whether a session can be used.
type state int

const (
	ended state = iota
	due         // usable, but the provider should confirm it
	valid
)

// unconfirmed is the reason of a session's end that the provider may yet confirm.
const unconfirmed = "unconfirmed"

// at returns the session's state, and why it has ended.
func (s *session) at(now time.Time, c *SessionConfig) (state, string) {
	unix := now.Unix()
	after := func(since int64, d time.Duration) bool { return unix > since+int64(d/time.Second) }
	switch {
	case s.Began > unix+int64(openid.Leeway/time.Second):
		return ended, "begins in the future"
	case after(s.Began, c.Lifetime):
		return ended, "lifetime"
	case after(s.Seen, c.Idle):
		return ended, "idle"
	case s.Confirmed != 0 && after(s.Confirmed, 2*c.Refresh):
		return ended, unconfirmed
	case s.Confirm != 0 && unix > s.Confirm:
		return due, ""
	}
	return valid, ""
}

// revoke is the name of the session in the list of ended sessions.
func (s *session) revoke() string { return "id " + s.ID }

// bySID and bySubject are the names by which a provider ends one of its own sessions, and
// all of a user.
func bySID(provider, sid string) string         { return "sid " + provider + " " + sid }
func bySubject(provider, subject string) string { return "sub " + provider + " " + subject }

// revokedIn reports whether the list has the session. A user's name on it ends the sessions
// that began before; later ones are new logins.
func (s *session) revokedIn(l *revoked.List) bool {
	_, one := l.At(s.revoke())
	_, sid := l.At(bySID(s.Provider, s.SID))
	at, all := l.At(bySubject(s.Provider, s.Subject))
	return one || sid && s.SID != "" || all && s.Began <= at
}

// stale reports whether the cookie should be written again, so that Seen follows the
// requests: not at each of them.
func (s *session) stale(now time.Time, c *SessionConfig) bool {
	return now.Unix() > s.Seen+int64(c.Idle/time.Second)/5
}

func (s *session) encode() []byte {
	head, _ := json.Marshal(s) // of strings and numbers: it cannot fail
	b := binary.AppendUvarint(nil, uint64(len(head)))
	return append(append(append(append(b, head...), s.refreshToken...), 0), s.idToken...)
}

func decodeSession(b []byte) (*session, bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, false
	}
	s := new(session)
	if json.Unmarshal(b[n:n+int(size)], s) != nil {
		return nil, false
	}
	refresh, id, _ := bytes.Cut(b[n+int(size):], []byte{0})
	s.refreshToken, s.idToken = string(refresh), string(id)
	return s, true
}

// A session is in the cookie cookieName; a long one goes on in up to two more.
const (
	cookieName = "__Host-sso"
	maxParts   = 3
)

// hostCookie returns a cookie that browsers send to its host alone.
func hostCookie(name, value string, age time.Duration) codec.SetCookie {
	return codec.SetCookie{Name: name, Value: value, MaxAge: age, Path: "/", Secure: true, HTTPOnly: true, SameSite: codec.SameSiteLax}
}

// sessionCookies returns the Set-Cookie headers of a session.
func (g *gate) sessionCookies(s *session, host string) ([]string, error) {
	return hostCookie(cookieName, g.keys.Seal(s.encode(), time.Time{}, "session", host), g.config.Session.Lifetime).Split(maxParts)
}

// session returns the session in a Cookie header, or nil.
func (g *gate) session(header, host string, now time.Time) *session {
	text, _ := codec.JoinCookie(header, cookieName, maxParts)
	b, ok := g.keys.Open(text, now, "session", host)
	if !ok {
		return nil
	}
	if s, ok := decodeSession(b); ok && s.Named == g.named {
		return s
	}
	return nil // rules look at claims now that it does not have
}
