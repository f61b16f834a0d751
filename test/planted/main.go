// Command planted holds the tests to what docs/invariants.md says of them: it plants one bug after the other, each of which breaks an
// invariant, and demands that the tests of that invariant fail on it. The bugs are in bugs/, a file for each invariant; each is a small
// change of one file, which the compiler is given in place of the file (-overlay): the checkout stays as it is.
//
// It may import anything. Its invariant: a bug counts as found only where its tests pass without it, and fail with it by what they assert,
// not because something does not build, panics or takes too long.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"

	"github.com/headgate/headgate/sandbox/binaries"
)

// page shows what was found, and is written after each run.
const page = "docs/reference/planted.md"

// settings are the flags.
type settings struct {
	only *regexp.Regexp
	// missing leaves out what was found already.
	missing bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "planted:", err)
		os.Exit(1)
	}
}

func parse(args []string) (settings, error) {
	var s settings
	var only string
	flags := flag.NewFlagSet("planted", flag.ContinueOnError)
	flags.StringVar(&only, "only", ".", `plant only the bugs whose "invariant file bug" matches this regular expression`)
	flags.BoolVar(&s.missing, "missing", false, "plant only the bugs that were not found yet as they are written down now")
	if err := flags.Parse(args); err != nil {
		return s, fmt.Errorf("reading the flags: %w", err)
	}
	var err error
	if s.only, err = regexp.Compile(only); err != nil {
		return s, fmt.Errorf("reading --only: %w", err)
	}
	return s, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	root, err := binaries.Root()
	if err != nil {
		return fmt.Errorf("finding the checkout: %w", err)
	}
	bugs, err := table(root)
	if err != nil {
		return err
	}
	known, err := findings(root)
	if err != nil {
		return err
	}
	some := pick(bugs, s.only)
	if s.missing {
		some = known.missing(some)
	}
	results, err := plantAll(ctx, root, some, out)
	if err := errors.Join(err, keep(root, bugs, known.with(results))); err != nil {
		return err
	}
	return sum(results, out)
}

// keep writes down what was found, and the page.
func keep(root string, bugs []bug, known book) error {
	spared, err := exceptions(root)
	if err != nil {
		return err
	}
	text, err := known.text(bugs)
	if err != nil {
		return err
	}
	const readable = 0o644
	err = errors.Join(os.WriteFile(filepath.Join(root, filepath.FromSlash(found)), text, readable),
		os.WriteFile(filepath.Join(root, filepath.FromSlash(page)), []byte(document(bugs, known, spared)), readable))
	if err != nil {
		return fmt.Errorf("writing down what was found: %w", err)
	}
	return nil
}

// plantAll tries one bug after the other, and says of each what came of it.
func plantAll(ctx context.Context, root string, bugs []bug, out io.Writer) ([]result, error) {
	dir, err := os.MkdirTemp("", "headgate-planted-")
	if err != nil {
		return nil, fmt.Errorf("making a directory for the changed files: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left there costs some megabytes only
	g := garden{root: root, dir: dir, healthy: map[string]bool{}}
	var results []result
	for i, b := range bugs {
		r, err := g.plant(ctx, b)
		if err != nil {
			return results, fmt.Errorf("planting %q: %w", b.Bug, err)
		}
		results = append(results, r)
		fmt.Fprintf(out, "%3d/%d  invariant %d  %s: %s\n", i+1, len(bugs), b.Invariant, b.File, b.Bug)
		for _, t := range r.trials {
			fmt.Fprintf(out, "        %-9s %s %s  %s\n", t.verdict, t.pkg, t.test, t.said)
		}
	}
	return results, nil
}

// sum counts what was found. It is an error that something was not.
func sum(results []result, out io.Writer) error {
	bugs, missed, tests := 0, 0, 0
	for _, r := range results {
		bugs++
		for _, t := range r.trials {
			tests++
			if t.verdict != seen {
				missed++
			}
		}
	}
	fmt.Fprintf(out, "%d bugs planted, %d tests run on them, %d of which did not find what they should\n", bugs, tests, missed)
	if missed > 0 {
		return fmt.Errorf("%d tests did not find the bug that was planted for them", missed)
	}
	return nil
}
