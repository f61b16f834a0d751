package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRunExitCodes(t *testing.T) {
	for _, row := range []struct {
		why  string
		args []string
		want int
	}{
		{why: "help is no failure", args: []string{"--help"}},
		{why: "no such command", args: []string{"no-such-command"}, want: exitFailed},
		{why: "no such flag", args: []string{"sandbox", "--no-such-flag"}, want: exitFailed},
		{why: "a sandbox takes no arguments", args: []string{"sandbox", "now"}, want: exitFailed},
		{why: "a checkout that is none", args: []string{"sandbox", "--port-offset", "8000"}, want: exitFailed},
	} {
		t.Setenv("HEADGATE_SOURCE", t.TempDir())
		if got := run(t.Context(), row.args); got != row.want {
			t.Errorf("%s: headgate %v ended with %d, want %d", row.why, row.args, got, row.want)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	root := newRootCommand()
	for _, command := range root.Commands() {
		if command.Short == "" {
			t.Errorf("headgate %s has no description", command.Name())
		}
	}
	var help bytes.Buffer
	root.SetOut(&help)
	root.SetArgs([]string{"--help"})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"corpus", "demo", "plan", "sandbox", "sim"} {
		if !strings.Contains(help.String(), "\n  "+want+" ") {
			t.Errorf("the help lacks %s:\n%s", want, help.String())
		}
	}
}
