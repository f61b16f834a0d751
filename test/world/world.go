// Package world gives tests a real API server and, for each of them, a simulated AWS account with an operator of its own that
// runs in the test's process. There are no pods: endpoints are written by hand.
//
// It may import everything. Its invariant: two runs share nothing but the API server; each has a namespace, a cluster name and an
// account of its own.
package world

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/cluster"
)

// World is an API server with all CRDs.
type World struct {
	*cluster.Cluster

	Client client.Client
	// Root of the checkout.
	Root string
}

// Start brings the API server up.
func Start(ctx context.Context) (*World, error) {
	programs, err := binaries.Ensure(ctx, os.Stderr)
	if err != nil {
		return nil, fmt.Errorf("building the control plane: %w", err)
	}
	root, err := binaries.Root()
	if err != nil {
		return nil, fmt.Errorf("finding the checkout: %w", err)
	}
	gatewayAPI, err := exec.CommandContext(ctx, "go", "list", "-C", root, "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return nil, fmt.Errorf("finding the Gateway API's CRDs: %w", err)
	}
	c, err := cluster.Start(ctx, cluster.Options{Binaries: programs, CRDs: []string{
		filepath.Join(root, "config", "crd"), filepath.Join(strings.TrimSpace(string(gatewayAPI)), "config", "crd", "standard"),
	}})
	if err != nil {
		return nil, fmt.Errorf("starting the API server: %w", err)
	}
	w := &World{Cluster: c, Root: root}
	if w.Client, err = newClient(c); err != nil {
		return nil, err
	}
	return w, nil
}

// Open brings the API server up for one test, and takes it down after.
func Open(t *testing.T) *World {
	t.Helper()
	w, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's context is over by now.
		if err := w.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Environment keeps the AWS SDK of operators in this process away from everything but the simulator.
func Environment() error {
	for _, name := range []string{"AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		if err := os.Unsetenv(name); err != nil {
			return fmt.Errorf("unsetting %s: %w", name, err)
		}
	}
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated",
	} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return nil
}

func newClient(c *cluster.Cluster) (client.Client, error) {
	scheme, err := wire.NewScheme()
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	config := c.Config()
	config.QPS = -1
	out, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return out, nil
}
