package middleware_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests of all middleware know each exported one; Detach has its own tests.
func TestEveryMiddlewareIsTested(t *testing.T) {
	constructor := regexp.MustCompile(`(?m)^func ([A-Z]\w*)\(.*\) spoe\.Middleware \{$`)
	exported := []string{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range constructor.FindAllStringSubmatch(string(text), -1) {
			exported = append(exported, m[1])
		}
	}
	tested := append(slices.Collect(maps.Keys(everyMiddleware(t))), "Detach")
	assert.ElementsMatch(t, exported, tested)
}
