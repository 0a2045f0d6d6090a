//go:build unix && !race

package docs_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCookbookWritten: the generated files are what the programs write today
// (-update has them written), and each haproxy.cfg has the lines that the programs
// want in it.
func TestCookbookWritten(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(recipes)) {
		r := recipes[name]
		config := trimmedLines(readFile(t, r.path(r.config)))
		for _, c := range r.cooks {
			for file, kind := range map[string]string{c.spoe: "spoe", c.backend: "backend"} {
				got := printed(t, c.program, ".", "-print-config="+kind)
				if *update {
					require.NoError(t, os.WriteFile(r.path(file), []byte(got), 0o644))
				}
				assert.Equal(t, readFile(t, r.path(file)), got, "%s: run go generate, or go test ./docs -update", r.path(file))
			}
			for _, line := range trimmedLines(printed(t, c.program, ".", "-print-config=frontend")) {
				// Rules for when there is no answer are written as the recipe
				// wants them; a rule that asks may have a condition.
				if strings.HasPrefix(line, "#") || strings.Contains(line, " deny ") {
					continue
				}
				assert.True(t, slices.ContainsFunc(config, func(l string) bool {
					return strings.HasPrefix(strings.Join(strings.Fields(l), " "), line)
				}), "%s has no line %q", r.path(r.config), line)
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
	for _, name := range slices.Sorted(maps.Keys(recipes)) {
		r := recipes[name]
		var files []string
		for _, c := range r.cooks {
			files = append(files, c.backend)
		}
		files = append(files, r.config)
		for _, c := range r.cooks {
			assert.Empty(t, printed(t, c.program, filepath.Join("../examples/cookbook", r.dir), "-check-config", strings.Join(files, ",")), name)
		}
	}
}

// TestCookbookValid: each HAProxy takes the files as they are, without a warning.
func TestCookbookValid(t *testing.T) {
	certs := certificates(t)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, name := range slices.Sorted(maps.Keys(recipes)) {
			r := recipes[name]
			if !r.takes(t, bin) {
				continue
			}
			config, beside := r.files(t)
			if r.dir == "tls" {
				maps.Copy(beside, certs)
			}
			warnings, err := haproxytest.Check(t, bin, haproxytest.Config{Config: config, Files: beside, Args: r.args()})
			require.NoError(t, err, name)
			assert.Empty(t, warnings, name)
		}
	})
}

// certificates are files for the recipe about TLS.
func certificates(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command(program(t, "tls/certs"), "-dir", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	files := map[string]string{}
	for _, name := range []string{"ca.pem", "agent.pem", "agent.key", "haproxy.pem"} {
		files[name] = readFile(t, filepath.Join(dir, name))
	}
	return files
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
}
