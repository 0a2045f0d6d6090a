package servicetest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Scrape returns /metrics once it has each of the lines: an ACK is counted when it has
// left.
func (a *Agent) Scrape(t testing.TB, lines ...string) string {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		status, text := Get(t, a.Admin(t)+"/metrics")
		if status != http.StatusOK {
			t.Fatalf("/metrics: status %d: %s", status, text)
		}
		missing := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.Contains(text, "\n"+line+"\n") })
		if len(missing) == 0 {
			return text
		}
		if time.Since(begun) > Patience {
			t.Fatalf("/metrics has not:\n%s\nbut:\n%s", strings.Join(missing, "\n"), text)
		}
	}
}
