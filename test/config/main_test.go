package config_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/headgate/headgate/sandbox/binaries"
)

const root = "../.."

// cluster is an API server with the installation applied to it.
type cluster struct {
	kubectl    string
	kubeconfig string
	client     client.Client
}

// One API server serves all tests: the installation is applied to it once.
func TestConfigAgainstAnAPIServer(t *testing.T) {
	c := start(t)
	if err := c.install(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("two replicas that cannot hurt", c.runsTwoReplicasThatCannotHurt)
	t.Run("rights", c.grantsWhatIsNeededAndNoMore)
	t.Run("samples", c.acceptsSamples)
	t.Run("kinds", c.acceptsAndRefusesAsTheIncumbent)
	t.Run("bindings", c.keepsTheTargetGroupOfABinding)
	t.Run("defaults", c.fillsInDefaults)
	t.Run("old bindings", c.readsOldBindings)
	t.Run("list of load balancers", c.listsLoadBalancers)
}

func start(t *testing.T) cluster {
	t.Helper()
	dir, err := binaries.Ensure(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	environment := &envtest.Environment{BinaryAssetsDirectory: dir}
	config, err := environment.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, environment.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := newClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return cluster{kubectl: filepath.Join(dir, binaries.Kubectl), kubeconfig: kubeconfig, client: c}
}

func newClient(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return c, nil
}

// install does what the README tells an administrator to do: the Gateway API's CRDs, then config/default.
func (c cluster) install(ctx context.Context) error {
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return fmt.Errorf("finding the Gateway API's CRDs: %w", err)
	}
	crds := filepath.Join(strings.TrimSpace(string(module)), "config", "crd", "standard")
	if _, err := c.run(ctx, "apply", "--server-side", "-f", crds); err != nil {
		return err
	}
	if _, err := c.run(ctx, "apply", "--server-side", "-k", filepath.Join(root, "config", "default")); err != nil {
		return err
	}
	_, err = c.run(ctx, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
	return err
}

// run calls kubectl and gives its output. The error holds what it complained about.
func (c cluster) run(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, c.kubectl, append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}
