package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTallyCounts(t *testing.T) {
	t.Parallel()
	rows := []struct {
		why, events             string
		passed, failed, skipped int
		says                    string
	}{
		{"a subtest is a test", `{"Action":"pass","Package":"p","Test":"A/x"}{"Action":"pass","Package":"p","Test":"A"}`, 2, 0, 0, ""},
		{"the output of a failed test is shown",
			`{"Action":"output","Package":"p","Test":"A","Output":"boom"}{"Action":"fail","Package":"p","Test":"A"}{"Action":"fail","Package":"p"}`,
			0, 1, 0, "boom"},
		{"a package that cannot be built is a failure",
			`{"Action":"build-output","Output":"undefined: x"}{"Action":"fail","Package":"p","FailedBuild":"p"}`, 0, 1, 0, "undefined: x"},
		{"a panic leaves its test unfinished",
			`{"Action":"output","Package":"p","Test":"A","Output":"panic: x"}{"Action":"fail","Package":"p"}`, 0, 1, 0, "panic: x"},
		{"skipped is neither", `{"Action":"skip","Package":"p","Test":"A"}`, 0, 0, 1, ""},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			var got tally
			var out strings.Builder
			if err := got.read(strings.NewReader(row.events), &out); err != nil {
				t.Fatal(err)
			}
			if got.passed != row.passed || got.failed != row.failed || got.skipped != row.skipped {
				t.Errorf("got %d passed, %d failed, %d skipped; want %d, %d, %d",
					got.passed, got.failed, got.skipped, row.passed, row.failed, row.skipped)
			}
			if !strings.Contains(out.String(), row.says) {
				t.Errorf("printed %q, want %q in it", out.String(), row.says)
			}
		})
	}
}

func TestCoverageCountsABlockOnce(t *testing.T) {
	t.Parallel()
	profile := filepath.Join(t.TempDir(), "p.out")
	lines := "mode: set\na.go:1.1,2.2 3 0\na.go:1.1,2.2 3 1\na.go:3.1,4.2 1 0\n"
	if err := os.WriteFile(profile, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := coverage(profile)
	if err != nil {
		t.Fatal(err)
	}
	if got != 75 {
		t.Errorf("got %v %%, want 75: three of four statements ran in some package's tests", got)
	}
}
