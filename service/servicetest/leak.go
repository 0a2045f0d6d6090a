package servicetest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/internal/leak"
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
	if left := leak.Goroutines(); left != "" && status == 0 {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n\n%s\n", left)
		status = 1
	}
	os.Exit(status)
}
