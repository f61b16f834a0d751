package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

var link = regexp.MustCompile(`\]\(\.\./\.\./(examples/ingress/[a-z-]+\.yaml)\)`)

// Each example is named in the guide, and what the guide names is there.
func TestGuideNamesTheExamples(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/guide/ingress.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, match := range link.FindAllSubmatch(guide, -1) {
		named = append(named, string(match[1]))
	}
	files, err := filepath.Glob(filepath.Join(root, ofIngress, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	there := make([]string, 0, len(files))
	for _, file := range files {
		there = append(there, filepath.ToSlash(filepath.Join("examples", "ingress", filepath.Base(file))))
	}
	for _, file := range there {
		if !slices.Contains(named, file) {
			t.Errorf("the guide does not name %s", file)
		}
	}
	for _, file := range named {
		if !slices.Contains(there, file) {
			t.Errorf("the guide names %s, which is not there", file)
		}
	}
}
