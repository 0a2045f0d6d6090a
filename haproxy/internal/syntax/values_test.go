package syntax_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

func TestFormatTime(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0ms": 0, "1ms": 1, "2ms": time.Millisecond + 1, "999ms": 999 * time.Millisecond, "1s": time.Second, "1001ms": 1001 * time.Millisecond,
		"1m": time.Minute, "61s": 61 * time.Second, "1h": time.Hour, "90m": 90 * time.Minute, "24h": 24 * time.Hour,
	} {
		assert.Equal(t, want, syntax.FormatTime(d))
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int{"0": 0, "16384": 16384, "1k": 1 << 10, "64K": 64 << 10, "2m": 2 << 20, "3G": 3 << 30} {
		got, ok := syntax.ParseSize(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "k", "1t", "1kk", "x", "1 k"} {
		_, ok := syntax.ParseSize(s)
		assert.False(t, ok, s)
	}
}

func TestOneWord(t *testing.T) {
	for s, want := range map[string]string{"a": "a", `a\ b`: "a b", `"a b"`: "a b", "req.hdr(host)": "req.hdr(host)"} {
		got, err := syntax.OneWord(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got)
	}
	for _, s := range []string{"", "a b", " a", "a ", "a#", "#", "a #b", "a\n", "a\x7fb", `a\`} {
		_, err := syntax.OneWord(s)
		assert.ErrorIs(t, err, syntax.ErrNotOne, "%q", s)
	}
	_, err := syntax.OneWord(`"a`)
	assert.Error(t, err)
}

func TestCheckOpen(t *testing.T) {
	for _, s := range []string{"", "a", "a b", `a\#`, `"#"`} {
		assert.NoError(t, syntax.CheckOpen(s), s)
	}
	for _, s := range []string{"#", "a #", `a\`, "a\nb", `"a`, "a\x7f"} {
		assert.Error(t, syntax.CheckOpen(s), "%q", s)
	}
}

func TestCheckCondition(t *testing.T) {
	for _, s := range []string{"{ path / }", "!{ path /a } or { src ::1 }", "METH_GET", "! METH_GET", "{ path / } !METH_POST", "{ path x y }"} {
		assert.NoError(t, syntax.CheckCondition(s), s)
	}
	for _, s := range []string{"{ path / } local", "{ path / } or local", "METH_GET !local", "{ path / } #", `{ path "/ }`} {
		assert.Error(t, syntax.CheckCondition(s), s)
	}
}
