//go:build tools

// Package tools pins the versions of the programs that generate and check the code. It holds no code of its own: the
// imports below keep their modules in go.mod.
package tools

import (
	_ "github.com/golangci/golangci-lint/v2/cmd/golangci-lint"
	_ "sigs.k8s.io/controller-tools/cmd/controller-gen"
)
