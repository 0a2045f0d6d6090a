package middleware_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/spoke-go/spoke/internal/leak"
)

// TestMain fails if a middleware or an agent left a goroutine behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leak.Goroutines(); code == 0 && left != "" {
		fmt.Fprintln(os.Stderr, "goroutines are left:\n"+left)
		code = 1
	}
	os.Exit(code)
}
