package codec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func TestHosts(t *testing.T) {
	var hosts codec.Hosts[int]
	for i, name := range []string{"example.com", "*.example.com", "*.b.example.com", "a.b.example.com", "[2001:db8::1]", "localhost"} {
		require.NoError(t, hosts.Add(name, i+1))
	}
	for text, want := range map[string]int{
		"Example.com:8443":    1,
		"example.com.":        1,
		"a.example.com":       2,
		"x.y.example.com":     2,
		"b.example.com":       2,
		"x.b.example.com":     3,
		"x.y.b.example.com":   3,
		"a.b.example.com":     4,
		"x.a.b.example.com":   3,
		"[2001:DB8:0::1]:443": 5,
		"localhost":           6,
		"a.localhost":         0,
		"com":                 0,
		"notexample.com":      0,
		"example.com@other":   0, // no host
	} {
		host, _ := codec.ParseHost(text)
		got, ok := hosts.Find(host)
		assert.Equal(t, want, got, text)
		assert.Equal(t, want > 0, ok, text)
	}
	_, ok := new(codec.Hosts[int]).Find(codec.Host{Name: "example.com"})
	assert.False(t, ok)

	for name, want := range map[string]string{
		"example.com":   `"example.com" is there twice: remove one of them`,
		"*.example.com": `"*.example.com" is there twice: remove one of them`,
		"Example.com":   `"Example.com" is no host name in lower case without a port`,
		"a.example:1":   `"a.example:1" is no host name in lower case without a port`,
		"*":             `"*" is no host name in lower case without a port`,
		"*.":            `"*." is no host name in lower case without a port`,
		"*.*.x":         `"*.*.x" is no host name in lower case without a port`,
		"":              `"" is no host name in lower case without a port`,
	} {
		assert.EqualError(t, hosts.Add(name, 0), want)
	}
}
