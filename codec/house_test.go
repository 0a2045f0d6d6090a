package codec_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStandardLibraryOnly: codec imports neither another package of Spoke nor
// anybody else's, no connection, no lock but the cache's.
func TestStandardLibraryOnly(t *testing.T) {
	pkg, err := build.ImportDir(".", 0)
	require.NoError(t, err)
	for _, path := range pkg.Imports {
		first, _, _ := strings.Cut(path, "/")
		assert.NotContains(t, first, ".", "codec imports %s", path)
	}
}

// ownBytes are the functions that may index bytes outside of cursor.go: they
// write, or look at memory of their own.
var ownBytes = map[string]string{
	"varint.go finishText":   "writes the length into what it has appended",
	"frame.go FinishFrame":   "writes the length into what it has appended",
	"bind_args.go pack":      "cuts its own arena",
	"bind_vars.go Append":    "takes back the action that it has begun",
	"bind_pattern.go append": "takes back the action that it has begun",
	"bind_error.go clip":     "cuts after a length that it has compared",
	"value.go Addr":          "takes an address apart into words, and back",
	"value.go as16":          "takes an address apart into words, and back",
	"value.go Any":           "copies an address",
}

// TestOnlyTheCursorIndexesBytes: every index and slice expression over bytes,
// in code that is not a test, is cursor.go's or stands above with its reason.
func TestOnlyTheCursorIndexesBytes(t *testing.T) {
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, f)
	}
	// An expression from another package has no type here, and counts as bytes.
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Importer: noImports{}, Error: func(error) {}}
	_, _ = conf.Check("codec", fset, files, info)

	used := map[string]bool{}
	for _, f := range files {
		file := filepath.Base(fset.Position(f.Pos()).Filename)
		if file == "cursor.go" {
			continue
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				var over ast.Expr
				switch n := n.(type) {
				case *ast.IndexExpr:
					over = n.X
				case *ast.SliceExpr:
					over = n.X
				}
				if over == nil || !mayBeBytes(info, over) {
					return true
				}
				key := file + " " + fn.Name.Name
				if _, ok := ownBytes[key]; ok {
					used[key] = true
					return true
				}
				t.Errorf("%s: %s indexes bytes; give cursor a method for it, or say in ownBytes why it may", fset.Position(n.Pos()), fn.Name.Name)
				return true
			})
		}
	}
	for key := range ownBytes {
		assert.True(t, used[key], "%q no longer indexes bytes; remove it from ownBytes", key)
	}
}

func mayBeBytes(info *types.Info, x ast.Expr) bool {
	tv, ok := info.Types[x]
	if !ok || tv.Type == nil {
		return false // a generic function or type
	}
	typ := tv.Type.Underlying()
	if p, ok := typ.(*types.Pointer); ok {
		typ = p.Elem().Underlying()
	}
	switch typ := typ.(type) {
	case *types.Slice:
		return isByte(typ.Elem())
	case *types.Array:
		return isByte(typ.Elem())
	case *types.Basic:
		return typ.Kind() == types.Invalid
	}
	return false
}

func isByte(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && (b.Kind() == types.Byte || b.Kind() == types.Invalid)
}

type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	pkg := types.NewPackage(path, filepath.Base(path))
	pkg.MarkComplete()
	return pkg, nil
}
