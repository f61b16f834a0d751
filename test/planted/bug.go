package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// A small change of the code that breaks an invariant is a bug; the tests must fail on it.
type bug struct {
	Invariant int    `json:"invariant"`
	Bug       string `json:"bug"`
	// Why is what would happen to users.
	Why string `json:"why"`
	// File of the checkout, in which Old stands exactly once; the bug has New in its place.
	File string `json:"file"`
	Old  string `json:"old"`
	New  string `json:"new"`
	// Tests by the directory of their package. A name may go on with the names of subtests, after slashes.
	Tests map[string][]string `json:"tests"`
}

// named are the tests in order: directory and name.
func (b bug) named() [][2]string {
	var out [][2]string
	for _, pkg := range slices.Sorted(maps.Keys(b.Tests)) {
		for _, test := range b.Tests[pkg] {
			out = append(out, [2]string{pkg, test})
		}
	}
	return out
}

// planted is the file's content with the bug in it.
func (b bug) planted(root string) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(b.File)))
	if err != nil {
		return "", fmt.Errorf("reading the file: %w", err)
	}
	if n := strings.Count(string(content), b.Old); n != 1 {
		return "", fmt.Errorf("the old text stands %d times in %s, not once: the code has changed, write down anew where the bug is planted", n, b.File)
	}
	return strings.Replace(string(content), b.Old, b.New, 1), nil
}

// table reads all bugs, in the order of their invariants.
func table(root string) ([]bug, error) {
	files, err := filepath.Glob(filepath.Join(root, "test", "planted", "bugs", "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("looking for bugs: %w", err)
	}
	var out []bug
	for _, file := range files {
		var some []bug
		if err := read(file, &some); err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	slices.SortStableFunc(out, func(a, b bug) int { return a.Invariant - b.Invariant })
	return out, nil
}

// spared is why no bug is planted for tests of an invariant.
type spared struct {
	Tests map[string][]string `json:"tests"`
	Why   string              `json:"why"`
}

// exceptions reads which tests no bug is planted for.
func exceptions(root string) ([]spared, error) {
	var out []spared
	return out, read(filepath.Join(root, "test", "planted", "spared.yaml"), &out)
}

// digest changes with whatever counts for what is found.
func (b bug) digest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%s\n%s\n%v", b.Invariant, b.File, b.Old, b.New, b.named()))
	return hex.EncodeToString(sum[:6])
}

func read(file string, into any) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the table: %w", err)
	}
	if err := yaml.UnmarshalStrict(content, into); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	return nil
}

func pick(bugs []bug, only *regexp.Regexp) []bug {
	return slices.DeleteFunc(slices.Clone(bugs), func(b bug) bool {
		return !only.MatchString(fmt.Sprintf("%d %s %s", b.Invariant, b.File, b.Bug))
	})
}
