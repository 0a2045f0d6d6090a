package syntax

import (
	"strings"
)

// Refused returns the first character of a name that names of variables cannot have and
// others does not list.
func Refused(name, others string) (rune, bool) {
	for _, r := range name {
		if !IsNameByte(r) && !strings.ContainsRune(others, r) {
			return r, true
		}
	}
	return 0, false
}

// IsNameByte reports whether names of variables have r.
func IsNameByte(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '.'
}
