package binaries

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// SourceVariable names the checkout when the working directory is not inside it.
const SourceVariable = "HEADGATE_SOURCE"

const mainModule = "github.com/headgate/headgate"

// errNoCheckout is the answer where the sources cannot be found.
var errNoCheckout = errors.New("not inside a checkout of " + mainModule + ": change into it, or name it in " + SourceVariable)

// Root returns the directory of this project's checkout: what HEADGATE_SOURCE says, else the nearest
// directory, from the working directory upward, whose go.mod is the project's.
func Root() (string, error) {
	if dir := os.Getenv(SourceVariable); dir != "" {
		if !isCheckout(dir) {
			return "", fmt.Errorf("%s=%s is not a checkout of %s", SourceVariable, dir, mainModule)
		}
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return "", fmt.Errorf("making %s absolute: %w", SourceVariable, err)
		}
		return absolute, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the working directory: %w", err)
	}
	for {
		if isCheckout(dir) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errNoCheckout
		}
		dir = parent
	}
}

func isCheckout(dir string) bool {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(content)) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "module "); found {
			return strings.TrimSpace(name) == mainModule
		}
	}
	return false
}

// Controller builds the operator of this checkout into dir and returns its path. Its packages are compiled as
// `go test` and `go run` compile them, so that Go's build cache serves all: only the first build takes long.
func Controller(ctx context.Context, dir string, progress io.Writer) (string, error) {
	root, err := Root()
	if err != nil {
		return "", fmt.Errorf("finding the sources of the operator: %w", err)
	}
	target := filepath.Join(dir, executable("headgate-controller"))
	build := job{
		name: "headgate-controller", dir: root, pkg: "./cmd/headgate-controller", target: target,
		flags: []string{"-ldflags", "-s -w"},
	}
	return target, build.run(ctx, progress)
}
