// Command report runs all tests of the module and says in its last line how many passed and failed. It also holds the coverage
// of the model to its minimum. It may import anything; its invariant: it exits with 0 only if every test passed, every package
// was built, and the model is covered.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/headgate/headgate/sandbox/binaries"
)

const (
	module = "github.com/headgate/headgate"
	// minimum share of the model's statements that tests must reach, in percent.
	minimum = 90.0
	timeout = "-timeout=30m"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "test:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	if _, err := binaries.Ensure(ctx, out); err != nil {
		return fmt.Errorf("building the control plane that tests run: %w", err)
	}
	covering, others, err := split(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "headgate-test-")
	if err != nil {
		return fmt.Errorf("making a directory for the coverage profile: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left there costs some kilobytes only
	profile := filepath.Join(dir, "model.out")

	var result tally
	cover := []string{"-coverpkg=" + module + "/model/...", "-coverprofile=" + profile}
	for _, args := range [][]string{append(cover, covering...), others} {
		if err := test(ctx, args, out, &result); err != nil {
			return err
		}
	}
	return conclude(profile, result, out)
}

// conclude prints the summary. The count of tests is the last line.
func conclude(profile string, result tally, out io.Writer) error {
	covered, err := coverage(profile)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nmodel: %.1f %% of statements covered (at least %.0f %%)\n", covered, minimum)
	if result.skipped > 0 {
		fmt.Fprintf(out, "%d skipped\n", result.skipped)
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", result.passed, result.failed)
	switch {
	case result.failed > 0:
		return fmt.Errorf("%d tests failed", result.failed)
	case covered < minimum:
		return fmt.Errorf("coverage of the model is %.1f %%, under %.0f %%", covered, minimum)
	}
	return nil
}

// split lists first the packages whose tests are measured for the coverage of the model, then the others.
func split(ctx context.Context) ([]string, []string, error) {
	listed, err := exec.CommandContext(ctx, "go", "list", "./...").Output()
	if err != nil {
		return nil, nil, fmt.Errorf("listing the packages: %w", err)
	}
	var covering, others []string
	for name := range strings.FieldsSeq(string(listed)) {
		if name == module+"/test/conformance" {
			continue // the suite's time limits want a machine of their own; make check runs it by itself
		}
		if strings.HasPrefix(name+"/", module+"/model/") || strings.HasPrefix(name+"/", module+"/test/golden/") {
			covering = append(covering, name)
		} else {
			others = append(others, name)
		}
	}
	return covering, others, nil
}

// test runs go test and counts what it says. Failing tests are in the count; an error is only about running them at all.
func test(ctx context.Context, args []string, out io.Writer, result *tally) error {
	command := exec.CommandContext(ctx, "go", append([]string{"test", "-json", timeout}, args...)...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	events, err := command.StdoutPipe()
	if err != nil {
		return fmt.Errorf("connecting to go test: %w", err)
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting go test: %w", err)
	}
	before := result.failed
	readErr := result.read(events, out)
	waitErr := command.Wait()
	if readErr != nil {
		return readErr
	}
	if waitErr != nil && result.failed == before {
		return fmt.Errorf("running go test: %w\n%s", waitErr, complaints.String())
	}
	return nil
}
