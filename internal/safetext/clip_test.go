package safetext_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/internal/safetext"
)

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"empty", "", 10, ""},
		{"plain", "ip-rep", 10, "ip-rep"},
		{"just fits", "ip-rep", 6, "ip-rep"},
		{"letters and symbols", "Grüße, 世界 🚀 a\\b", 100, "Grüße, 世界 🚀 a\\b"},
		{"a real U+FFFD", "a\ufffdb", 100, "a\ufffdb"},
		{"ends of ASCII", " ~", 100, " ~"},
		{"line breaks", "a\r\nb\tc", 100, `a\r\nb\tc`},
		{"terminal escape", "\x1b]0;own\x07", 100, `\x1b]0;own\x07`},
		{"NUL, US, DEL", "\x00\x1f\x7f", 100, `\x00\x1f\x7f`},
		{"C1", "\u0080\u009b31m\u009f", 100, `\u0080\u009b31m\u009f`},
		{"bidirectional", "a\u202eb\u2066c\u200f\u061c", 100, `a\u202eb\u2066c\u200f\u061c`},
		{"zero width", "a\u200bb\u200dc\ufeff\u2060", 100, `a\u200bb\u200dc\ufeff\u2060`},
		{"line separators", "a\u2028b\u2029", 100, `a\u2028b\u2029`},
		{"tag characters", "a\U000e0041", 100, `a\U000e0041`},
		{"variation selectors", "a\ufe0fb\U000e0100", 100, `a\ufe0fb\U000e0100`},
		{"Hangul fillers", "\u115f\u1160\u3164\uffa0", 100, `\u115f\u1160\u3164\uffa0`},
		{"not UTF-8", "a\xff\xc3(\xe2\x82", 100, `a\xff\xc3(\xe2\x82`},
		{"surrogate", "\xed\xa0\x80", 100, `\xed\xa0\x80`},
		{"too long", strings.Repeat("a", 100), 30, strings.Repeat("a", 15) + "…(+85 bytes)"},
		{"cut between characters", strings.Repeat("ü", 50), 30, strings.Repeat("ü", 7) + "…(+86 bytes)"},
		{"too long by escapes", strings.Repeat("\x00", 9), 30, strings.Repeat(`\x00`, 4) + "…(+5 bytes)"},
		{"just fits by escapes", strings.Repeat("\x00", 7), 28, strings.Repeat(`\x00`, 7)},
		{"room for the sign alone", strings.Repeat("a", 100), 15, "…(+100 bytes)"},
		{"no room for the sign", strings.Repeat("a", 100), 12, "…"},
		{"no room at all", strings.Repeat("a", 100), 2, ""},
		{"limit 0", "a", 0, ""},
		{"negative limit", "a", -1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, safetext.Clip(tt.in, tt.limit))
			assert.Equal(t, tt.want, safetext.ClipBytes([]byte(tt.in), tt.limit))
		})
	}
}

func TestClipDoesNotAllocate(t *testing.T) {
	for _, s := range []string{"", "ip-rep", "/path?q=1", strings.Repeat("a", 4096), "Grüße, 世界"} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { safetext.Clip(s, 4096) }), "%q", s)
		b := []byte(s)
		assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { safetext.ClipBytes(b, 4096) }), 1.0, "%q", s)
	}
	huge := strings.Repeat("a", 4<<20)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { safetext.Clip(huge, 256) }), 2.0)
}

func TestClipBytesSharesNothing(t *testing.T) {
	b := []byte("plain")
	s := safetext.ClipBytes(b, 100)
	b[0] = 'X'
	assert.Equal(t, "plain", s)
}

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

type panicking struct{}

func (panicking) Error() string { panic("no text") }

func TestError(t *testing.T) {
	assert.Equal(t, `a\nb`, safetext.Error(errors.New("a\nb"), 100))
	assert.Equal(t, "no error", safetext.Error(nil, 100))
	assert.Equal(t, "error of type *safetext_test.nilError, whose Error method panics",
		safetext.Error((*nilError)(nil), 100))
	assert.Equal(t, "error of type safetext_test.panicking, whose Error method panics",
		safetext.Error(panicking{}, 100))
	assert.Len(t, safetext.Error(errors.New(strings.Repeat("a", 1<<20)), 64), 64)
}

func FuzzClip(f *testing.F) {
	f.Add("plain", 10)
	f.Add("a\x1b[31m\xff\u202e"+strings.Repeat("ü", 100), 40)
	f.Add("\U000e0041\u2028", 9)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 1000
		got := safetext.Clip(s, limit)
		if len(got) > max(limit, 0) {
			t.Fatalf("%d bytes, at most %d were wanted: %q", len(got), limit, got)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not valid UTF-8", got)
		}
		for _, r := range got {
			if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Fatalf("%q has %U", got, r)
			}
		}
		if again := safetext.Clip(got, limit); again != got {
			t.Fatalf("%q became %q the second time", got, again)
		}
		if b := safetext.ClipBytes([]byte(s), limit); b != got {
			t.Fatalf("of bytes %q, of a string %q", b, got)
		}
	})
}
