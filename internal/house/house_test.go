// Package house_test checks rules of this repository as a whole: which package imports
// which, what the packages export, how the texts are written.
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

// allowedImports lists what each package of the root module may import in addition to the
// standard library: packages of this module by their folder, others by the module. The
// packages below internal and examples, which no user imports, need no entry.
var allowedImports = map[string][]string{
	"codec": {},
	"spoe": {"codec", "internal/bridge", "internal/proxyheader", "internal/reporter", "internal/safetext", "golang.org/x/sync",
		"spoe/internal/checks", "spoe/internal/listen", "spoe/internal/loglimit", "spoe/internal/msgctx", "spoe/internal/names"},
	"spoe/internal/checks":      {},
	"spoe/internal/listen":      {},
	"spoe/internal/loglimit":    {},
	"spoe/internal/msgctx":      {},
	"spoe/internal/names":       {"internal/cowmap"},
	"spoe/spoetest":             {"spoe", "codec", "internal/bridge", "internal/sleep"},
	"spoe/spoetest/conformance": {"spoe/spoetest", "spoe", "codec", "internal/sleep"},
	"spoe/spoetest/haproxytest": {"internal/child", "internal/freeaddr", "internal/lockedbuffer"},
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

// unlisted are the folders of the root module whose packages have no entry.
var unlisted = []string{"internal", "examples"}

// moduleImports lists the packages of this repository that each nested module may import in
// addition to its own. Its go.mod lists others.
var moduleImports = map[string][]string{
	"auth":                {"codec", "seal", "service"},
	"cmd/spoectl":         {"spoe", "spoe/spoetest", "spoe/spoetest/conformance", "codec", "haproxy", "internal/..."},
	"service":             {"spoe", "router", "middleware", "pair", "inspect", "haproxy", "internal/..."},
	"inspect/browsertest": {},
	"internal/bench":      {"spoe", "spoe/spoetest", "spoe/spoetest/haproxytest", "router", "middleware", "inspect", "codec", "cmd/spoectl/load"},
	"internal/tools":      {},
	"examples":            {"spoe", "spoe/spoetest", "spoe/spoetest/haproxytest", "router", "middleware", "pair", "seal", "haproxy", "codec", "service", "auth/...", "internal/..."},
}

// atRoot runs a test in the repository's root. It is called by each test rather than by
// TestMain, because the go command otherwise looks for changed files in this folder and
// takes old results from its cache.
func atRoot(t *testing.T) { t.Chdir("../..") }

// TestImports: a reader who looks for a cause has to look only at the packages that the
// list allows, and a user gets no needless dependency. Tests may import any package.
func TestImports(t *testing.T) {
	atRoot(t)
	found := map[string]bool{}
	for dir, files := range sources(t, ".") {
		if slices.Contains(unlisted, strings.Split(dir, "/")[0]) {
			continue
		}
		allowed, ok := allowedImports[dir]
		assert.True(t, ok, "package %s is not listed: say in house_test.go what it may import", dir)
		found[dir] = true
		for _, file := range files {
			for _, imported := range imports(t, file) {
				assert.True(t, may(imported, allowed), "%s imports %s; %s may import %v and the standard library", file, imported, dir, allowed)
			}
		}
	}
	for dir := range allowedImports {
		assert.True(t, found[dir], "there is no package %s: remove it from house_test.go", dir)
	}
}

// TestModuleImports is TestImports for the nested modules. None imports another example.
func TestModuleImports(t *testing.T) {
	atRoot(t)
	found := 0
	for _, root := range nestedModules(t) {
		allowed, ok := moduleImports[root]
		if path.Dir(root) == "examples" {
			allowed, ok = moduleImports["examples"], true
		}
		assert.True(t, ok, "module %s is not listed: say in house_test.go what it may import", root)
		found++
		allowed = append(slices.Clone(allowed), root+"/...")
		for _, files := range sources(t, root) {
			for _, file := range files {
				for _, imported := range imports(t, file) {
					dir, ours := strings.CutPrefix(imported, module+"/")
					assert.True(t, !ours || within(dir, allowed), "%s imports %s; %s may import %v of this repository", file, dir, root, allowed)
				}
			}
		}
	}
	require.Greater(t, found, 8)
}

// within reports whether a folder is one of a list, or below one that ends with "/...".
func within(dir string, list []string) bool {
	return slices.ContainsFunc(list, func(l string) bool {
		root, tree := strings.CutSuffix(l, "/...")
		return dir == root || tree && strings.HasPrefix(dir, root+"/")
	})
}

// nestedModules returns the folders of the modules other than the root's.
func nestedModules(t *testing.T) (roots []string) {
	walk(t, ".", func(name string) {
		if path.Base(name) == "go.mod" && name != "go.mod" {
			roots = append(roots, path.Dir(name))
		}
	})
	return roots
}

// walk calls each with the files below a folder. It leaves out testdata and hidden
// folders.
func walk(t *testing.T, root string, each func(name string)) {
	require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			each(filepath.ToSlash(name))
		case d.Name() == "testdata", name != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		}
		return nil
	}))
}

// TestFoldersAreDescribed: each folder with code or scripts says what it is for, in a
// package's comment or in a README.
func TestFoldersAreDescribed(t *testing.T) {
	atRoot(t)
	described := map[string]bool{}
	comment := regexp.MustCompile(`(?m)^(?://|/\*) ?(?:Package|Command) `)
	walk(t, ".", func(name string) {
		dir := path.Dir(name)
		switch path.Ext(name) {
		case ".go", ".sh":
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			described[dir] = described[dir] || comment.Match(text)
		}
		if path.Base(name) == "README.md" {
			described[dir] = true
		}
	})
	require.Greater(t, len(described), 50)
	for dir, is := range described {
		assert.True(t, is, "%s has neither a package's comment nor a README", dir)
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

// sources returns the files of each package of the module in a folder, tests aside.
func sources(t *testing.T, root string) map[string][]string {
	packages := map[string][]string{}
	nested := nestedModules(t)
	walk(t, root, func(name string) {
		elsewhere := func(other string) bool { return other != root && strings.HasPrefix(name, other+"/") }
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !slices.ContainsFunc(nested, elsewhere) {
			packages[path.Dir(name)] = append(packages[path.Dir(name)], name)
		}
	})
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
