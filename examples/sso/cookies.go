package main

import (
	"errors"
	"strconv"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// The session's cookie is __Host-sso; one that is too long for a browser goes on in
// __Host-sso1 and __Host-sso2. Its first character is the number of parts.
const (
	cookieName = "__Host-sso"
	maxParts   = 3
	partSize   = codec.MaxCookie - len(cookieName) - 1
)

var errTooLong = errors.New("the session is too long for cookies: has the user hundreds of groups? Let the provider leave some out")

func partName(i int) string {
	if i == 0 {
		return cookieName
	}
	return cookieName + strconv.Itoa(i)
}

// setCookie returns a Set-Cookie header for a cookie that goes back to its host alone.
func setCookie(name, value string, age time.Duration) (string, error) {
	c := codec.SetCookie{Name: name, Value: value, MaxAge: age, Path: "/", Secure: true, HTTPOnly: true, SameSite: codec.SameSiteLax}
	b, err := c.Append(nil)
	return string(b), err
}

// sessionCookies returns the Set-Cookie headers of a session.
func (g *gate) sessionCookies(s *session, host string) ([]string, error) {
	text := g.keys.Seal("session", host, s.encode())
	parts := (len(text) + 1 + partSize - 1) / partSize
	if parts > maxParts {
		return nil, errTooLong
	}
	text = strconv.Itoa(parts) + text
	var set []string
	for i := range parts {
		h, err := setCookie(partName(i), text[i*partSize:min(len(text), (i+1)*partSize)], g.config.Session.Lifetime)
		if err != nil {
			return nil, err
		}
		set = append(set, h)
	}
	return set, nil
}

// session returns the session in a Cookie header, or nil.
func (g *gate) session(header, host string) *session {
	text, ok := codec.Cookie(header, cookieName)
	if !ok || text == "" {
		return nil
	}
	parts := int(text[0] - '0')
	text = text[1:]
	for i := 1; i < min(parts, maxParts); i++ {
		part, ok := codec.Cookie(header, partName(i))
		if !ok {
			return nil
		}
		text += part
	}
	b, ok := g.keys.Open("session", host, text)
	if !ok {
		return nil
	}
	s, ok := decodeSession(b)
	if !ok || s.Named != g.named {
		return nil // rules look at claims now that it does not have
	}
	return s
}
