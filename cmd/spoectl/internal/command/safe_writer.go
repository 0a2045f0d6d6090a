package command

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spoke-go/spoke/internal/safetext"
)

// safeWriter stands before standard output and standard error. It escapes each
// character that a terminal could obey: agents and visitors chose some of the
// text. Line feeds and tabs pass.
//
// It writes \u202e rather than \x.. or \U..., because most output is JSON on
// request, where such a character can only be inside a string and \u202e is the
// same string. A byte that is not UTF-8 becomes \xff; JSON has none.
type safeWriter struct{ w io.Writer }

func (s safeWriter) Write(b []byte) (int, error) {
	if _, err := io.WriteString(s.w, escape(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

func escape(s string) string {
	var out strings.Builder
	done := 0 // s[:done] is in out
	for i, size := 0, 0; i < len(s); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(s[i:])
		plain := r == '\n' || r == '\t' || r >= ' ' && r <= '~'
		if plain || safetext.Clip(s[i:i+size], 64) == s[i:i+size] {
			continue
		}
		out.WriteString(s[done:i])
		done = i + size
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, s[i])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	if done == 0 {
		return s
	}
	return out.String() + s[done:]
}
