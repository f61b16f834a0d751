package binaries

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const pins = `module example.test/controlplane

require (
	k8s.io/kubernetes v1.36.3
	go.etcd.io/etcd/server/v3 v3.7.3 // indirect
	k8s.io/kubernetes-extra v9.9.9
)
`

func TestKeyNamesThePinsAndChangesWithEverythingBuiltFrom(t *testing.T) {
	base := writeModule(t, pins, "sum", "package main")
	first := mustSet(t, base, "")
	if !strings.HasPrefix(first.key, "k8s-v1.36.3-etcd-v3.7.3-") {
		t.Errorf("key %q does not name the versions", first.key)
	}
	if again := mustSet(t, base, ""); again.key != first.key {
		t.Errorf("same inputs gave %q and %q", first.key, again.key)
	}
	for _, row := range []struct{ why, gomod, gosum, main, assets string }{
		{why: "another pin is another control plane", gomod: strings.Replace(pins, "v1.36.3", "v1.36.4", 1), gosum: "sum", main: "package main"},
		{why: "a dependency's content changed", gomod: pins, gosum: "other", main: "package main"},
		{why: "etcd's main package changed", gomod: pins, gosum: "sum", main: "package main // x"},
		{why: "programs are linked from assets, not built", gomod: pins, gosum: "sum", main: "package main", assets: "assets"},
	} {
		if other := mustSet(t, writeModule(t, row.gomod, row.gosum, row.main), row.assets); other.key == first.key {
			t.Errorf("%s, yet the key stayed %q", row.why, other.key)
		}
	}
}

func TestModuleWithoutPinsIsRefused(t *testing.T) {
	if _, err := newSet(writeModule(t, "module x\n", "", ""), ""); err == nil {
		t.Error("a module that pins nothing was accepted")
	}
	if _, err := newSet(t.TempDir(), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory without a module gave %v", err)
	}
}

func TestLinkerFlagsStampTheVersion(t *testing.T) {
	got := mustSet(t, writeModule(t, pins, "", ""), "").linkerFlags()
	for _, want := range []string{"component-base/version.gitVersion=v1.36.3", ".gitMajor=1 ", ".gitMinor=36 "} {
		if !strings.Contains(got, want) {
			t.Errorf("linker flags %q lack %q", got, want)
		}
	}
}

func TestCompleteAssetsAreUsedAsTheyAre(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, names()...)
	t.Setenv(AssetsVariable, dir)
	t.Chdir(t.TempDir()) // outside any checkout: nothing could be built
	got, err := Ensure(t.Context(), io.Discard)
	if err != nil || got != dir {
		t.Errorf("Ensure = %q, %v; want %q", got, err, dir)
	}
}

func TestAssetsThatLackAProgramAreCompletedByABuild(t *testing.T) {
	assets := t.TempDir()
	touch(t, assets, APIServer, ControllerManager, Kubectl)
	s := mustSet(t, writeModule(t, pins, "", "package main\nfunc main() {}\n"), assets)
	// The pins of the test module cannot be resolved; a module without requirements can be built.
	overwrite(t, filepath.Join(s.module, "go.mod"), "module example.test/controlplane\n\ngo 1.26\n")
	var progress bytes.Buffer
	dir, err := s.ensure(t.Context(), t.TempDir(), &progress)
	if err != nil {
		t.Fatal(err)
	}
	if missing := absent(dir); len(missing) > 0 {
		t.Errorf("programs %v are missing", missing)
	}
	if link, err := os.Readlink(filepath.Join(dir, Kubectl)); err != nil || link != filepath.Join(assets, Kubectl) {
		t.Errorf("kubectl links to %q, %v", link, err)
	}
	if !strings.Contains(progress.String(), "etcd built in") {
		t.Errorf("progress does not tell of the build: %q", progress.String())
	}
}

func TestFailedBuildLeavesNothingAndSaysWhy(t *testing.T) {
	assets := t.TempDir()
	touch(t, assets, APIServer, ControllerManager, Kubectl)
	s := mustSet(t, writeModule(t, pins, "", "package main\nfunc main() { undefinedName() }\n"), assets)
	overwrite(t, filepath.Join(s.module, "go.mod"), "module example.test/controlplane\n\ngo 1.26\n")
	base := t.TempDir()
	_, err := s.ensure(t.Context(), base, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "undefinedName") {
		t.Fatalf("the error does not carry the compiler's words: %v", err)
	}
	entries, err := os.ReadDir(base)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if diff := cmp.Diff([]string{s.key + ".lock"}, left); diff != "" {
		t.Errorf("left in the cache (-want +got):\n%s", diff)
	}
}

func TestSecondBuilderWaitsUntilItsContextEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	var progress bytes.Buffer
	if _, err := lock(ctx, path, &progress); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("second builder got %v", err)
	}
	if !strings.Contains(progress.String(), "waiting") {
		t.Errorf("the wait is silent: %q", progress.String())
	}
	unlock()
	again, err := lock(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatalf("the lock was not given back: %v", err)
	}
	again()
}

func TestRootIsFoundFromBelowAndOnlyInACheckout(t *testing.T) {
	t.Setenv(SourceVariable, "")
	checkout := t.TempDir()
	overwrite(t, filepath.Join(checkout, "go.mod"), "module "+mainModule+"\n")
	nested := filepath.Join(checkout, "sandbox", "controlplane")
	if err := os.MkdirAll(nested, directoryMode); err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(nested, "go.mod"), "module "+mainModule+"/sandbox/controlplane\n")
	t.Chdir(nested)
	if got, err := Root(); err != nil || got != realPath(t, checkout) {
		t.Errorf("Root below the checkout = %q, %v", got, err)
	}
	t.Chdir(t.TempDir())
	if _, err := Root(); !errors.Is(err, errNoCheckout) {
		t.Errorf("Root outside gave %v", err)
	}
	t.Setenv(SourceVariable, checkout)
	if got, err := Root(); err != nil || got != checkout {
		t.Errorf("Root by variable = %q, %v", got, err)
	}
	t.Setenv(SourceVariable, nested)
	if _, err := Root(); err == nil {
		t.Error("a wrong directory in the variable was accepted")
	}
}

func writeModule(t *testing.T, gomod, gosum, main string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "etcd"), directoryMode); err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(dir, "go.mod"), gomod)
	overwrite(t, filepath.Join(dir, "go.sum"), gosum)
	overwrite(t, filepath.Join(dir, "etcd", "main.go"), main)
	return dir
}

func mustSet(t *testing.T, dir, assets string) set {
	t.Helper()
	s, err := newSet(dir, assets)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func touch(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, name := range files {
		overwrite(t, filepath.Join(dir, name), "#!/bin/sh\n")
	}
}

func overwrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func realPath(t *testing.T, path string) string {
	t.Helper()
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}
