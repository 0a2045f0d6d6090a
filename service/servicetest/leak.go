package servicetest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main runs a package's tests without the variables of the environment that begin with
// one of the prefixes, or with OTEL_, and ends the process. It fails if a goroutine of
// this repository's code is left behind. A TestMain calls it.
func Main(m *testing.M, prefixes ...string) {
	for _, pair := range os.Environ() {
		for _, prefix := range append(prefixes, "OTEL_") {
			if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, prefix) {
				os.Unsetenv(name)
			}
		}
	}
	status := m.Run()
	if err := RemoveProgram(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	if left := leftGoroutines(); left != "" && status == 0 {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n\n%s\n", left)
		status = 1
	}
	os.Exit(status)
}

// leftGoroutines returns the stacks of the goroutines that run this repository's code,
// but for its own, once they have had time to end.
func leftGoroutines() string {
	var left []string
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
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
