// Package leak finds goroutines that outlive the tests of a package.
package leak

import (
	"runtime"
	"strings"
	"time"
)

// Limit is the time that goroutines may take to end, on a busy machine.
const Limit = 30 * time.Second

// Goroutines returns the stacks of the goroutines that run this repository's code and do
// not end within Limit, or "". A TestMain calls it after the tests.
func Goroutines() string { return Within(Limit) }

// Within is Goroutines with another limit.
func Within(limit time.Duration) string {
	for deadline := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		left := running()
		if left == "" || time.Now().After(deadline) {
			return left
		}
	}
}

func running() string {
	stacks := make([]byte, 1<<20)
	var left strings.Builder
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if strings.Contains(stack, "spoke-go/spoke") && !strings.Contains(stack, "internal/leak.") {
			left.WriteString(stack + "\n\n")
		}
	}
	return left.String()
}
