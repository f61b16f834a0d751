// Command headgate is the command line: plans without a cluster and those that wait in one, the simulator, a whole sandbox. One file holds
// one command.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// exitFailed is the exit code of an error that has none of its own.
const exitFailed = 1

func main() {
	os.Exit(run(context.Background(), os.Args[1:]))
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string) int {
	root := newRootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(os.Stderr, "headgate: "+text)
	}
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return exitFailed
}

func newRootCommand() *cobra.Command {
	name := "headgate"
	if strings.HasPrefix(filepath.Base(os.Args[0]), "kubectl-") {
		name = "kubectl headgate" // kubectl runs what is called so as its plugin
	}
	root := &cobra.Command{
		Use:           "headgate",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: name},
		Short:         "Load balancers of AWS for Kubernetes: plan them, simulate them, try them",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newApproveCommand(), newCorpusCommand(), newDemoCommand(), newOrphansCommand(), newPlanCommand(), newSandboxCommand(), newSimCommand())
	return root
}
