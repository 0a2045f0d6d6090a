package codec_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func TestSetCookie(t *testing.T) {
	for want, c := range map[string]codec.SetCookie{
		"a=b": {Name: "a", Value: "b"},
		"a=":  {Name: "a"},
		"a=b; Path=/x; Domain=example.com; Max-Age=60": {Name: "a", Value: "b", Path: "/x", Domain: "example.com", MaxAge: time.Minute},
		"a=; Max-Age=0": {Name: "a", MaxAge: -1},
		"a=; Max-Age=1": {Name: "a", MaxAge: time.Millisecond},
		"__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax": {Name: "__Host-a", Value: "b", Path: "/", Secure: true, HTTPOnly: true, SameSite: codec.SameSiteLax},
	} {
		b, err := c.Append([]byte("x "))
		require.NoError(t, err)
		assert.Equal(t, "x "+want, string(b))
		read, err := http.ParseSetCookie(want)
		require.NoError(t, err)
		assert.Equal(t, c.Value, read.Value)
		assert.Equal(t, c.Secure, read.Secure)
		assert.Equal(t, c.HTTPOnly, read.HttpOnly)
	}
}

func TestSetCookieBound(t *testing.T) {
	c := codec.SetCookie{Name: "ab", Value: strings.Repeat("x", codec.MaxCookie-2)}
	_, err := c.Append(nil)
	require.NoError(t, err)
	c.Value += "x"
	_, err = c.Append(nil)
	require.EqualError(t, err, "codec: the cookie ab has 4097 bytes, browsers take 4096 at most: shorten its value, or split it")
}

func TestSetCookieRefused(t *testing.T) {
	host := codec.SetCookie{Name: "__host-a", Path: "/", Secure: true}
	for name, c := range map[string]codec.SetCookie{
		"no name":              {Value: "b"},
		"name with '='":        {Name: "a=b"},
		"name with line break": {Name: "a\r\nb"},
		"value with ';'":       {Name: "a", Value: "b; Domain=example.com"},
		"value with space":     {Name: "a", Value: "b c"},
		"value with CR LF":     {Name: "a", Value: "b\r\nSet-Cookie:x"},
		"value not ASCII":      {Name: "a", Value: "ü"},
		"path with ';'":        {Name: "a", Path: "/;Secure"},
		"domain with LF":       {Name: "a", Domain: "a\nb"},
		"unknown SameSite":     {Name: "a", SameSite: "lax; x"},
		"none not secure":      {Name: "a", SameSite: codec.SameSiteNone},
		"secure prefix":        {Name: "__Secure-a"},
		"host, not secure":     {Name: host.Name, Path: "/"},
		"host with path":       {Name: host.Name, Path: "/a", Secure: true},
		"host with domain":     {Name: host.Name, Path: "/", Secure: true, Domain: "example.com"},
	} {
		b, err := c.Append([]byte("x"))
		require.Error(t, err, name)
		assert.Equal(t, "x", string(b), name)
	}
	_, err := host.Append(nil)
	require.NoError(t, err)
}
