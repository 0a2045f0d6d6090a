package codec_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

func TestHeaderBlock(t *testing.T) {
	pairs := []string{"host", "x", "X-A", "1", "x-a", "", "Cookie", "a\x00"}
	for name, raw := range map[string][]byte{
		"whole": headersBin(append(pairs, "", "")...), "no end": headersBin(pairs...), "more": headersBin(append(pairs, "", "", "b", "")...),
		"broken off": append(headersBin(pairs...), 9, 'x'),
	} {
		var got []string
		b := codec.NewHeaderBlock(raw)
		for n, v := range b.All() {
			got = append(got, n, v)
		}
		assert.Equal(t, pairs, got, name)
		assert.Error(t, b.Err(), name)
		v, ok := b.Get("x-A")
		assert.True(t, ok)
		assert.Equal(t, "1", v)
		_, ok = b.Get("x")
		assert.False(t, ok)
	}
	for name := range codec.NewHeaderBlock(headersBin("a", "1", "b", "2")).All() {
		assert.Equal(t, "a", name)
		break
	}
	var none codec.HeaderBlock
	assert.NoError(t, none.Err())
	for range none.All() {
		t.Error("an empty block has no header")
	}
	assert.NoError(t, codec.NewHeaderBlock(headersBin("a", "1", "", "")).Err())
}

// TestHeaderBlockField: a field of a message, and of a result, holds the block.
func TestHeaderBlockField(t *testing.T) {
	type in struct {
		H codec.HeaderBlock `spoe:"h"`
		S string            `spoe:"s"`
	}
	raw := headersBin("b", "2", "A", "1", "", "")
	args := argsOf(kv{"h", codec.Binary(raw)}, kv{"s", codec.String("s")})
	var got in
	require.NoError(t, decoderFor[in](t).Decode("m", args, &got))
	for i := range args.Raw() {
		args.Raw()[i] = 0xdb
	}
	assert.Equal(t, in{codec.NewHeaderBlock(raw), "s"}, got)

	type out struct {
		H codec.HeaderBlock `spoe:"h,omitempty"`
	}
	sent, err := encode(t, out{codec.NewHeaderBlock(headersBin("b", "2", "A", "1"))})
	require.NoError(t, err)
	require.Len(t, sent, 1)
	assert.Equal(t, raw, sent[0].Value.Bytes())
	sent, err = encode(t, out{})
	require.NoError(t, err)
	assert.Empty(t, sent)
	_, err = encode(t, out{codec.NewHeaderBlock(headersBin("a", "b\r\nc: d"))})
	assert.ErrorContains(t, err, `header "a" with a line break`)
}

// TestHeaderBlockAllocations: reading the headers allocates nothing.
func TestHeaderBlockAllocations(t *testing.T) {
	b := codec.NewHeaderBlock(codec.AppendHeadersBin(nil, http.Header{"A": {"1", "2"}, "Cookie": {"a=1; b=2"}}))
	n := 0
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for name, value := range b.All() {
			n += len(name) + len(value)
		}
		cookies, _ := b.Get("cookie")
		c, _ := codec.Cookie(cookies, "b")
		n += len(c)
	}))
	assert.Positive(t, n)
}

func TestCookie(t *testing.T) {
	const header = `a=1; session="s p"; A=2;b=x=y;  c=; flag; q="; e=""`
	for name, want := range map[string]string{"a": "1", "A": "2", "session": "s p", "b": "x=y", "c": "", "q": `"`, "e": ""} {
		got, ok := codec.Cookie(header, name)
		assert.True(t, ok, name)
		assert.Equal(t, want, got, name)
	}
	for _, name := range []string{"flag", "x", "", "1"} {
		_, ok := codec.Cookie(header, name)
		assert.False(t, ok, name)
	}
	got, _ := codec.Cookie("a=1; a=2", "a")
	assert.Equal(t, "1", got)
}
