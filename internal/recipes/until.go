package recipes

import (
	"testing"
	"time"
)

// Patience is the longest wait of a test for a condition. Only a failing test reaches
// it.
const Patience = 30 * time.Second

// Until waits until ok. The failure names the awaited event by what.
func Until(t *testing.T, ok func() bool, what func() string) {
	t.Helper()
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal(what())
		}
	}
}
