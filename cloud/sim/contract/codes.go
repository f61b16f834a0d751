package contract

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// scan finds the error codes that the code of a package can give: literals where wire.Errorf, wire.Error and listing.Codes have a code, and
// where the package's own functions pass one on to those.
type scan struct {
	files []*ast.File
	// places are the parameters of functions that are codes, by the function's name.
	places map[string]int
	codes  map[string]bool
}

// Codes gives the error codes that the code of a directory can give, without that of its tests.
func Codes(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	s := &scan{places: map[string]int{"Errorf": 0}, codes: map[string]bool{}}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("reading the code: %w", err)
		}
		s.files = append(s.files, file)
	}
	for known := -1; known < len(s.places); {
		known = len(s.places)
		s.walk()
	}
	return slices.Sorted(maps.Keys(s.codes)), nil
}

// walk goes through all functions once, and learns codes and places.
func (s *scan) walk() {
	for _, file := range s.files {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			here := function{s, f.Name.Name, parameters(f), constants(f)}
			ast.Inspect(f.Body, func(n ast.Node) bool { here.look(n); return true })
		}
	}
}

// function is one function of the code.
type function struct {
	*scan

	name       string
	parameters []string
	constants  map[string]string
}

func parameters(f *ast.FuncDecl) []string {
	var all []string
	for _, field := range f.Type.Params.List {
		for _, name := range field.Names {
			all = append(all, name.Name)
		}
	}
	return all
}

// constants gives the texts that a function gives a name to.
func constants(f *ast.FuncDecl) map[string]string {
	all := map[string]string{}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Names) == len(v.Values) {
			for i, name := range v.Names {
				if text, ok := literal(v.Values[i]); ok {
					all[name.Name] = text
				}
			}
		}
		return true
	})
	return all
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

func (f function) look(n ast.Node) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if place, ok := f.places[called(n.Fun)]; ok && place < len(n.Args) {
			f.code(n.Args[place])
		}
	case *ast.CompositeLit:
		kind := lastName(n.Type)
		for _, e := range n.Elts {
			pair, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			member := lastName(pair.Key)
			if kind == "Error" && member == "Code" || kind == "Codes" || kind == "JSON" && member == "Invalid" {
				f.code(pair.Value)
			}
		}
	}
}

// code takes an expression that is an error code.
func (f function) code(e ast.Expr) {
	if text, ok := literal(e); ok {
		f.codes[text] = true
		return
	}
	name, ok := e.(*ast.Ident)
	if !ok {
		return
	}
	if text, ok := f.constants[name.Name]; ok {
		f.codes[text] = true
	}
	if place := slices.Index(f.parameters, name.Name); place >= 0 {
		f.places[f.name] = place
	}
}

// called names a function that may be one of the package or of wire.
func called(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok && lastName(s.X) == "fmt" {
		return ""
	}
	return lastName(e)
}

// lastName gives Errorf of wire.Errorf.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	default:
		return ""
	}
}
