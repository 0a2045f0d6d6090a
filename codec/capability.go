package codec

import "strings"

// The capabilities of §3.2.1.
const (
	CapFragmentation = "fragmentation"
	CapPipelining    = "pipelining"
	CapAsync         = "async"
)

// hasItem reports whether a comma-separated list holds item; spaces are ignored.
func hasItem(list, item string) bool {
	for s := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(s) == item {
			return true
		}
	}
	return false
}
