package spoe_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe"
)

// TestMain has all tests run on poisoned buffers, and finds goroutines that
// outlive their agent.
func TestMain(m *testing.M) {
	spoe.PoisonBuffers()
	code := m.Run()
	if leaked := leakedGoroutines(); code == 0 && leaked != "" {
		fmt.Fprintln(os.Stderr, "goroutines of the agent are left:\n"+leaked)
		code = 1
	}
	os.Exit(code)
}

// leakedGoroutines returns the stacks of the engine's goroutines that do not
// end within a second.
func leakedGoroutines() string {
	var left string
	for range 100 {
		left = ""
		buf := make([]byte, 1<<20)
		for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(stack, "spoke/spoe.(*") && !strings.Contains(stack, "TestMain") {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			return ""
		}
		time.Sleep(10 * time.Millisecond)
	}
	return left
}
