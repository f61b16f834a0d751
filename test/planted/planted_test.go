package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root       = "../.."
	invariants = 11
	// least is how many bugs are planted for each invariant.
	least = 3
)

// TestBugsCanBePlanted: each old text stands once in its file, but for a tenth: who changes code is not held up by a row. What comes of it is Go, and
// all that a bug's row must say is there. That the tests find the bugs is shown by make planted, which takes long.
func TestBugsCanBePlanted(t *testing.T) {
	t.Parallel()
	bugs, err := table(root)
	if err != nil {
		t.Fatal(err)
	}
	count, names := map[int]int{}, map[string]bool{}
	var lost []string
	for _, b := range bugs {
		count[b.Invariant]++
		if names[b.Bug] || b.Bug == "" || b.Why == "" || b.Old == b.New || len(b.Tests) == 0 {
			t.Errorf("%q: a bug has a name of its own, a why, a change and tests", b.Bug)
		}
		names[b.Bug] = true
		text, err := b.planted(root)
		if err != nil {
			lost = append(lost, fmt.Sprintf("%q: %v", b.Bug, err))
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), b.File, text, parser.SkipObjectResolution); err != nil {
			t.Errorf("%q: it does not parse: %v", b.Bug, err)
		}
	}
	if len(lost)*10 > len(bugs) {
		t.Errorf("%d of %d bugs cannot be planted any more:\n%s", len(lost), len(bugs), strings.Join(lost, "\n"))
	}
	for number := 1; number <= invariants; number++ {
		if count[number] < least {
			t.Errorf("invariant %d has %d bugs, want %d", number, count[number], least)
		}
	}
}

// TestBugsWereFound: of each invariant some bugs were found by their tests; who changes a row plants it again, by make planted ARGS=--missing,
// which also plants what nobody planted yet; and the page says how each row stands.
func TestBugsWereFound(t *testing.T) {
	t.Parallel()
	bugs, err := table(root)
	if err != nil {
		t.Fatal(err)
	}
	known, err := findings(root)
	if err != nil {
		t.Fatal(err)
	}
	count := map[int]int{}
	for _, b := range bugs {
		switch f, ok := known[b.Bug]; {
		case ok && f.Digest == b.digest():
			count[b.Invariant]++
		case ok:
			t.Errorf("%q has changed since it was found: make planted ARGS=--missing", b.Bug)
		}
	}
	for number := 1; number <= invariants; number++ {
		if count[number] == 0 {
			t.Errorf("of invariant %d no bug was found", number)
		}
	}
	spared, err := exceptions(root)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != document(bugs, known, spared) {
		t.Errorf("%s is not what test/planted says: make planted ARGS=--missing", page)
	}
}

// TestBugsAreForTheTestsOfTheInvariants: for nine tenths of the tests that docs/invariants.md names of an invariant there is a bug, or it is said
// why there is none; new tests are not held up. And the tests that bugs name are tests of their invariants.
func TestBugsAreForTheTestsOfTheInvariants(t *testing.T) {
	t.Parallel()
	bugs, err := table(root)
	if err != nil {
		t.Fatal(err)
	}
	spared, err := exceptions(root)
	if err != nil {
		t.Fatal(err)
	}
	hit := map[string]bool{}
	for _, b := range bugs {
		for _, named := range b.named() {
			top, _, _ := strings.Cut(named[1], "/")
			hit[fmt.Sprintf("%d %s %s", b.Invariant, named[0], top)] = true
		}
	}
	forgiven := map[string]bool{}
	for _, s := range spared {
		for pkg, tests := range s.Tests {
			for _, test := range tests {
				forgiven[pkg+" "+test] = true
			}
		}
	}
	all := named(t)
	bare := slices.DeleteFunc(slices.Clone(all), func(one string) bool {
		_, name, _ := strings.Cut(one, " ")
		return hit[one] || forgiven[name]
	})
	if len(bare)*10 > len(all) {
		t.Errorf("for %d of %d tests there is no bug: plant some, or say in spared.yaml why not: %s", len(bare), len(all), strings.Join(bare, "; "))
	}
	for one := range hit {
		if !slices.Contains(all, one) {
			t.Errorf("docs/invariants.md does not name the test that a bug names: %s", one)
		}
	}
	for name := range forgiven {
		if !slices.ContainsFunc(all, func(one string) bool { return strings.HasSuffix(one, " "+name) }) {
			t.Errorf("spared.yaml names %s, which no invariant does", name)
		}
	}
}

// named are the tests of docs/invariants.md as "invariant package test".
func named(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "docs", "invariants.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile("`([a-z/-]+)`|(Test[A-Za-z]+)")
	var out []string
	for number := 1; number <= invariants; number++ {
		_, row, _ := strings.Cut(string(content), fmt.Sprintf("\n| %d | ", number))
		row, _, _ = strings.Cut(row, "\n")
		_, tests, _ := strings.Cut(row, " | ")
		pkg := ""
		for _, match := range words.FindAllStringSubmatch(tests, -1) {
			if match[1] != "" {
				pkg = match[1]
				continue
			}
			out = append(out, fmt.Sprintf("%d %s %s", number, pkg, match[2]))
		}
	}
	return out
}
