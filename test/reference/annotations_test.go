package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/annotations"
)

// TestAnnotationsAreCurrent: who adds a key, or a case, and forgets `make generate` learns of it here already.
func TestAnnotationsAreCurrent(t *testing.T) {
	t.Parallel()
	want, err := annotationsPage(specs(), filepath.Join("..", "..", cases))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", target, "annotations.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("run make generate: -the table and the cases +annotations.md\n%s", diff)
	}
}

func TestAnnotationsAreShownInTheOrderOfTheTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "doors-set"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "doors-set", "covers.yaml"), []byte("set: [doors]\ndefault: {doors: '1'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	page, err := annotationsPage(annotations.New("p/", []annotations.Spec{
		{Key: "windows", Values: []string{"a", "b"}, On: annotations.Both, Scope: annotations.Merge},
		{Key: "doors", Named: true, Type: annotations.Int, Default: "1", Min: 1, Max: 9, On: annotations.OnIngress},
	}).Specs(), dir)
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ = strings.Cut(page, "|---|---|---|---|---|---|\n")
	link := "[doors-set](../../test/golden/ingress/doors-set)"
	want := "| `windows` | text |  | Ingress or Service | sum | a, b |\n" +
		"| `doors.`*name* | number | 1 | Ingress | own | a number from 1 to 9 |\n"
	if got, _, _ := strings.Cut(page, "\n\n"); got+"\n" != want {
		t.Errorf("got %s", got)
	}
	if !strings.Contains(page, "| `doors` | "+link+" | "+link+" |") || strings.Contains(page, "| `windows` | [") {
		t.Errorf("the cases are not shown: %s", page)
	}
}
