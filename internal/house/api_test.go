package house_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var writeAPI = flag.Bool("write", false, "write the API listings in testdata/api again")

const listings = "internal/house/testdata/api"

// TestAPI compares the exported declarations of each package that users can import
// with the committed listing, so that a change of the API is seen in its diff.
func TestAPI(t *testing.T) {
	atRoot(t)
	want := map[string]bool{}
	for _, dir := range publicPackages(t) {
		listing := path.Join(listings, dir+".txt")
		want[listing] = true
		got := api(t, dir)
		if *writeAPI {
			require.NoError(t, os.MkdirAll(path.Dir(listing), 0o755))
			require.NoError(t, os.WriteFile(listing, []byte(got), 0o644))
			continue
		}
		committed, _ := os.ReadFile(listing)
		if gone, added := lineDiff(string(committed), got); gone != "" || added != "" || string(committed) != got {
			assert.Fail(t, "API", "the API of package %s is not the one in %s; if the change is meant, run make api and tell users in CHANGELOG.md\ngone:\n%snew:\n%s", dir, listing, gone, added)
		}
	}
	require.Greater(t, len(want), 10)
	require.NoError(t, filepath.WalkDir(listings, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || want[filepath.ToSlash(name)] {
			return err
		}
		if *writeAPI {
			return os.Remove(name)
		}
		assert.Fail(t, "no package has this listing", "%s: run make api", name)
		return nil
	}))
}

// lineDiff returns the lines that only one of the texts has.
func lineDiff(before, after string) (gone, added string) {
	missing := func(from, in string) string {
		have := map[string]bool{}
		for line := range strings.Lines(in) {
			have[line] = true
		}
		var b strings.Builder
		for line := range strings.Lines(from) {
			if !have[line] {
				b.WriteString(line)
			}
		}
		return b.String()
	}
	return missing(before, after), missing(after, before)
}

// publicPackages returns the folders of all packages, in every module of the
// repository, that a program elsewhere can import.
func publicPackages(t *testing.T) []string {
	var dirs []string
	require.NoError(t, filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || name == "." {
			return err
		}
		switch base := d.Name(); {
		case strings.HasPrefix(base, "."), base == "testdata", base == "internal", name == "examples":
			return filepath.SkipDir
		}
		p, err := listed.ImportDir(name, 0)
		if err == nil && p.Name != "main" && len(p.GoFiles) > 0 {
			dirs = append(dirs, filepath.ToSlash(name))
		}
		return nil
	}))
	return dirs
}

// listed is the system whose files make the listing, whatever system the test runs on.
var listed = func() build.Context {
	c := build.Default
	c.GOOS, c.GOARCH = "linux", "amd64"
	return c
}()

// load returns the exported parts of the package in dir, and the folders of the internal
// packages of this module that it imports, by package name.
func load(t *testing.T, fset *token.FileSet, dir string) (d *doc.Package, internal map[string]string) {
	p, err := listed.ImportDir(dir, 0)
	require.NoError(t, err)
	internal = map[string]string{}
	for _, imported := range p.Imports {
		if to, ours := strings.CutPrefix(imported, module+"/"); ours && strings.Contains(to, "internal/") {
			internal[path.Base(to)] = to
		}
	}
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, path.Join(dir, name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, f)
	}
	d, err = doc.NewFromFiles(fset, files, dir)
	require.NoError(t, err)
	return d, internal
}

// api returns the exported declarations of the package in dir without comments and
// bodies, in go doc's order. An alias of an internal type has that type's declarations
// behind it.
func api(t *testing.T, dir string) string {
	fset := token.NewFileSet()
	d, internal := load(t, fset, dir)
	var b bytes.Buffer
	b.WriteString("package " + d.Name + "\n")
	values := func(values []*doc.Value) {
		for _, v := range values {
			printDecl(t, &b, fset, v.Decl)
		}
	}
	funcs := func(funcs []*doc.Func) {
		for _, f := range funcs {
			printDecl(t, &b, fset, f.Decl)
		}
	}
	values(d.Consts)
	values(d.Vars)
	funcs(d.Funcs)
	for _, typ := range d.Types {
		printDecl(t, &b, fset, typ.Decl)
		values(typ.Consts)
		values(typ.Vars)
		funcs(typ.Funcs)
		funcs(typ.Methods)
		if pkg, name := aliased(typ); internal[pkg] != "" {
			target, _ := load(t, fset, internal[pkg])
			for _, typ := range target.Types {
				if typ.Name == name {
					printDecl(t, &b, fset, typ.Decl)
					funcs(typ.Methods)
				}
			}
		}
	}
	return b.String()
}

// aliased returns the package and the name of the type that typ is an alias of.
func aliased(typ *doc.Type) (pkg, name string) {
	spec := typ.Decl.Specs[0].(*ast.TypeSpec)
	if sel, ok := spec.Type.(*ast.SelectorExpr); ok && spec.Assign.IsValid() {
		return sel.X.(*ast.Ident).Name, sel.Sel.Name
	}
	return "", ""
}

// printDecl writes a declaration from which package doc took the unexported parts.
func printDecl(t *testing.T, b *bytes.Buffer, fset *token.FileSet, decl ast.Decl) {
	if gen, ok := decl.(*ast.GenDecl); ok {
		ast.Inspect(gen, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && gen.Tok == token.VAR && v.Type == nil && len(v.Values) == 1 {
				if c, ok := v.Values[0].(*ast.CallExpr); ok {
					c.Args = nil // a text or a body, which is no part of the API
				}
			}
			return true
		})
	}
	b.WriteByte('\n')
	require.NoError(t, (&printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}).Fprint(b, fset, decl))
	b.WriteByte('\n')
}
