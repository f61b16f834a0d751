package main

import (
	"bytes"
	"path/filepath"
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

// TestMissingWordsAreAskedFor: who leaves out what a command needs is told what to write.
func TestMissingWordsAreAskedFor(t *testing.T) {
	kubeconfig := write(t, "kubeconfig", `{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],
  clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}], users: [{name: u, user: {}}]}`)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"approve"}, "NAMESPACE/NAME"},
		{[]string{"approve", "shop/web", "shop/cart"}, "name one"},
		{[]string{"plan"}, "-f DIR|FILE or --kubeconfig FILE"},
		{[]string{"orphans"}, "--cluster-name is needed"},
		{[]string{"orphans", "--cluster-name", "a", "--aws-api-endpoints", "elbv2x=http://127.0.0.1:1"}, `the service "elbv2x": use one of`},
		{[]string{"orphans", "--cluster-name", "a", "--kubeconfig", kubeconfig}, "give --aws-region and --aws-vpc-id"},
	} {
		root := newRootCommand()
		root.SetArgs(row.args)
		if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("headgate %v says %v, want it to say %q", row.args, err, row.want)
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
