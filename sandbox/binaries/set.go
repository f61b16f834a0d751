package binaries

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	kubernetesModule = "k8s.io/kubernetes"
	etcdModule       = "go.etcd.io/etcd/server/v3"
	// recipe is part of the key: raise it when the way of building changes what comes out.
	recipe = "1"
)

// set is one version of the control plane, as the nested module pins it.
type set struct {
	module     string // directory of the nested module
	assets     string // directory of ready-made programs, or empty
	kubernetes string // such as v1.36.3
	etcd       string // such as v3.7.3
	key        string // name of the directory in the cache
}

// newSet reads the versions that the module in dir pins. The key names them and hashes everything that a
// build depends on, so that a changed pin is never answered with an old binary.
func newSet(dir, assets string) (set, error) {
	digest := sha256.New()
	fmt.Fprintf(digest, "%s\n%s\n", recipe, assets)
	var gomod string
	for _, name := range []string{"go.mod", "go.sum", filepath.Join("etcd", "main.go")} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return set{}, fmt.Errorf("reading the control plane's module: %w", err)
		}
		if name == "go.mod" {
			gomod = string(content)
		}
		digest.Write(content)
	}
	s := set{
		module: dir, assets: assets,
		kubernetes: required(gomod, kubernetesModule),
		etcd:       required(gomod, etcdModule),
	}
	if s.kubernetes == "" || s.etcd == "" {
		return set{}, fmt.Errorf("%s does not require %s and %s", filepath.Join(dir, "go.mod"), kubernetesModule, etcdModule)
	}
	s.key = fmt.Sprintf("k8s-%s-etcd-%s-%s-%s-%s", s.kubernetes, s.etcd, runtime.GOOS, runtime.GOARCH,
		hex.EncodeToString(digest.Sum(nil))[:12])
	return s, nil
}

// required returns the version that a go.mod requires of a module, or nothing.
func required(gomod, module string) string {
	for line := range strings.Lines(gomod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == module {
			return fields[1]
		}
	}
	return ""
}

// job says how a program of the set is built.
func (s set) job(name, target string) job {
	pkg := kubernetesModule + "/cmd/" + name
	if name == Etcd {
		pkg = "./etcd"
	}
	return job{
		name: name, dir: s.module, pkg: pkg, target: target,
		flags: []string{"-trimpath", "-mod=readonly", "-ldflags", s.linkerFlags()},
		env:   []string{"CGO_ENABLED=0"},
	}
}

// linkerFlags strip the binary and stamp the version into it: without the stamp the API server reports a
// development version, and clients take features for absent.
func (s set) linkerFlags() string {
	major, minor, _ := strings.Cut(strings.TrimPrefix(s.kubernetes, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, pair := range [][2]string{
			{"gitVersion", s.kubernetes}, {"gitMajor", major}, {"gitMinor", minor}, {"gitTreeState", "archive"},
		} {
			flags = append(flags, "-X", pkg+"."+pair[0]+"="+pair[1])
		}
	}
	return strings.Join(flags, " ")
}
