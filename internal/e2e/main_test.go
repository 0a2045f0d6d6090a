package e2e_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain runs the tests, and fails where they leave goroutines behind. With
// agentEnv in its environment the test binary is an agent instead, so that
// tests can have agents in processes of their own.
func TestMain(m *testing.M) {
	if addr := os.Getenv(agentEnv); addr != "" {
		os.Exit(runAgent(addr))
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !goroutinesBackTo(before) {
		buf := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "goroutines are left over:\n%s\n", buf[:runtime.Stack(buf, true)])
		code = 1
	}
	os.Exit(code)
}

// goroutinesBackTo waits until there are at most n goroutines.
func goroutinesBackTo(n int) bool {
	return eventually(waitLimit, func() bool { return runtime.NumGoroutine() <= n })
}

// waitLimit is the longest wait of a test for an event, which a busy machine may delay.
const waitLimit = 30 * time.Second

// eventually waits until ok is true, and returns whether it was within limit.
func eventually(limit time.Duration, ok func() bool) bool {
	for end := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// countFrom is the number that an environment variable has, or short.
func countFrom(t *testing.T, env string, short int) int {
	text := os.Getenv(env)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, env)
	require.Positive(t, n, env)
	return n
}
