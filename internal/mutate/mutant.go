package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
)

// mutant is one change of one file: the bytes from start to end become text.
type mutant struct {
	file       string
	line       int
	start, end int
	old, text  string
}

func (m mutant) String() string {
	if m.text == "" {
		return fmt.Sprintf("%s:%d: without %q", m.file, m.line, m.old)
	}
	return fmt.Sprintf("%s:%d: %q for %q", m.file, m.line, m.text, m.old)
}

// mutantsOf returns all mutants of a package, in the order of its files.
func mutantsOf(dir string) ([]mutant, error) {
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, name := range pkg.GoFiles {
		path := filepath.Join(dir, name)
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		more, err := mutate(path, src)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// swapped maps each operator to its replacement.
var swapped = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.ADD: token.SUB, token.SUB: token.ADD,
	token.MUL: token.QUO, token.LAND: token.LOR, token.LOR: token.LAND,
	token.SHL: token.SHR, token.SHR: token.SHL, token.AND: token.OR, token.OR: token.AND,
}

// mutate returns the mutants of one file.
func mutate(path string, src []byte) ([]mutant, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, src, 0)
	if err != nil {
		return nil, err
	}
	var all []mutant
	add := func(pos, end token.Pos, text string) {
		p := fset.Position(pos)
		m := mutant{file: path, line: p.Line, start: p.Offset, end: fset.Position(end).Offset, text: text}
		m.old = string(src[m.start:m.end])
		all = append(all, m)
	}
	drop := func(s ast.Stmt) { add(s.Pos(), s.End(), "") }
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.StructType, *ast.CommentGroup:
			return false // tags and paths
		case *ast.BinaryExpr:
			if to, ok := swapped[n.Op]; ok {
				add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), to.String())
			}
		case *ast.BasicLit:
			if i, err := strconv.ParseInt(n.Value, 0, 64); n.Kind == token.INT && err == nil {
				add(n.Pos(), n.End(), strconv.FormatInt(i+1, 10))
			}
		case *ast.Ident:
			if other := map[string]string{"true": "false", "false": "true"}[n.Name]; other != "" {
				add(n.Pos(), n.End(), other)
			}
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				add(n.OpPos, n.OpPos+1, "")
			}
		case *ast.BlockStmt:
			dropSome(n.List, drop)
		case *ast.CaseClause:
			dropSome(n.Body, drop)
		case *ast.CommClause:
			dropSome(n.Body, drop)
		}
		return true
	})
	return all, nil
}

// dropSome drops the statements without which a function may still compile.
func dropSome(list []ast.Stmt, drop func(ast.Stmt)) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
			drop(s)
		case *ast.BranchStmt:
			drop(s)
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				drop(s)
			}
		}
	}
}
