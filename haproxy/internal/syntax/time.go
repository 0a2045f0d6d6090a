package syntax

import (
	"strconv"
	"strings"
	"time"
)

// MaxTime is the longest time of HAProxy's configuration.
const MaxTime = (1<<31 - 1) * time.Millisecond

// FormatTime writes a duration for HAProxy's configuration, rounded up to its smallest
// unit, the millisecond.
func FormatTime(d time.Duration) string {
	d = (d + time.Millisecond - 1).Truncate(time.Millisecond)
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d >= unit.d && d%unit.d == 0 {
			return strconv.FormatInt(int64(d/unit.d), 10) + unit.name
		}
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

// parseTime reads a time of HAProxy's configuration: milliseconds without a unit.
func parseTime(s string) (time.Duration, bool) {
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	unit := "ms"
	if i >= 0 {
		s, unit = s[:i], s[i:]
	}
	n, ok := parseInt(s)
	units := map[string]time.Duration{
		"us": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
		"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
	u, known := units[unit]
	return time.Duration(n) * u, ok && known
}
