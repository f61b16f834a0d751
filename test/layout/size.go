package layout

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"slices"
	"strings"
)

// What a reader takes in at once. The linters of .golangci.yml hold the length and the complexity of functions.
const (
	maxLines      = 400
	maxParameters = 4
)

// crowded lists functions that take more parameters for the time being.
func crowded() []string {
	return []string{"cloud/sim/waf/store.go list"} // five: it came before the rule
}

// checkSize refuses files that are too long and functions with too many parameters, in code that is not a test and not generated.
func checkSize(root fs.FS, name string) ([]string, error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	if ast.IsGenerated(file) || strings.HasSuffix(name, "_test.go") {
		return nil, nil
	}
	var faults []string
	if n := bytes.Count(source, []byte("\n")); n > maxLines {
		faults = append(faults, fmt.Sprintf("%s: it has %d lines, and a file has at most %d", name, n, maxLines))
	}
	for _, declared := range file.Decls {
		f, ok := declared.(*ast.FuncDecl)
		if ok && !slices.Contains(crowded(), name+" "+f.Name.Name) && f.Type.Params.NumFields() > maxParameters {
			faults = append(faults, fmt.Sprintf("%s: %s takes %d parameters, and a function takes at most %d",
				name, f.Name.Name, f.Type.Params.NumFields(), maxParameters))
		}
	}
	return faults, nil
}
