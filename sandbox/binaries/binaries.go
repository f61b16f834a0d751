// Package binaries gives tests and the sandbox the programs they run: etcd, kube-apiserver,
// kube-controller-manager and kubectl of the versions pinned in sandbox/controlplane, and the operator of
// this checkout.
//
// Prebuilt control planes cannot be fetched on every machine, so they are built from their Go modules, once,
// into the user's cache directory. The package imports the standard library only. Its invariant: a directory
// that Ensure returns is complete; a build that was cut leaves nothing that a later call would take for done.
package binaries

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// The programs of a control plane, by file name.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Kubectl           = "kubectl"
)

// AssetsVariable is the environment variable with which a directory of ready-made binaries is given; envtest
// reads the same one.
const AssetsVariable = "KUBEBUILDER_ASSETS"

const directoryMode = 0o755

// names are in the order of building: the first one compiles most of what the next ones share.
func names() []string {
	return []string{APIServer, ControllerManager, Kubectl, Etcd}
}

// Ensure returns a directory that holds the four programs of a control plane. It builds what is not there
// yet and says on progress what it does, for the first build takes minutes. Programs found in
// KUBEBUILDER_ASSETS are used as they are, and only the others are built. Several processes may call it at
// once: one builds, the others wait.
func Ensure(ctx context.Context, progress io.Writer) (string, error) {
	assets := os.Getenv(AssetsVariable)
	if assets != "" && len(absent(assets)) == 0 {
		return assets, nil
	}
	root, err := Root()
	if err != nil {
		return "", fmt.Errorf("finding the sources of the control plane: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache directory: %w", err)
	}
	set, err := newSet(filepath.Join(root, "sandbox", "controlplane"), assets)
	if err != nil {
		return "", err
	}
	return set.ensure(ctx, filepath.Join(cache, "headgate", "controlplane"), progress)
}

// ensure returns the set's directory below base, building it if it is not there.
func (s set) ensure(ctx context.Context, base string, progress io.Writer) (string, error) {
	dir := filepath.Join(base, s.key)
	if len(absent(dir)) == 0 {
		return dir, nil
	}
	if err := os.MkdirAll(base, directoryMode); err != nil {
		return "", fmt.Errorf("making the cache directory: %w", err)
	}
	unlock, err := lock(ctx, dir+".lock", progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if len(absent(dir)) == 0 { // another process built it while this one waited
		return dir, nil
	}
	return dir, s.fill(ctx, dir, progress)
}

// fill builds into a directory beside dir and renames it: dir exists only when it is complete.
func (s set) fill(ctx context.Context, dir string, progress io.Writer) error {
	temporary, err := os.MkdirTemp(filepath.Dir(dir), ".building-")
	if err != nil {
		return fmt.Errorf("making a directory to build in: %w", err)
	}
	defer discard(temporary)
	say(progress, "Building the control plane (Kubernetes %s, etcd %s): once, some minutes", s.kubernetes, s.etcd)
	started := time.Now()
	for _, name := range names() {
		if err := s.provide(ctx, name, filepath.Join(temporary, executable(name)), progress); err != nil {
			return err
		}
	}
	if err := os.Chmod(temporary, directoryMode); err != nil {
		return fmt.Errorf("opening the built directory to other users: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing an incomplete build: %w", err)
	}
	if err := os.Rename(temporary, dir); err != nil {
		return fmt.Errorf("putting the build in its place: %w", err)
	}
	say(progress, "Control plane built in %s: %s", elapsed(started), dir)
	return nil
}

// provide puts one program at target: a link to the ready-made one, or a build.
func (s set) provide(ctx context.Context, name, target string, progress io.Writer) error {
	if s.assets != "" {
		ready := filepath.Join(s.assets, executable(name))
		if _, err := os.Stat(ready); err == nil {
			if err := os.Symlink(ready, target); err != nil {
				return fmt.Errorf("linking %s: %w", name, err)
			}
			return nil
		}
	}
	return s.job(name, target).run(ctx, progress)
}

// absent lists the programs that dir lacks.
func absent(dir string) []string {
	var missing []string
	for _, name := range names() {
		info, err := os.Stat(filepath.Join(dir, executable(name)))
		if err != nil || info.IsDir() {
			missing = append(missing, name)
		}
	}
	return missing
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

// discard removes what a build left behind. After a success the directory was renamed away and there is
// nothing to remove; a failure to remove only costs disk space.
func discard(dir string) {
	_ = os.RemoveAll(dir)
}
