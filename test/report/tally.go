package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is a line of what go test -json prints; see go doc test2json.
type event struct {
	Action  string  `json:"Action"`
	Package string  `json:"Package"`
	Test    string  `json:"Test"`
	Output  string  `json:"Output"`
	Elapsed float64 `json:"Elapsed"` // seconds
}

// tally counts tests, subtests among them.
type tally struct {
	passed, failed, skipped int
	// output of tests and builds that may still fail, by package and test.
	output map[string][]string
	// failedTests by package: a package that fails without a failed test counts as one failure itself.
	failedTests map[string]int
}

// read counts the events and prints a line a package, and the output of what failed.
func (t *tally) read(events io.Reader, out io.Writer) error {
	t.output = map[string][]string{}
	t.failedTests = map[string]int{}
	for decoder := json.NewDecoder(events); ; {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading what go test says: %w", err)
		}
		if e.Test != "" {
			t.test(e, out)
		} else {
			t.pkg(e, out)
		}
	}
}

func (t *tally) test(e event, out io.Writer) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		t.output[key] = append(t.output[key], e.Output)
		return
	case "pass":
		t.passed++
	case "skip":
		t.skipped++
	case "fail":
		t.failed++
		t.failedTests[e.Package]++
		fmt.Fprint(out, strings.Join(t.output[key], ""))
	default:
		return
	}
	delete(t.output, key)
}

// pkg handles the events of a package as a whole, and of builds.
func (t *tally) pkg(e event, out io.Writer) {
	name := strings.TrimPrefix(e.Package, module+"/")
	switch e.Action {
	case "build-output":
		fmt.Fprint(out, e.Output)
	case "output":
		t.output[e.Package] = append(t.output[e.Package], e.Output)
	case "pass":
		fmt.Fprintf(out, "ok    %6.1fs  %s\n", e.Elapsed, name)
	case "fail":
		fmt.Fprintf(out, "FAIL  %6.1fs  %s\n", e.Elapsed, name)
		if t.failedTests[e.Package] == 0 {
			t.failed++
			fmt.Fprint(out, strings.Join(t.unfinished(e.Package), ""))
		}
	}
}

// unfinished is the output of a package that failed as a whole, and of its tests that were cut by that: a panic, a timeout.
func (t *tally) unfinished(name string) []string {
	lines := t.output[name]
	for key, output := range t.output {
		if strings.HasPrefix(key, name+" ") {
			lines = append(lines, output...)
		}
	}
	return lines
}
