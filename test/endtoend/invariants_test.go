package endtoend_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/test/layout"
)

// TestInvariantsNameTheirTests checks that where docs/invariants.md says that an invariant is tested, there are tests.
func TestInvariantsNameTheirTests(t *testing.T) {
	root, err := binaries.Root()
	if err != nil {
		t.Fatal(err)
	}
	text := readFile(t, root, "docs", "invariants.md")
	rows := regexp.MustCompile(`(?m)^\| \d+ \| .* \| (.*) \|$`).FindAllStringSubmatch(text, -1)
	const invariants = 11
	if len(rows) != invariants {
		t.Errorf("there are %d invariants, not %d", len(rows), invariants)
	}
	for _, row := range rows {
		if !strings.Contains(row[1], " Test") {
			t.Errorf("no test is named: %s", row[0])
		}
		for _, named := range regexp.MustCompile("`([^`]+)`((?:,? Test\\w+)*)").FindAllStringSubmatch(row[1], -1) {
			if slices.Contains(layout.StillToCome(), named[1]) {
				continue
			}
			tests := testsIn(t, filepath.Join(root, named[1]))
			for test := range strings.FieldsSeq(strings.ReplaceAll(named[2], ",", " ")) {
				if !strings.Contains(tests, "\nfunc "+test+"(") {
					t.Errorf("%s has no %s", named[1], test)
				}
			}
		}
	}
}

// testsIn is the text of a directory's tests.
func testsIn(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(names) == 0 {
		t.Errorf("%s has no tests: %v", dir, err)
	}
	var all strings.Builder
	for _, name := range names {
		all.WriteString(readFile(t, name))
	}
	return all.String()
}

func readFile(t *testing.T, parts ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
