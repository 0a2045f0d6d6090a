package codec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func TestParseHost(t *testing.T) {
	for text, want := range map[string]codec.Host{
		"example.com":           {Name: "example.com"},
		"EXAMPLE.com.:8443":     {Name: "example.com", Port: "8443"},
		"example.com:":          {Name: "example.com"},
		"a_b-c.d:1":             {Name: "a_b-c.d", Port: "1"},
		"az09AZ":                {Name: "az09az"},
		"192.0.2.1:80":          {Name: "192.0.2.1", Port: "80"},
		"[2001:DB8::1]":         {Name: "[2001:db8::1]"},
		"[2001:db8:0::1]:65535": {Name: "[2001:db8::1]", Port: "65535"},
	} {
		got, err := codec.ParseHost(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		again, err := codec.ParseHost(got.String())
		require.NoError(t, err, text)
		assert.Equal(t, got, again, text)
	}
	for _, text := range []string{
		"", ".", ":80", "example.com:x", "example.com:65536", "example.com:+1", "example.com:80:80", "example.com@other", "example.com:80@other",
		"example.com/other", "example.com other", "example.com\x00", "exämple.com", "%65xample.com", "2001:db8::1", "[2001:db8::1", "[2001:db8::1]x",
		"[192.0.2.1]", "[fe80::1%eth0]", "[]", "[::1]]", "a[::1]",
	} {
		got, err := codec.ParseHost(text)
		require.Error(t, err, text)
		assert.Zero(t, got, text)
	}
}

func TestHostAsArgument(t *testing.T) {
	var h codec.Host
	require.NoError(t, h.UnmarshalText([]byte("Wiki.example:8443")))
	assert.Equal(t, "wiki.example:8443", h.String())
	require.Error(t, h.UnmarshalText([]byte("a b")))
}

func TestParseHostAllocatesNothing(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = codec.ParseHost("example.com:8443") }))
}

// TestParseHostAllocates nothing, with a port or without: it is in the path of requests.
func TestParseHostAllocates(t *testing.T) {
	for _, text := range []string{"www.example.com", "www.example.com:8443", "192.0.2.1"} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = codec.ParseHost(text) }), text)
	}
}
