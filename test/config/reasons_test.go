package config_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	// camel is what a reason looks like (Kubernetes API conventions, conditions).
	camel = regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	// reasoned is the name of what holds one, or the type of a condition.
	reasoned = regexp.MustCompile(`^([rR]eason|[cC]ondition)([A-Z][A-Za-z]*)?$`)
	words    = regexp.MustCompile(`[A-Za-z]+`)
)

// TestEachReasonIsExplained: who gives a condition, an event or a finding a new reason says in the guide what it means and what to do. What is
// explained there is given.
func TestEachReasonIsExplained(t *testing.T) {
	t.Parallel()
	given := reasonsOfTheOperator(t)
	if len(given) < 100 {
		t.Fatalf("only %d reasons were found: %v", len(given), given)
	}
	explained := map[string]bool{}
	for line := range strings.Lines(read(t, "docs", "guide", "operations.md")) {
		cells := strings.Split(line, "|")
		for _, cell := range cells[:max(len(cells)-2, 0)] {
			for _, word := range words.FindAllString(cell, -1) {
				explained[word] = true
			}
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(given)) {
		if !explained[reason] {
			t.Errorf("%s: the reason %s stands in no table of docs/guide/operations.md", given[reason], reason)
		}
	}
	_, table, ok := strings.Cut(read(t, "docs", "guide", "operations.md"), "\n## Mistakes\n")
	table, _, _ = strings.Cut(table, "\n## ")
	if !ok {
		t.Fatal("docs/guide/operations.md has no table of mistakes")
	}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !camel.MatchString(strings.TrimSpace(strings.Split(cells[1], ",")[0])) {
			continue
		}
		for _, reason := range words.FindAllString(cells[1], -1) {
			if _, ok := given[reason]; !ok {
				t.Errorf("docs/guide/operations.md explains the reason %s, which nothing is given", reason)
			}
		}
	}
}

// reasonsOfTheOperator are all reasons that the code gives, each with where one is: strings that are held by what is called a reason, handed
// to a parameter of that name, or returned under it.
func reasonsOfTheOperator(t *testing.T) map[string]string {
	t.Helper()
	files, packages := token.NewFileSet(), map[string][]*ast.File{}
	for _, room := range []string{"model", "controllers", "apis/headgate"} {
		err := filepath.WalkDir(filepath.Join("..", "..", room), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
			packages[filepath.Dir(name)] = append(packages[filepath.Dir(name)], file)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]string{}
	for _, all := range packages {
		s := signatures{takes: map[string]int{}, returns: map[*ast.ReturnStmt]int{}, leads: map[string]bool{}}
		for _, file := range all {
			ast.Inspect(file, s.read)
		}
		for _, file := range all {
			ast.Inspect(file, func(n ast.Node) bool {
				l, ok := s.given(n).(*ast.BasicLit)
				if !ok || l.Kind != token.STRING {
					return true
				}
				if text, err := strconv.Unquote(l.Value); err == nil && camel.MatchString(text) {
					out[text] = files.Position(l.Pos()).String()
				}
				return true
			})
		}
	}
	return out
}

// signatures say where functions take and return reasons, and which types begin with one.
type signatures struct {
	takes   map[string]int
	returns map[*ast.ReturnStmt]int
	leads   map[string]bool
}

func (s signatures) read(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.TypeSpec:
		if fields, ok := n.Type.(*ast.StructType); ok {
			s.leads[n.Name.Name] = placeOf(fields.Fields) == 0
		}
	case *ast.FuncDecl:
		if at := placeOf(n.Type.Params); at >= 0 {
			s.takes[n.Name.Name] = at
		}
		if at := placeOf(n.Type.Results); at >= 0 && n.Body != nil {
			ast.Inspect(n.Body, func(in ast.Node) bool {
				if r, ok := in.(*ast.ReturnStmt); ok {
					s.returns[r] = at
				}
				_, inner := in.(*ast.FuncLit)
				return !inner
			})
		}
	}
	return true
}

// placeOf is the place of the reason in a list of fields, below zero where there is none.
func placeOf(list *ast.FieldList) int {
	at := 0
	if list == nil {
		return -1
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			if reasoned.MatchString(name.Name) {
				return at
			}
			at++
		}
	}
	return -1
}

// given is the expression that a node makes a reason, nil where it makes none.
func (s signatures) given(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.ValueSpec:
		return pick(n.Values, slices.IndexFunc(n.Names, func(name *ast.Ident) bool { return reasoned.MatchString(name.Name) }))
	case *ast.AssignStmt:
		return pick(n.Rhs, slices.IndexFunc(n.Lhs, func(to ast.Expr) bool { return reasoned.MatchString(called(to)) }))
	case *ast.KeyValueExpr:
		if reasoned.MatchString(called(n.Key)) {
			return n.Value
		}
	case *ast.CompositeLit:
		if s.leads[called(n.Type)] {
			return pick(n.Elts, 0)
		}
	case *ast.CallExpr:
		if at, ok := s.takes[called(n.Fun)]; ok {
			return pick(n.Args, at)
		}
	case *ast.ReturnStmt:
		if at, ok := s.returns[n]; ok {
			return pick(n.Results, at)
		}
	}
	return nil
}

func pick(of []ast.Expr, at int) ast.Expr {
	if at < 0 || at >= len(of) {
		return nil
	}
	return of[at]
}

// called is the last word of what is named.
func called(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
