package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	scratchPattern = "headgate-sandbox-*"
	scratchLock    = "lock"
	// scratchAge protects a directory that was made a moment ago and is not locked yet.
	scratchAge = time.Minute
)

// scratch is a temporary directory that is known to be in use as long as this process lives.
type scratch struct {
	dir  string
	lock *os.File
}

// newScratch makes a directory, after removing those that sandboxes left behind which were killed.
func newScratch() (*scratch, error) {
	if err := sweep(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", scratchPattern)
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, scratchLock), os.O_CREATE|os.O_RDWR, logFileMode)
	if err != nil {
		return nil, fmt.Errorf("marking the directory as in use: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("marking the directory as in use: %w", err)
	}
	return &scratch{dir: dir, lock: lock}, nil
}

// remove the directory and everything in it.
func (s *scratch) remove() error {
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}

// sweep removes the directories of sandboxes that ended without removing them.
func sweep() error {
	left, err := filepath.Glob(filepath.Join(os.TempDir(), scratchPattern))
	if err != nil {
		return fmt.Errorf("looking for what others left behind: %w", err)
	}
	for _, dir := range left {
		if !abandoned(dir) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("removing what another sandbox left behind: %w", err)
		}
	}
	return nil
}

// abandoned tells whether the process that made a directory is gone: the kernel gave its lock back.
func abandoned(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil || time.Since(info.ModTime()) < scratchAge {
		return false
	}
	lock, err := os.OpenFile(filepath.Join(dir, scratchLock), os.O_RDWR, logFileMode)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	free := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
	return lock.Close() == nil && free
}
