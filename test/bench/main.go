// Command bench measures Headgate and prints tables: the simulator's own speed, and the operator against a simulated AWS with
// latency and throttling, on a real API server, in the shapes in which the incumbent was measured.
//
// It may import everything. Its invariant: it only measures. What must hold is asserted in tests, where calls are counted; times
// depend on the machine and are printed here alone.
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

// settings are the flags.
type settings struct {
	only *regexp.Regexp
	// endpoint of an AWS that stands elsewhere, with its VPC; empty makes a simulator for each case.
	endpoint, vpc string
	controller    string
	write         bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (settings, error) {
	var s settings
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&only, "only", ".", "measure only what matches this regular expression: names are those in the first column")
	flags.StringVar(&s.endpoint, "endpoint", "", "URL of an AWS emulator to measure against, in place of the simulator; needs --vpc")
	flags.StringVar(&s.vpc, "vpc", "", "ID of the VPC at --endpoint")
	flags.StringVar(&s.controller, "controller", "", "path of an operator's binary; empty builds the checkout's")
	flags.BoolVar(&s.write, "write", false, "write docs/reference/performance.md; only sensible without --only")
	if err := flags.Parse(args); err != nil {
		return s, fmt.Errorf("reading the flags: %w", err)
	}
	var err error
	if s.only, err = regexp.Compile(only); err != nil {
		return s, fmt.Errorf("reading --only: %w", err)
	}
	if (s.endpoint == "") != (s.vpc == "") {
		return s, errors.New("--endpoint and --vpc go together")
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
	alone, err := programs(ctx, root, s, out)
	if err != nil {
		return err
	}
	operated, err := operate(ctx, root, s, out)
	if err != nil {
		return err
	}
	page := document(alone, operated)
	fmt.Fprint(out, "\n", page)
	if !s.write {
		return unexplained(operated)
	}
	const readable = 0o644
	if err := os.WriteFile(filepath.Join(root, "docs", "reference", "performance.md"), []byte(page), readable); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return unexplained(operated)
}
