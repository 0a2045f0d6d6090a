//go:build unix && !race

package docs_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/internal/recipes"
)

// TestCookbookWritten: the generated files are what the programs write today (-update
// writes them), and each haproxy.cfg has the lines that the programs want in it.
func TestCookbookWritten(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(cookbook)) {
		r := cookbook[name]
		config := trimmedLines(recipes.ReadFile(t, r.Path(t, r.Config)))
		for _, c := range r.Programs {
			for file, kind := range map[string]string{c.SPOE: "spoe", c.Backend: "backend"} {
				got := recipes.Printed(t, c.Folder, ".", "-print-config="+kind)
				if *update {
					require.NoError(t, os.WriteFile(r.Path(t, file), []byte(got), 0o644))
				}
				assert.Equal(t, recipes.ReadFile(t, r.Path(t, file)), got, "%s: run go generate, or go test ./internal/doctest -update", r.Path(t, file))
			}
			for _, line := range trimmedLines(recipes.Printed(t, c.Folder, ".", "-print-config=frontend")) {
				// Rules for when there is no answer are written as the recipe
				// wants them; a rule that asks may have a condition.
				if strings.HasPrefix(line, "#") || strings.Contains(line, " deny deny_status 50") {
					continue
				}
				assert.True(t, slices.ContainsFunc(config, func(l string) bool {
					return strings.HasPrefix(strings.Join(strings.Fields(l), " "), line)
				}), "%s has no line %q", r.Path(t, r.Config), line)
			}
		}
	}
}

func trimmedLines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestCookbookChecked: -check-config, from where the reader is, finds nothing.
func TestCookbookChecked(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(cookbook)) {
		r := cookbook[name]
		var files []string
		for _, c := range r.Programs {
			files = append(files, c.Backend)
		}
		files = append(files, r.Config)
		for _, c := range r.Programs {
			assert.Empty(t, recipes.Printed(t, c.Folder, filepath.Join("../examples/cookbook", r.Dir), "-check-config", strings.Join(files, ",")), name)
		}
	}
}

// TestCookbookValid: each HAProxy takes the files as they are, without a warning.
func TestCookbookValid(t *testing.T) {
	certs := certificates(t)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, name := range slices.Sorted(maps.Keys(cookbook)) {
			r := cookbook[name]
			if !r.Takes(t, bin) {
				continue
			}
			config, beside := r.Files(t)
			if r.Dir == "tls" {
				maps.Copy(beside, certs)
			}
			warnings, err := haproxytest.Check(t, bin, haproxytest.Config{Config: config, Files: beside, Args: r.Args()})
			require.NoError(t, err, name)
			assert.Empty(t, warnings, name)
		}
	})
}

// certificates are files for the recipe about TLS.
func certificates(t *testing.T) map[string]string {
	t.Helper()
	return recipes.Certificates(t, t.TempDir())
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
}
