package contract

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/headgate/headgate/cloud/sim/dataplane"
)

// WantFacts demands that facts are whole and different, and that the tests that hold them are in the directory of the calling test.
func WantFacts(tb testing.TB, facts []dataplane.Fact) {
	tb.Helper()
	tests := testNames(tb)
	seen := map[string]bool{}
	for _, fact := range facts {
		if fact.Rule == "" || fact.Source == "" || !strings.HasPrefix(fact.Test, "Test") || !tests[fact.Test] {
			tb.Errorf("%+v: no such test, or something is missing", fact)
		}
		if seen[fact.Rule] {
			tb.Errorf("%q stands twice", fact.Rule)
		}
		seen[fact.Rule] = true
	}
}

// testNames are the functions in the test files of the current directory.
func testNames(tb testing.TB) map[string]bool {
	tb.Helper()
	names := map[string]bool{}
	files, err := os.ReadDir(".")
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			tb.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if function, ok := d.(*ast.FuncDecl); ok && function.Recv == nil {
				names[function.Name.Name] = true
			}
		}
	}
	return names
}
