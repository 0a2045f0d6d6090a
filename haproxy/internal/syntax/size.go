package syntax

import (
	"slices"
	"strconv"
)

// DefaultBufsize is HAProxy's default of tune.bufsize, in bytes.
const DefaultBufsize = 16384

// ParseSize reads a size of HAProxy's configuration.
func ParseSize(s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	if s == "" {
		return 0, false
	}
	shift := slices.Index([]byte("kmg"), s[len(s)-1]|0x20)
	n, err := strconv.Atoi(s[:len(s)-1])
	return n << (10 * (shift + 1)), err == nil && shift >= 0
}

func parseInt(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil
}
