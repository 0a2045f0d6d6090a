package codec_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func TestParseTarget(t *testing.T) {
	for target, want := range map[string]codec.Target{
		"/":                              {Path: "/"},
		"/a?b=c?d":                       {Path: "/a", Query: "b=c?d"},
		"//evil.example/a":               {Path: "//evil.example/a"},
		"/a?u=http://x/":                 {Path: "/a", Query: "u=http://x/"},
		"/%2e%2e/a#top":                  {Path: "/%2e%2e/a"},
		"*":                              {Path: "*"},
		"example.com:443":                {Authority: "example.com:443"},
		"[2001:db8::1]:443":              {Authority: "[2001:db8::1]:443"},
		"HTTPS://example.com:8443/a?b":   {Scheme: "https", Authority: "example.com:8443", Path: "/a", Query: "b"},
		"http://example.com":             {Scheme: "http", Authority: "example.com", Path: "/"},
		"http://example.com?a=/b":        {Scheme: "http", Authority: "example.com", Path: "/", Query: "a=/b"},
		"https://example.com//a/../b":    {Scheme: "https", Authority: "example.com", Path: "//a/../b"},
		"coap+tcp://example.com/a":       {Scheme: "coap+tcp", Authority: "example.com", Path: "/a"},
		"azAZ09+-.://azAZ09-._~:%/":      {Scheme: "azaz09+-.", Authority: "azAZ09-._~:%", Path: "/"},
		"/a/http://example.com/?q=1#a?b": {Path: "/a/http://example.com/", Query: "q=1"},
	} {
		got, err := codec.ParseTarget(target)
		require.NoError(t, err, target)
		assert.Equal(t, want, got, target)
	}
	for _, target := range []string{"", "#a", "a b", "/a\tb", "/\x00", "\x7f", "user@example.com:443", "https://user@example.com/",
		"https://", "https:///a", "://example.com/", "1 ://example.com/", "-s://example.com/", "?a", "a/b", "**", "/a b", "/\x7f", "a_b://example.com/", "a@b://example.com/",
		"a/b://example.com/", "https://a`b/", "https://a{b/", "https://a@b/", "https://a^b/", "https://a;b/", "https://a!b/", `\evil.example`} {
		got, err := codec.ParseTarget(target)
		require.Error(t, err, "%q", target)
		assert.Zero(t, got, "%q", target)
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = codec.ParseTarget("https://example.com/a/b?c=d") }))
}

// TestTargetField: a struct's field takes the sample url.
func TestOriginForm(t *testing.T) {
	for target, want := range map[string]string{
		"":                          "",
		"*":                         "*",
		"/":                         "/",
		"/a?b#c":                    "/a?b#c",
		"/a?u=http://x/":            "/a?u=http://x/",
		"//x/a":                     "//x/a",
		"https://x":                 "/",
		"https://x/":                "/",
		"https:///a":                "/a",
		"https://?a":                "/?a",
		"https://x/a b?c=d/\x00":    "/a b?c=d/\x00",
		"http://x?a=/b":             "/?a=/b",
		"https://x//y":              "//y",
		"example.com:443":           "example.com:443",
		"a:b?u=https://example.com": "/",
	} {
		assert.Equal(t, want, codec.OriginForm(target), target)
	}
}

func TestTargetField(t *testing.T) {
	var target codec.Target
	require.NoError(t, target.UnmarshalText([]byte("https://example.com/a")))
	assert.Equal(t, "/a", target.Path)
	require.Error(t, target.UnmarshalText([]byte("a b")))
	assert.Zero(t, target)
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"/a?b#c", "*", "example.com:443", "https://example.com/a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, err := codec.ParseTarget(s)
		if err != nil {
			return
		}
		if target.Path == "" && target.Authority == "" {
			t.Fatalf("%q has neither a path nor an authority", s)
		}
		if strings.ContainsAny(target.Authority, "/?#@\\ ") {
			t.Fatalf("%q has the authority %q", s, target.Authority)
		}
	})
}
