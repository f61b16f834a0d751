package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestScratchOfAKilledSandboxIsSweptByTheNext(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	running, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	killed, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.lock.Close(); err != nil { // as the kernel does for a process that is gone
		t.Fatal(err)
	}
	fresh := filepath.Join(os.TempDir(), "headgate-sandbox-fresh")
	if err := os.Mkdir(fresh, dirMode); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * scratchAge)
	for _, dir := range []string{running.dir, killed.dir} {
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal(err)
		}
	}
	next, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why  string
		dir  string
		kept bool
	}{
		{why: "it runs", dir: running.dir, kept: true},
		{why: "its process is gone", dir: killed.dir},
		{why: "it is being made", dir: fresh, kept: true},
		{why: "it is the new one", dir: next.dir, kept: true},
	} {
		_, err := os.Stat(row.dir)
		if kept := !errors.Is(err, os.ErrNotExist); kept != row.kept {
			t.Errorf("%s: kept %t, want %t", row.why, kept, row.kept)
		}
	}
	for _, one := range []*scratch{running, next} {
		if err := one.remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(one.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("removed, and still there: %v", err)
		}
	}
}
