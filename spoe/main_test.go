package spoe_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/spoke-go/spoke/internal/leak"
	"github.com/spoke-go/spoke/spoe"
)

// TestMain runs all tests on poisoned buffers, and finds goroutines that
// outlive their agent.
func TestMain(m *testing.M) {
	if os.Getenv(computingAgent) != "" {
		if err := serveComputing(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	spoe.PoisonBuffers()
	code := m.Run()
	if leaked := leak.Goroutines(); code == 0 && leaked != "" {
		fmt.Fprintln(os.Stderr, "goroutines of the agent are left:\n"+leaked)
		code = 1
	}
	os.Exit(code)
}
