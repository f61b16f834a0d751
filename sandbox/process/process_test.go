package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// parentVariable makes this test binary the parent of a child, to be killed by the test.
const parentVariable = "HEADGATE_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		p, err := Start(context.Background(), Spec{Path: "/bin/sh", Args: []string{"-c", "while :; do sleep 60; done"}})
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(p.PID())
		<-p.Done()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestStopEndsTheWholeGroup(t *testing.T) {
	lines, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, Spec{Path: "/bin/sh", Args: []string{"-c", "sleep 60 & echo $!; wait"}, Log: writer})
	grandchild := readPID(t, bufio.NewReader(lines))
	if err := p.Err(); err != nil {
		t.Errorf("a running child has ended: %v", err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, p.PID())
	awaitGone(t, grandchild)
	if err := p.Stop(t.Context()); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}

func TestStopKillsWhatIgnoresTheSignal(t *testing.T) {
	lines, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, Spec{Path: "/bin/sh", Args: []string{"-c", "trap '' TERM; echo $$; while :; do sleep 60; done"}, Log: writer})
	readPID(t, bufio.NewReader(lines))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, p.PID())
}

func TestEndIsExplainedByTheOutput(t *testing.T) {
	p := start(t, Spec{Path: "/bin/sh", Args: []string{"-c", "echo no such flag >&2; exit 3"}})
	<-p.Done()
	err := p.Err()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(err.Error(), "no such flag") {
		t.Errorf("Err = %v", err)
	}
}

func TestMissingProgramIsAnError(t *testing.T) {
	if _, err := Start(t.Context(), Spec{Path: "/does/not/exist"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Start gave %v", err)
	}
}

func start(t *testing.T, spec Spec) *Process {
	t.Helper()
	p, err := Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func readPID(t *testing.T, lines *bufio.Reader) int {
	t.Helper()
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// awaitGone returns when the process is gone, and hangs until the test's deadline if it stays. A zombie
// counts as gone: whoever inherited it has not collected it yet.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	for alive(pid) {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(status), ") Z ")
}
