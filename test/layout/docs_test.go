package layout_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const invariants = 11

// Each invariant names the tests that hold it, and each of those tests exists in the package that is named before it.
func TestInvariantsAreTestedWhereTheyAreSaidToBe(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../docs/invariants.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/-]+)`|(Test[A-Za-z]+)")
	for number := 1; number <= invariants; number++ {
		_, row, ok := strings.Cut(string(content), fmt.Sprintf("\n| %d | ", number))
		if !ok {
			t.Errorf("invariant %d is not in docs/invariants.md", number)
			continue
		}
		row, _, _ = strings.Cut(row, "\n")
		_, tests, _ := strings.Cut(row, " | ")
		dir, found := "", 0
		for _, match := range named.FindAllStringSubmatch(tests, -1) {
			if match[1] != "" {
				dir = match[1]
				continue
			}
			found++
			if !hasTest(t, dir, match[2]) {
				t.Errorf("invariant %d names %s of %s, which is not there", number, match[2], dir)
			}
		}
		if found == 0 {
			t.Errorf("invariant %d names no test", number)
		}
	}
}

// The front page says of the official suite what its report says.
func TestReadmeHasTheFiguresOfTheReport(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	figures := regexp.MustCompile(`[0-9]+ of [0-9]+ core tests passed, [0-9]+ of [0-9]+ extended tests over [0-9]+ features`)
	want := figures.FindString(read("../../docs/conformance/README.md"))
	if got := figures.FindString(read("../../README.md")); want == "" || got != want {
		t.Errorf("README.md says %q, the report %q", got, want)
	}
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "\nfunc "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}
