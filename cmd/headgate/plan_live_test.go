package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/cluster"
)

// With a kubeconfig the plan is what the operator would do now, and neither the cluster nor the account is changed.
func TestPlanForACluster(t *testing.T) {
	awayFromAWS(t)
	s, err := sim.New(sim.Options{ClusterName: "live"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	kubeconfig := planCluster(t)
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	if out, code := execute(t, "--kubeconfig", kubeconfig, "--cluster-name", "live"); code != exitFailed || !strings.Contains(out, "give --aws-region and --aws-vpc-id") {
		t.Errorf("without a region, exit code %d: %s", code, out)
	}
	args := []string{
		"--kubeconfig", kubeconfig, "--cluster-name", "live", "--aws-region", "us-west-2", "--aws-vpc-id", s.World().VPC,
		"--default-target-type", "ip",
		"--aws-api-endpoints", "elasticloadbalancing=" + s.URL() + ",ec2=" + s.URL() + ",acm=" + s.URL(),
	}
	out, code := execute(t, args...)
	if code != exitChanges {
		t.Errorf("exit code %d, want %d", code, exitChanges)
	}
	for _, want := range []string{"ingress.k8s.aws:shop/web", "CreateLoadBalancer", "forward shop/web-web:80"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	if again, _ := execute(t, args...); again != out {
		t.Errorf("planning twice says something else:\n%s", again)
	}
	calls := s.Calls().Calls
	if len(calls) == 0 || slices.ContainsFunc(calls, func(c sim.Count) bool { return c.Kind != "read" }) {
		t.Errorf("a plan reads AWS and writes nothing, but the calls are %+v", calls)
	}
}

// awayFromAWS keeps the SDK away from everything but the simulator.
func awayFromAWS(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "simulated")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "simulated")
}

// planCluster is an API server that holds the objects of the tests above, and gives its kubeconfig.
func planCluster(t *testing.T) string {
	t.Helper()
	programs, err := binaries.Ensure(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	root, err := binaries.Root()
	if err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Start(t.Context(), cluster.Options{Binaries: programs, CRDs: []string{filepath.Join(root, "config", "crd")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	createAll(t, c, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"+planClass+planIngress)
	return c.Kubeconfig()
}

// createAll makes the objects of manifests in a cluster, and gives a client of it.
func createAll(t *testing.T, c *cluster.Cluster, text string) client.Client {
	t.Helper()
	set, err := manifests.New()
	if err != nil {
		t.Fatal(err)
	}
	set.Add("in.yaml", []byte(text))
	server, err := client.New(c.Config(), client.Options{Scheme: set.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := set.Objects()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(objects, func(a, b client.Object) int { return len(a.GetNamespace()) - len(b.GetNamespace()) })
	for _, o := range objects {
		if err := client.IgnoreAlreadyExists(server.Create(t.Context(), o)); err != nil {
			t.Fatal(err)
		}
	}
	return server
}
