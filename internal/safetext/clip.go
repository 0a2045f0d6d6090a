package safetext

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Clip returns s as text that is safe to show, at most limit bytes long. It
// returns s itself, without an allocation, if nothing has to change.
//
//   - A byte that is not part of valid UTF-8 becomes \xff.
//   - A control character becomes \n, \r, \t or \x1b. This includes DEL and the
//     C1 controls, which some terminals obey.
//   - A character that is invisible or changes the order of the others, such as
//     U+202E or U+200B, becomes \u202e.
//   - Where s does not fit, the end becomes "…(+N bytes)", with the number of
//     bytes of s that are not shown. Where even that does not fit into limit, the
//     end becomes "…" or nothing.
//
// A backslash stays as it is, so the result cannot be decoded back.
func Clip(s string, limit int) string {
	if len(s) <= limit && isSafe(s) {
		return s
	}
	return clip(s, limit)
}

// ClipBytes returns b as Clip returns a string. The result does not share
// memory with b.
func ClipBytes(b []byte, limit int) string {
	if len(b) <= limit && isSafe(b) {
		return string(b)
	}
	return clip(b, limit)
}

// isSafe reports whether s can be shown as it is.
func isSafe[T string | []byte](s T) bool {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			if s[i] < ' ' || s[i] > '~' {
				return false
			}
			i++
			continue
		}
		r, size := decodeRune(s, i)
		if r == utf8.RuneError && size == 1 || isUnsafe(r) {
			return false
		}
		i += size
	}
	return true
}

// decodeRune returns the character that begins at s[i]. It converts a few bytes
// only, which allocates nothing.
func decodeRune[T string | []byte](s T, i int) (rune, int) {
	return utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
}

// isUnsafe reports whether r can do something other than show itself: control a
// terminal, begin a line, reorder the text around it, or hide.
func isUnsafe(r rune) bool {
	if r < 0x7f {
		return r < ' '
	}
	switch {
	case unicode.IsControl(r):
		return true
	case unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
		return true
	case unicode.Is(unicode.Variation_Selector, r):
		return true // invisible, and long runs of them carry hidden data
	case r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0:
		return true // Hangul fillers: letters without a shape
	}
	return false
}

// clip returns s, escaped and at most limit bytes long.
func clip[T string | []byte](s T, limit int) string {
	const longest = len(`\U00000000`) // escape, which may exceed limit
	dst := make([]byte, 0, max(min(len(s)+signLen(len(s)), limit), 0)+longest)
	forText := limit - signLen(len(s)) // bytes in front of a sign
	cutOut, cutIn := 0, 0              // where a sign would go, in dst and in s
	for i := 0; i < len(s); {
		r, size := decodeRune(s, i)
		dst = appendRune(dst, r, string(s[i:i+size]))
		if len(dst) > limit {
			return string(appendSign(dst[:cutOut], len(s)-cutIn, limit))
		}
		i += size
		if len(dst) <= forText {
			cutOut, cutIn = len(dst), i
		}
	}
	return string(dst)
}

// appendRune appends the character r, which text encodes, as it is or escaped.
func appendRune(dst []byte, r rune, text string) []byte {
	switch {
	case r == utf8.RuneError && len(text) == 1:
		return appendHex(dst, text[0])
	case !isUnsafe(r):
		return append(dst, text...)
	case r == '\n':
		return append(dst, `\n`...)
	case r == '\r':
		return append(dst, `\r`...)
	case r == '\t':
		return append(dst, `\t`...)
	case r < ' ' || r == 0x7f:
		return appendHex(dst, byte(r))
	case r <= 0xffff:
		dst = append(dst, `\u`...)
		return appendPadded(dst, r, 4)
	default:
		dst = append(dst, `\U`...)
		return appendPadded(dst, r, 8)
	}
}

func appendHex(dst []byte, c byte) []byte {
	return appendPadded(append(dst, `\x`...), rune(c), 2)
}

// appendPadded appends r as hexadecimal digits of that number.
func appendPadded(dst []byte, r rune, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[r>>shift&0xf])
	}
	return dst
}

// signLen returns the length of the sign for n bytes that are not shown.
func signLen(n int) int {
	size := len("…(+0 bytes)")
	for ; n >= 10; n /= 10 {
		size++
	}
	return size
}

// appendSign appends as much of the sign for n bytes as limit allows.
func appendSign(dst []byte, n, limit int) []byte {
	if len(dst)+signLen(n) <= limit {
		dst = append(dst, "…(+"...)
		dst = strconv.AppendInt(dst, int64(n), 10)
		return append(dst, " bytes)"...)
	}
	if len(dst)+len("…") <= limit {
		return append(dst, "…"...)
	}
	return dst
}
