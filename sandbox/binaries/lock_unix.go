//go:build unix

package binaries

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

const (
	lockFileMode = 0o644
	lockPoll     = 200 * time.Millisecond
)

// lock takes an exclusive lock that ends with the process, however it ends, and returns what gives it back.
func lock(ctx context.Context, path string, progress io.Writer) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, lockFileMode)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the build: %w", err)
	}
	release := func() { _ = file.Close() } // closing is what gives the lock back
	for first := true; ; first = false {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return release, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			release()
			return nil, fmt.Errorf("locking the build: %w", err)
		}
		if first {
			say(progress, "Another process is building the same; waiting for it")
		}
		select {
		case <-ctx.Done():
			release()
			return nil, fmt.Errorf("waiting for another build: %w", ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}
