package servicetest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Scrape waits until /metrics has each of the lines, and returns it: an ACK is counted
// after it leaves.
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
