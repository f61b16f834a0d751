package main

import (
	"flag"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlagRowsFollowTheHelpOfPackageFlag(t *testing.T) {
	t.Parallel()
	var help strings.Builder
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	flags.SetOutput(&help)
	flags.String("class", "alb", "the class that is ours")
	flags.Bool("lead", true, "run alone (never two)")
	flags.Int("retries", 0, "a | b")
	flags.Usage()
	got, err := flagRows(help.String())
	if err != nil {
		t.Fatal(err)
	}
	want := "| `--class` | string | `alb` | the class that is ours |\n" +
		"| `--lead` | true or false | `true` | run alone (never two) |\n" +
		"| `--retries` | int |  | a \\| b |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := flagRows("panic: no"); err == nil {
		t.Error("a help text without flags is no reference, and was taken for one")
	}
}
