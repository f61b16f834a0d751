package golden_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/sandbox/binaries"
	"github.com/headgate/headgate/sandbox/cluster"
)

// TestServerGivesEqualIntents holds that a field that is absent means its default: the manifests as they were written and the same
// objects as a real API server returns them, with its defaults filled in, ask for the same.
func TestServerGivesEqualIntents(t *testing.T) {
	server := start(t)
	files, err := filepath.Glob("*/*/in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, name := range files {
		dir := filepath.Dir(name)
		if strings.HasSuffix(dir, "deleted") || strings.HasSuffix(dir, "-leaves") || strings.Contains(dir, "takeover") {
			continue // an API server takes no object that is being deleted; the take-over cases repeat others
		}
		compared++
		t.Run(filepath.ToSlash(dir), func(t *testing.T) { compareIntents(t, server, dir) })
	}
	if compared < 20 {
		t.Errorf("%d cases were compared", compared)
	}
}

// start brings up an API server with all kinds.
func start(t *testing.T) client.Client {
	t.Helper()
	programs, err := binaries.Ensure(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	root, err := binaries.Root()
	if err != nil {
		t.Fatal(err)
	}
	gatewayAPI, err := exec.CommandContext(t.Context(), "go", "list", "-C", root, "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Start(t.Context(), cluster.Options{Binaries: programs, CRDs: []string{
		filepath.Join(root, "config", "crd"), filepath.Join(strings.TrimSpace(string(gatewayAPI)), "config", "crd", "standard"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	scheme, err := manifests.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	config := c.Config()
	config.QPS = -1
	out, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compareIntents(t *testing.T, server client.Client, dir string) {
	t.Helper()
	set, err := manifests.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Read(filepath.Join(dir, "in.yaml")); err != nil {
		t.Fatal(err)
	}
	want := intents(t, dir, set)
	create(t, server, set)
	if diff := cmp.Diff(want, intents(t, dir, server)); diff != "" {
		t.Errorf("-manifests +server\n%s", diff)
	}
}

// create makes the objects until the case is over.
func create(t *testing.T, c client.Client, set *manifests.Set) {
	t.Helper()
	objects, err := set.Objects()
	if err != nil {
		t.Fatal(err)
	}
	// Namespaces first.
	slices.SortStableFunc(objects, func(a, b client.Object) int { return rank(a) - rank(b) })
	for _, o := range objects {
		o.SetUID("")
		o.SetCreationTimestamp(metav1.Time{})
		err := c.Create(t.Context(), o)
		if rank(o) == 0 {
			if apierrors.IsAlreadyExists(err) {
				err = relabel(t.Context(), c, o)
			}
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("creating %T %s: %v", o, o.GetName(), err)
		}
		t.Cleanup(func() { remove(t, c, o) })
	}
}

// relabel gives a namespace, which stays for all cases, the labels and annotations of one.
func relabel(ctx context.Context, c client.Client, want client.Object) error {
	have := &corev1.Namespace{}
	if err := c.Get(ctx, client.ObjectKeyFromObject(want), have); err != nil {
		return fmt.Errorf("reading namespace %s: %w", want.GetName(), err)
	}
	have.Labels, have.Annotations = want.GetLabels(), want.GetAnnotations()
	if err := c.Update(ctx, have); err != nil {
		return fmt.Errorf("labelling namespace %s: %w", want.GetName(), err)
	}
	return nil
}

// remove deletes an object, whoever holds it by a finalizer.
func remove(t *testing.T, c client.Client, o client.Object) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if len(o.GetFinalizers()) > 0 {
		o.SetFinalizers(nil)
		if err := c.Update(ctx, o); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	}
	if err := c.Delete(ctx, o); client.IgnoreNotFound(err) != nil {
		t.Error(err)
	}
}

func rank(o client.Object) int {
	if _, ok := o.(*corev1.Namespace); ok {
		return 0
	}
	return 1
}

// intents are what the front doors ask for, without what only a server knows: UIDs and ages.
func intents(t *testing.T, dir string, r client.Reader) any {
	t.Helper()
	requests, err := preview.Requests(t.Context(), r, read(t, dir).flags.settings())
	if err != nil {
		t.Fatal(err)
	}
	var asked []any
	for _, r := range requests {
		// Where members have the order of their ages, it is another one on a server, which made them all within a moment.
		if r.Intent.Order == intent.BySpecificity {
			slices.SortStableFunc(r.Intent.Fragments, func(a, b intent.Fragment) int { return strings.Compare(a.Member.String(), b.Member.String()) })
			slices.SortStableFunc(r.Findings, func(a, b model.Finding) int { return strings.Compare(a.Object.String(), b.Object.String()) })
		}
		asked = append(asked, r.Intent, r.Findings)
	}
	text, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return forget(out)
}

func forget(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "uid")
		delete(v, "age")
		for k := range v {
			v[k] = forget(v[k])
		}
	case []any:
		for i := range v {
			v[i] = forget(v[i])
		}
	}
	return v
}
