package session

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/seal"
)

// parts is the maximum number of cookies of a session: browsers store 4 KB of each.
const parts = 3

// Cookie reads and writes the cookies of sessions. A browser sends them only to their host,
// and no script can read them.
type Cookie struct {
	Name string // begin it with __Host-, so that no other host can set it
	Keys *seal.Keyring
	Config
	// Claims names the claims that rules look at. Read does not accept a session with other
	// claims.
	Claims string
}

// Set returns the values of the Set-Cookie headers, one to three, of a session of a host.
func (c Cookie) Set(s *Session, host string) ([]string, error) {
	return Host(c.Name, c.Keys.Seal(s.encode(), time.Time{}, "session", host), c.Lifetime).Split(parts)
}

// Delete returns the values of the Set-Cookie headers that delete a session.
func (c Cookie) Delete() ([]string, error) { return Host(c.Name, "", -1).Delete(parts) }

// Read returns the session in a Cookie header, or nil.
func (c Cookie) Read(header, host string, now time.Time) *Session {
	text, _ := codec.JoinCookie(header, c.Name, parts)
	b, ok := c.Keys.Open(text, now, "session", host)
	if !ok {
		return nil
	}
	if s, ok := decode(b); ok && s.Named == c.Claims {
		return s
	}
	return nil
}

// Host returns a cookie that browsers send only to its host, and that no script can read.
func Host(name, value string, age time.Duration) codec.SetCookie {
	return codec.SetCookie{Name: name, Value: value, MaxAge: age, Path: "/", Secure: true, HTTPOnly: true, SameSite: codec.SameSiteLax}
}

func (s *Session) encode() []byte {
	head, _ := json.Marshal(s) // of strings and numbers: it cannot fail
	b := binary.AppendUvarint(nil, uint64(len(head)))
	return append(append(append(append(b, head...), s.RefreshToken...), 0), s.IDToken...)
}

func decode(b []byte) (*Session, bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, false
	}
	s := new(Session)
	if json.Unmarshal(b[n:n+int(size)], s) != nil {
		return nil, false
	}
	refresh, id, _ := bytes.Cut(b[n+int(size):], []byte{0})
	s.RefreshToken, s.IDToken = string(refresh), string(id)
	return s, true
}
