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
		"a=!~; Path=/ ~": {Name: "a", Value: "!~", Path: "/ ~"},
		"a=; Max-Age=0":  {Name: "a", MaxAge: -1},
		"a=; Max-Age=1":  {Name: "a", MaxAge: 1},
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
		"secure prefix alone":  {Name: "__Secure-"},
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

func TestSplitCookie(t *testing.T) {
	c := codec.SetCookie{Name: "__Host-a", Path: "/", Secure: true, MaxAge: time.Hour}
	size := codec.MaxCookie - len(c.Name) - 1
	for length, parts := range map[int]int{0: 1, 1: 1, size - 1: 1, size: 2, 2*size - 1: 2, 2 * size: 3, 3*size - 1: 3} {
		c.Value = strings.Repeat("abcdefghij", length/10+1)[:length]
		headers, err := c.Split(3)
		require.NoError(t, err)
		require.Len(t, headers, parts, length)
		var pairs []string
		for i, h := range headers {
			pair, rest, _ := strings.Cut(h, ";")
			assert.Equal(t, " Path=/; Max-Age=3600; Secure", rest)
			name, _, _ := strings.Cut(pair, "=")
			assert.Equal(t, []string{"__Host-a", "__Host-a1", "__Host-a2"}[i], name)
			assert.LessOrEqual(t, len(pair)-1, codec.MaxCookie)
			pairs = append([]string{pair}, pairs...) // in any order
		}
		header := "x=y; " + strings.Join(pairs, "; ")
		got, ok := codec.JoinCookie(header, "__Host-a", 3)
		assert.True(t, ok)
		assert.Equal(t, c.Value, got)
		_, ok = codec.JoinCookie(header, "__Host-a", parts)
		assert.True(t, ok, "as many parts as the limit")
		_, ok = codec.JoinCookie(header, "__Host-a", parts-1)
		assert.False(t, ok, "more parts than the limit")
		if parts > 1 {
			_, ok = codec.JoinCookie("x=y; "+strings.Join(pairs[1:], "; "), "__Host-a", 3)
			assert.False(t, ok, "its last part is not there")
		}
	}
	c.Value = strings.Repeat("x", 3*size)
	_, err := c.Split(3)
	require.EqualError(t, err, "codec: the cookie __Host-a has 12269 bytes, which do not fit into 3 cookies: shorten its value")
	c.Value = strings.Repeat("x", 9*size-1)
	headers, err := c.Split(20)
	require.NoError(t, err)
	assert.Len(t, headers, 9)
	pairs := make([]string, len(headers))
	for i, h := range headers {
		pairs[i], _, _ = strings.Cut(h, ";")
	}
	got, ok := codec.JoinCookie(strings.Join(pairs, "; "), "__Host-a", 9)
	assert.True(t, ok)
	assert.Equal(t, c.Value, got)
	c.Value += "x"
	_, err = c.Split(20)
	require.Error(t, err, "the number of cookies is one digit")
	// The name leaves space for one character in each cookie.
	headers, err = codec.SetCookie{Name: strings.Repeat("n", codec.MaxCookie-2), Value: "abc"}.Split(9)
	require.NoError(t, err)
	assert.Len(t, headers, 4)
	c.Value = "a;b"
	_, err = c.Split(3)
	require.Error(t, err)
	_, err = codec.SetCookie{Name: strings.Repeat("n", codec.MaxCookie)}.Split(3)
	require.Error(t, err)
	for _, header := range []string{"", "a=", "a=x", "a=0x", "a=-1x", "a=9x", "b=1x", "a=:x"} {
		_, ok := codec.JoinCookie(header, "a", 3)
		assert.False(t, ok, header)
	}
}

func TestDeleteCookie(t *testing.T) {
	headers, err := codec.SetCookie{Name: "__Host-a", Value: "x", Path: "/", Secure: true, MaxAge: time.Hour}.Delete(2)
	require.NoError(t, err)
	assert.Equal(t, []string{"__Host-a=; Path=/; Max-Age=0; Secure", "__Host-a1=; Path=/; Max-Age=0; Secure"}, headers)
	for _, limit := range []int{0, 1} {
		headers, err = codec.SetCookie{Name: "a"}.Delete(limit)
		require.NoError(t, err)
		assert.Len(t, headers, 1)
	}
	_, err = codec.SetCookie{Name: "a=b"}.Delete(1)
	require.Error(t, err)
}
