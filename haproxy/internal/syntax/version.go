package syntax

import (
	"strconv"
	"strings"
)

// version is a version of HAProxy's, such as {3, 2}.
type version [2]int

func ParseVersion(s string) (v version, ok bool) {
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

func (v version) AtLeast(major, minor int) bool {
	return v[0] > major || v[0] == major && v[1] >= minor
}
