package cluster_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	authenticationv1 "k8s.io/api/authentication/v1"

	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/cluster"
)

const widgets = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.test
spec:
  group: example.test
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: not-a-definition, namespace: default}
`

// One cluster serves all of its tests, for each start takes seconds.
func TestCluster(t *testing.T) {
	state := t.TempDir()
	crds := filepath.Join(t.TempDir(), "widgets.yaml")
	if err := os.WriteFile(crds, []byte(widgets), 0o600); err != nil {
		t.Fatal(err)
	}
	options := cluster.Options{Binaries: assets(t), Dir: state, CRDs: []string{crds}}
	c := start(t, options)
	t.Run("versions are those that were pinned", func(t *testing.T) { versions(t, c) })
	t.Run("definitions are served, other objects are not applied", func(t *testing.T) { definitions(t, c) })
	t.Run("a service account has its own rights only", func(t *testing.T) { serviceAccount(t, c) })
	t.Run("a namespace really goes away", func(t *testing.T) { namespaceGoes(t, c) })

	if _, err := client(t, c).CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	stopAndLookForRemains(t, c)
	t.Run("a kept directory keeps the state", func(t *testing.T) {
		again := start(t, options)
		if _, err := client(t, again).CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func TestFailedStartLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	for _, row := range []struct {
		why     string
		options cluster.Options
	}{
		{why: "no programs", options: cluster.Options{Binaries: t.TempDir()}},
		{why: "definitions that are not there", options: cluster.Options{Binaries: assets(t), CRDs: []string{"/does/not/exist"}}},
	} {
		if _, err := cluster.Start(t.Context(), row.options); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: Start gave %v", row.why, err)
		}
		left, err := os.ReadDir(temporary)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) > 0 {
			t.Errorf("%s: %s was left behind", row.why, left[0].Name())
		}
	}
}

func versions(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), c.Kubectl(), "--kubeconfig", c.Kubeconfig(), "version").CombinedOutput()
	if err != nil || strings.Count(string(output), "Version: v1.36.3") != 2 {
		t.Errorf("kubectl version: %v\n%s", err, output)
	}
}

func definitions(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	list, err := client(t, c).Discovery().ServerResourcesForGroupVersion("example.test/v1")
	if err != nil || len(list.APIResources) != 1 {
		t.Errorf("resources of the definition: %v, %v", list, err)
	}
	_, err = client(t, c).CoreV1().ConfigMaps("default").Get(t.Context(), "not-a-definition", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("an object that is no definition: %v", err)
	}
}

func serviceAccount(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	token, err := client(t, c).CoreV1().ServiceAccounts("default").CreateToken(t.Context(), "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := c.WriteTokenKubeconfig(path, token.Status.Token); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	restricted, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := restricted.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("an account without a role listed Secrets: %v", err)
	}
}

func namespaceGoes(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	namespaces := client(t, c).CoreV1().Namespaces()
	if _, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "passing"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := namespaces.Delete(t.Context(), "passing", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for {
		_, err := namespaces.Get(t.Context(), "passing", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// stopAndLookForRemains stops the cluster and checks that its processes and its port are gone.
func stopAndLookForRemains(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range c.PIDs() {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is still there: %v", pid, err)
		}
	}
	endpoint, err := url.Parse(c.Config().Host)
	if err != nil {
		t.Fatal(err)
	}
	if connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", endpoint.Host); err == nil {
		t.Errorf("somebody still listens on %s: %v", endpoint.Host, connection.Close())
	}
}

func start(t *testing.T, options cluster.Options) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func client(t *testing.T, c *cluster.Cluster) kubernetes.Interface {
	t.Helper()
	clientset, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	return clientset
}

func assets(t *testing.T) string {
	t.Helper()
	dir, err := binaries.Ensure(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
