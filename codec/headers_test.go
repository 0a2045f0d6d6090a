package codec_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func headersBin(pairs ...string) (b []byte) {
	for _, s := range pairs {
		b = codec.AppendString(b, s)
	}
	return b
}

func TestDecodeHeadersBin(t *testing.T) {
	want := http.Header{"Host": {"x"}, "X-A": {"1", "", "2"}}
	for _, end := range [][]string{nil, {"", ""}} {
		got, err := codec.DecodeHeadersBin(headersBin(append([]string{"x-a", "1", "host", "x", "X-A", "", "x-a", "2"}, end...)...))
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	got, err := codec.DecodeHeadersBin(codec.AppendHeadersBin(nil, want))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	for name, raw := range map[string][]byte{
		"behind the end": headersBin("", "", "a", "b"), "no name": headersBin("", "b"), "half a pair": headersBin("a"), "short": {5, 'a'},
		"line break": headersBin("a", "b\r\nc: d"), "NUL": headersBin("a", "\x00"), "colon": headersBin(":path", "/"), "space": headersBin("a b", ""),
	} {
		_, err := codec.DecodeHeadersBin(raw)
		var e *codec.Error
		require.ErrorAs(t, err, &e, name)
	}
}

func TestDecodeHeadersText(t *testing.T) {
	want := http.Header{"Host": {"x:80"}, "X-A": {"1", "", "2"}}
	lines := "x-a: 1\r\nhost:x:80 \r\nX-A:\r\nx-a:\t2"
	for _, end := range []string{"", "\r\n", "\r\n\r\n", "\n\n"} {
		got, err := codec.DecodeHeadersText([]byte(lines + end))
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for name, raw := range map[string]string{
		"behind the end": "a: b\r\n\r\nc: d\r\n", "no colon": "a\r\n", "no name": ": b\r\n", "continued": "a: b\r\n c: d\r\n",
		"space": "a : b\r\n", "CR": "a: b\rc\r\n", "NUL": "a: \x00\r\n",
	} {
		_, err := codec.DecodeHeadersText([]byte(raw))
		var e *codec.Error
		require.ErrorAs(t, err, &e, name)
	}
}

// TestHeadersBinOrder: the names are sorted, so that equal headers have equal bytes.
func TestHeadersBinOrder(t *testing.T) {
	h, want := http.Header{}, []byte(nil)
	for c := 'A'; c <= 'P'; c++ {
		h[string(c)] = []string{"2", "1"}
		want = append(want, headersBin(string(c), "2", string(c), "1")...)
	}
	assert.Equal(t, append(want, 0, 0), codec.AppendHeadersBin(nil, h))
}

// TestHeaderBrokenOff: a header whose value did not come whole is left out.
func TestHeaderBrokenOff(t *testing.T) {
	got, err := decode[struct {
		H        http.Header `spoe:"h"`
		Problems codec.Problems
	}](t, kv{"h", codec.Binary(append(headersBin("A", "1", "B"), 5, 'x'))})
	require.NoError(t, err)
	assert.Equal(t, http.Header{"A": {"1"}}, got.H)
	assert.Len(t, got.Problems, 1)
}
