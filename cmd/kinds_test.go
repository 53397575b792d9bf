package cmd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/kvfarm/kvfarm/frontend/report"
)

// Kinds of checks come from two places, one of which wants LLVM: what people are
// told of them is compared with their source.
func TestKindsAreExplained(t *testing.T) {
	made := append(constants(t, "../engine/exec/site.go", "Kind"), panicKinds(t)...)
	if len(made) < 40 {
		t.Fatalf("%d kinds found: they are no longer where this test looks", len(made))
	}
	made = append(made, "build_error")
	for _, kind := range made {
		if !slices.ContainsFunc(report.Kinds, func(k report.Kind) bool { return k.Name == kind }) {
			t.Errorf("frontend/report/kinds.txt does not tell what %s is", kind)
		}
	}
	for _, k := range report.Kinds {
		if !slices.Contains(made, k.Name) {
			t.Errorf("frontend/report/kinds.txt tells of %s, which nothing makes", k.Name)
		}
	}
}

// constants are the strings of the constants of a type in a file.
func constants(t *testing.T, file, typ string) []string {
	var all []string
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		s, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := s.Type.(*ast.Ident); ok && id.Name == typ {
			for _, v := range s.Values {
				all = append(all, text(t, v))
			}
		}
		return false
	})
	return all
}

// panicKinds are the kinds in cmd/kvlower/cut's table of panic entries.
func panicKinds(t *testing.T) []string {
	var all []string
	ast.Inspect(parse(t, "kvlower/cut/panics.go"), func(n ast.Node) bool {
		if l, ok := n.(*ast.CompositeLit); ok && l.Type == nil && len(l.Elts) == 2 {
			all = append(all, text(t, l.Elts[1]))
		}
		return true
	})
	return all
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func text(t *testing.T, e ast.Expr) string {
	t.Helper()
	l, ok := e.(*ast.BasicLit)
	if !ok {
		t.Fatalf("%T is no string", e)
	}
	s, err := strconv.Unquote(l.Value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
