package binaries

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	progressEvery = 10 * time.Second
	// failureLines is how many lines of the compiler's output an error carries.
	failureLines = 20
)

// job is one `go build`.
type job struct {
	name   string
	dir    string // where the module is
	pkg    string
	target string
	flags  []string
	env    []string // added to this process's
}

// run builds, telling on progress how far it is.
func (j job) run(ctx context.Context, progress io.Writer) error {
	started := time.Now()
	say(progress, "  %s ...", j.name)
	args := append([]string{"build", "-v", "-buildvcs=false", "-o", j.target}, j.flags...)
	command := exec.CommandContext(ctx, "go", append(args, j.pkg)...)
	command.Dir = j.dir
	command.Env = append(append(os.Environ(), "GOWORK=off"), j.env...)
	output, err := command.StderrPipe()
	if err != nil {
		return fmt.Errorf("building %s: %w", j.name, err)
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("building %s: %w", j.name, err)
	}
	tail := j.watch(output, progress, started)
	if err := command.Wait(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", j.name, err, strings.Join(tail, "\n"))
	}
	say(progress, "  %s built in %s", j.name, elapsed(started))
	return nil
}

// watch reads the compiler's output to its end, and returns the last lines that are neither the name of a
// package nor a download: those explain a failure.
func (j job) watch(output io.Reader, progress io.Writer, started time.Time) []string {
	var tail []string
	packages, downloads, told := 0, 0, started
	for lines := bufio.NewScanner(output); lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "go: downloading "):
			downloads++
		case !strings.ContainsAny(line, " :\t"):
			packages++
		default:
			tail = append(tail, line)
			tail = tail[max(0, len(tail)-failureLines):]
		}
		if now := time.Now(); now.Sub(told) >= progressEvery {
			told = now
			say(progress, "  %s: %s, %d modules downloaded, %d packages compiled", j.name, elapsed(started), downloads, packages)
		}
	}
	return tail
}

func elapsed(since time.Time) time.Duration {
	return time.Since(since).Round(time.Second)
}

// say writes a line of progress. That the reader of progress went away is no reason to stop building.
func say(progress io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(progress, format+"\n", args...)
}
