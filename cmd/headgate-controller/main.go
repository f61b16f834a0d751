// Command headgate-controller is the operator: flags become settings, settings are wired, and the manager runs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/headgate/headgate/cmd/headgate-controller/wire"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Getenv, os.Stderr))
}

func run(args []string, getenv func(string) string, out io.Writer) int {
	s, err := parse(args, getenv, out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	}
	ctrl.SetLogger(newLogger(s.logLevel, out))
	ctx := ctrl.SetupSignalHandler()
	if err := wire.Run(ctx, s.Settings); err != nil {
		fmt.Fprintf(out, "headgate-controller: %v\n", err)
		return exitFailed
	}
	return 0
}

// newLogger logs one JSON object a line.
func newLogger(level string, out io.Writer) logr.Logger {
	least := slog.LevelInfo
	if level == "debug" {
		least = slog.LevelDebug
	}
	return logr.FromSlogHandler(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: least}))
}
