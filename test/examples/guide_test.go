package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

var link = regexp.MustCompile(`\]\(\.\./\.\./(examples/[a-z]+/[a-z0-9-]+\.yaml)\)`)

// Each example is named in its guide, and what a guide names is there.
func TestGuidesNameTheExamples(t *testing.T) {
	t.Parallel()
	for guide, dirs := range map[string][]string{
		"ingress.md": {ofIngress, "shop"}, "gateway.md": {"gateway", "platform"}, "ingress-to-gateway.md": {ofMove},
	} {
		text, err := os.ReadFile(filepath.Join("../../docs/guide", guide))
		if err != nil {
			t.Fatal(err)
		}
		var named []string
		for _, match := range link.FindAllSubmatch(text, -1) {
			named = append(named, string(match[1]))
		}
		var there []string
		for _, dir := range dirs {
			files, err := filepath.Glob(filepath.Join(root, dir, "*.yaml"))
			if err != nil || len(files) == 0 {
				t.Fatalf("no examples in %s: %v", dir, err)
			}
			for _, file := range files {
				there = append(there, filepath.ToSlash(filepath.Join("examples", dir, filepath.Base(file))))
			}
		}
		for _, file := range there {
			// examples/shop is a story of its own.
			if !slices.Contains(named, file) && filepath.Dir(file) != "examples/shop" {
				t.Errorf("%s does not name %s", guide, file)
			}
		}
		for _, file := range named {
			if !slices.Contains(there, file) {
				t.Errorf("%s names %s, which is not there", guide, file)
			}
		}
	}
}
