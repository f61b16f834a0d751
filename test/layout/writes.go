package layout

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// wholesale are calls that send an object as a whole, and so what somebody else wrote of it a moment ago, too.
func wholesale() []string { return []string{"Update", "UpdateStatus", "CreateOrUpdate"} }

// checkWrites refuses calls of controllers that replace an object of the cluster: they patch what changed.
func checkWrites(root fs.FS, name string) ([]string, error) {
	if !within(path.Dir(name), "controllers") || strings.HasSuffix(name, "_test.go") {
		return nil, nil
	}
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	var faults []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		called, ok := call.Fun.(*ast.SelectorExpr)
		if ok && slices.Contains(wholesale(), called.Sel.Name) {
			faults = append(faults, fmt.Sprintf("%s: %s sends an object as a whole: send what changed, by Patch or Apply",
				files.Position(call.Pos()), called.Sel.Name))
		}
		return true
	})
	return faults, nil
}
