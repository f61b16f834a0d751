// Command reference writes what can be generated of docs/reference: crds.md from the CRDs in config/crd (each kind with its
// columns and, for each field, its type, what it must be, its default and its meaning), flags.md from the operator's help,
// annotations.md from the table of the keys and the golden cases, and the tables of simulator.md from what the simulator's packages
// say of themselves. It may import anything. Its invariant: the same input gives the same bytes, so that `make check` can compare them.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

const (
	source = "config/crd"
	target = "docs/reference"
	header = `# The kinds that Headgate serves

Written by ` + "`make generate`" + ` from ` + "`config/crd`" + `. Do not edit.

A field in bold must be set. Versions of a kind that are identical are described once.
`
	readable = 0o644
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	kinds, err := kindsPage()
	if err != nil {
		return err
	}
	if err := write("crds.md", kinds); err != nil {
		return err
	}
	keys, err := annotationsPage(specs(), cases)
	if err != nil {
		return err
	}
	if err := write("annotations.md", keys); err != nil {
		return err
	}
	flags, err := flagsPage(ctx)
	if err != nil {
		return err
	}
	if err := write("flags.md", flags); err != nil {
		return err
	}
	return simulatorPage()
}

func write(name, page string) error {
	if err := os.WriteFile(filepath.Join(target, name), []byte(page), readable); err != nil {
		return fmt.Errorf("writing the reference: %w", err)
	}
	return nil
}

// kindsPage describes every CRD, in the order of their files.
func kindsPage() (string, error) {
	files, err := filepath.Glob(filepath.Join(source, "*.*.yaml"))
	if err != nil {
		return "", fmt.Errorf("looking for CRDs: %w", err)
	}
	if len(files) == 0 {
		return "", fmt.Errorf("no CRD in %s: run from the root of the checkout", source)
	}
	var page strings.Builder
	page.WriteString(header)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the CRD: %w", err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(content, &definition); err != nil {
			return "", fmt.Errorf("reading the CRD %s: %w", file, err)
		}
		page.WriteString(describe(definition))
	}
	return page.String(), nil
}
