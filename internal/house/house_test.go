// Package house_test holds the arrows between the folders of this repository.
package house_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/spoke-go/spoke"

// house lists the packages that each package may import besides the standard library:
// packages of this module by their folder, others by the module. The packages below
// internal and examples, which no user imports, need no entry.
var house = map[string][]string{
	"codec":                     {},
	"spoe":                      {"codec", "internal/bridge", "internal/proxyheader", "internal/reporter", "internal/safetext", "golang.org/x/sync"},
	"spoe/spoetest":             {"spoe", "codec", "internal/bridge"},
	"spoe/spoetest/conformance": {"spoe/spoetest", "spoe", "codec"},
	"spoe/spoetest/haproxytest": {"internal/freeaddr"},
	"router":                    {"spoe", "codec", "internal/safetext", "internal/secret"},
	"pair":                      {},
	"seal":                      {},
	"middleware":                {"spoe", "codec", "pair", "internal/cowmap", "internal/safetext", "internal/secret", "go.opentelemetry.io/otel", "golang.org/x/sync"},
	"inspect":                   {"router", "spoe", "codec", "internal/cowmap", "internal/safetext", "internal/secret"},
	"haproxy":                   {"haproxy/internal/check", "haproxy/internal/model", "haproxy/internal/write", "router", "codec"},
	"haproxy/internal/syntax":   {"router", "codec"},
	"haproxy/internal/samples":  {"haproxy/internal/syntax", "router"},
	"haproxy/internal/model":    {"haproxy/internal/samples", "haproxy/internal/syntax", "router", "codec"},
	"haproxy/internal/write":    {"haproxy/internal/model", "haproxy/internal/samples", "haproxy/internal/syntax", "internal/wrap", "router", "codec"},
	"haproxy/internal/check":    {"haproxy/internal/model", "haproxy/internal/samples", "haproxy/internal/syntax", "internal/wrap", "codec"},
}

// ground are the folders that no package of the house may import.
var ground = []string{"internal", "examples"}

// atRoot runs a test in the repository's root. It is called by each test rather than by
// TestMain, because the go command otherwise looks for changed files in this folder and
// takes old results from its cache.
func atRoot(t *testing.T) { t.Chdir("../..") }

// TestImportsPointUp holds the arrows between packages: a reader who looks for a cause has
// to look up the list only, and a user gets no needless dependency. Tests may import any
// package.
func TestImportsPointUp(t *testing.T) {
	atRoot(t)
	found := map[string]bool{}
	for dir, files := range sources(t) {
		if slices.Contains(ground, strings.Split(dir, "/")[0]) {
			continue
		}
		allowed, ok := house[dir]
		assert.True(t, ok, "package %s is not in the house: say in house_test.go what it may import", dir)
		found[dir] = true
		for _, file := range files {
			for _, imported := range imports(t, file) {
				assert.True(t, may(imported, allowed), "%s imports %s; %s may import %v and the standard library", file, imported, dir, allowed)
			}
		}
	}
	for dir := range house {
		assert.True(t, found[dir], "the house has no package %s any more: take it out of house_test.go", dir)
	}
}

func may(imported string, allowed []string) bool {
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	for _, a := range allowed {
		if imported == module+"/"+a || imported == a || strings.HasPrefix(imported, a+"/") {
			return true
		}
	}
	return false
}

// sources returns the files of each package of this module, tests aside.
func sources(t *testing.T) map[string][]string {
	packages := map[string][]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			_, noModule := os.Stat(filepath.Join(name, "go.mod"))
			hidden := name != "." && strings.HasPrefix(d.Name(), ".")
			if hidden || d.Name() == "testdata" || name != "." && noModule == nil {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			packages[path.Dir(name)] = append(packages[path.Dir(name)], name)
		}
		return nil
	})
	require.NoError(t, err)
	return packages
}

func imports(t *testing.T, file string) []string {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	require.NoError(t, err)
	var paths []string
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		paths = append(paths, p)
	}
	return paths
}

// dependencies are the modules that the root module may require directly, with
// the modules that their repositories consist of.
var dependencies = []string{
	"github.com/stretchr/testify",
	"go.opentelemetry.io/otel",
	"golang.org/x/sync",
}

// TestDependencies: a package that needs more belongs to a nested module.
func TestDependencies(t *testing.T) {
	atRoot(t)
	b, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	direct := regexp.MustCompile(`(?m)^(?:require)?\s*(\S+\.\S+/\S+) v\S+$`).FindAllStringSubmatch(string(b), -1)
	require.NotEmpty(t, direct)
	for _, m := range direct {
		assert.True(t, slices.ContainsFunc(dependencies, func(d string) bool {
			return m[1] == d || strings.HasPrefix(m[1], d+"/")
		}), "go.mod requires %s directly; put what needs it into a nested module", m[1])
	}
}

// TestArchitectureNamesFiles: each file that docs/architecture.md names exists.
func TestArchitectureNamesFiles(t *testing.T) {
	atRoot(t)
	page, err := os.ReadFile("docs/architecture.md")
	require.NoError(t, err)
	names := regexp.MustCompile("`([a-z_]+/[a-z_/]*\\.(?:go|txt))`").FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(names), 15)
	for _, m := range names {
		_, err := os.Stat(m[1])
		assert.NoError(t, err)
	}
}
