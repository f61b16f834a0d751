//go:build tools

// Package controlplane pins the versions of the control-plane binaries that tests and the sandbox run.
// It holds no code of its own: the imports below make `go mod tidy` keep what the builds need.
package controlplane

import (
	_ "k8s.io/kubectl/pkg/cmd"
	_ "k8s.io/kubernetes/cmd/kube-apiserver/app"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)
