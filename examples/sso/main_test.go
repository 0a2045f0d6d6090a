package main_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails if the agents that the tests ran have left a goroutine behind.
func TestMain(m *testing.M) {
	// The tests' own surroundings are none of theirs.
	for _, pair := range os.Environ() {
		if strings.HasPrefix(pair, "OTEL_") || strings.HasPrefix(pair, "SSO_") {
			name, _, _ := strings.Cut(pair, "=")
			os.Unsetenv(name)
		}
	}
	status := m.Run()
	if left := leftGoroutines(); left != "" && status == 0 {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n\n%s\n", left)
		status = 1
	}
	os.Exit(status)
}

// leftGoroutines returns the stacks of those that run this repository's code,
// but for its own, once they have had time to end.
func leftGoroutines() string {
	var left []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = left[:0]
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(stack, "spoke-go/spoke") && !strings.Contains(stack, "leftGoroutines") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
	}
	return strings.Join(left, "\n\n")
}
