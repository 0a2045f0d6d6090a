package syntax

import (
	"strconv"
	"strings"
)

// Version is a version of HAProxy, such as {3, 2}.
type Version [2]int

// ParseVersion reads a version such as 3.2.1.
func ParseVersion(s string) (v Version, ok bool) {
	s, _, _ = strings.Cut(s, "-") // 3.2-dev1
	for i, part := range strings.SplitN(s, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return v, false
		}
		if i < len(v) {
			v[i] = n
		}
	}
	return v, strings.Contains(s, ".")
}

// AtLeast reports whether it is that version or a later one.
func (v Version) AtLeast(major, minor int) bool {
	return v[0] > major || v[0] == major && v[1] >= minor
}
