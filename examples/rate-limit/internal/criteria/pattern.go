package criteria

import (
	"encoding/hex"
	"fmt"
	"path"
	"strings"
)

// Pattern is a path in which * matches any text, also with '/'.
type Pattern string

// UnmarshalText reads a pattern.
func (p *Pattern) UnmarshalText(text []byte) error {
	if !strings.HasPrefix(string(text), "/") && !strings.HasPrefix(string(text), "*") {
		return fmt.Errorf("%q is no path: write one that begins with '/' or '*', such as /api/*", text)
	}
	// A pattern that is not clean would match no path, see CleanPath.
	whole := "/" + strings.TrimPrefix(string(text), "/")
	if clean := CleanPath(whole); clean != whole && clean+"/" != whole {
		return fmt.Errorf("%q is compared with clean paths: write %s", text, clean)
	}
	*p = Pattern(text)
	return nil
}

// MarshalText is the reverse of UnmarshalText.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p), nil }

// Matches reports whether a clean path matches, with or without a '/' at its end: sites
// treat both as the same.
func (p Pattern) Matches(path string) bool { return p.match(path) || p.match(path+"/") }

func (p Pattern) match(path string) bool {
	pieces := strings.Split(string(p), "*")
	last := len(pieces) - 1
	rest, ok := strings.CutPrefix(path, pieces[0])
	if !ok || last == 0 {
		return ok && rest == ""
	}
	for _, piece := range pieces[1:last] {
		_, after, found := strings.Cut(rest, piece)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, pieces[last])
}

// CleanPath returns a path as sites read it: without %-encoding, empty segments and dots. A
// limit on /login also applies to //login and /%6cogin. A '%' that encodes nothing does not
// hide the others.
func CleanPath(raw string) string {
	if !strings.Contains(raw, "%") {
		return path.Clean("/" + raw)
	}
	plain := []byte("/")
	for i := 0; i < len(raw); i++ {
		var b [1]byte
		if raw[i] == '%' && i+2 < len(raw) {
			if _, err := hex.Decode(b[:], []byte(raw[i+1:i+3])); err == nil {
				plain, i = append(plain, b[0]), i+2
				continue
			}
		}
		plain = append(plain, raw[i])
	}
	return path.Clean(string(plain))
}
