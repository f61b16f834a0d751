package dataplane

import (
	"go/ast"
	"go/parser"
	positions "go/token"
	"os"
	"strings"
	"testing"
)

func TestRulesNameTheirTests(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(positions.NewFileSet(), f.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if function, ok := d.(*ast.FuncDecl); ok && function.Recv == nil {
				tests[function.Name.Name] = true
			}
		}
	}
	seen := map[string]bool{}
	for _, fact := range Rules {
		if fact.Rule == "" || fact.Source == "" || !strings.HasPrefix(fact.Test, "Test") || !tests[fact.Test] {
			t.Errorf("%+v: no such test, or something is missing", fact)
		}
		if seen[fact.Rule] {
			t.Errorf("%q stands twice", fact.Rule)
		}
		seen[fact.Rule] = true
	}
}
