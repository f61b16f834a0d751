// Package process runs the sandbox's child processes. It imports the standard library only. Its invariant:
// a child never outlives its parent, whichever way the parent ends (on Linux also after kill -9; elsewhere
// after Stop).
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// stopWait is how long a child may take to end after SIGTERM before it is killed.
	stopWait = 10 * time.Second
	// pipeWait bounds the wait for a grandchild that keeps the output open.
	pipeWait = time.Second
	// tailBytes of the child's output are kept to explain its end.
	tailBytes = 4096
)

// Spec says what to run.
type Spec struct {
	Path string
	Args []string
	// Env is the whole environment, as in exec.Cmd; nil passes on the parent's.
	Env []string
	// Log receives the child's standard output and error; nil discards them.
	Log io.Writer
}

// Process is a child that runs, or did.
type Process struct {
	name string
	pid  int
	tail *tail
	done chan struct{}
	// err is how the child ended; it may be read when done is closed.
	err error
}

// Start starts a child in a process group of its own: Ctrl-C in the terminal reaches the parent alone, which
// then stops its children in their order. The end of the context does not end the child; Stop does, which lets
// it end well.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	command := exec.CommandContext(context.WithoutCancel(ctx), spec.Path, spec.Args...)
	command.Env = spec.Env
	command.WaitDelay = pipeWait
	command.SysProcAttr = attributes()
	p := &Process{name: filepath.Base(spec.Path), tail: &tail{next: spec.Log}, done: make(chan struct{})}
	command.Stdout, command.Stderr = p.tail, p.tail
	started := make(chan error)
	go p.run(command, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.name, err)
	}
	return p, nil
}

// run starts the child and waits for its end on one OS thread: Linux sends the parent-death signal when the
// thread that forked ends, not the process.
func (p *Process) run(command *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := command.Start(); err != nil {
		started <- err
		return
	}
	p.pid = command.Process.Pid
	started <- nil
	p.err = command.Wait()
	close(p.done)
}

// PID is the child's process ID, also its process group's.
func (p *Process) PID() int { return p.pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the child ended, with the end of its output; it is nil while the child runs.
func (p *Process) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	end := p.err
	if end == nil {
		end = errors.New("exit status 0")
	}
	return fmt.Errorf("%s ended: %w\n%s", p.name, end, p.tail.String())
}

// Stop ends the child and all of its process group: SIGTERM, and SIGKILL when that did not do it in time or
// the context ended. It returns when the child is gone; stopping twice is fine.
func (p *Process) Stop(ctx context.Context) error {
	select {
	case <-p.done:
		return p.signal(syscall.SIGKILL) // what it may have left in its group
	default:
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	patience := time.NewTimer(stopWait)
	defer patience.Stop()
	select {
	case <-p.done:
	case <-ctx.Done():
	case <-patience.C:
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// Kill ends the child as a crash would, without a warning.
func (p *Process) Kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

func (p *Process) signal(sig syscall.Signal) error {
	err := signalGroup(p.pid, sig)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("sending %s to %s: %w", sig, p.name, err)
	}
	return nil
}

// tail passes output on and keeps its end.
type tail struct {
	next io.Writer
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailBytes; over > 0 {
		t.kept = append([]byte(nil), t.kept[over:]...)
	}
	if t.next == nil {
		return len(p), nil
	}
	n, err := t.next.Write(p)
	if err != nil {
		return n, fmt.Errorf("passing output on: %w", err)
	}
	return n, nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}
