package orphan

import (
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
)

// known is an inventory.
type known []model.Belonging

func (k known) Belongings() []model.Belonging { return k }

// TestOrphansAreCountedAndToldOnce: what is wanted is none, nor what is a moment without anybody who wants it.
func TestOrphansAreCountedAndToldOnce(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, gwv1.Install, elbv2v1beta1.AddToScheme, headgatev1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	ing := &networkingv1.Ingress{}
	ing.Namespace, ing.Name = "shop", "web"
	state := &headgatev1alpha1.StackState{}
	state.Name, state.Spec.Owner = "s", "c "+ownedBy("left").String()
	state.Spec.Resources = []headgatev1alpha1.AppliedResource{{Key: "Certificate/x", ARN: "arn:cert:kept"}}
	of := func(kind model.Kind, arn model.ARN, stack string) model.Belonging {
		return model.Belonging{Kind: kind, ARN: arn, Owner: ownedBy(stack)}
	}
	all := known{
		of(model.KindLoadBalancer, "arn:lb:web", "shop/web"), of(model.KindTargetGroup, "arn:tg:left", "left"),
		of(model.KindCertificate, "arn:cert:kept", "gone"), of(model.KindCertificate, "arn:cert:gone", "gone"),
		of(model.KindTrustStore, "arn:ts:1", "gone"), of(model.KindTrustStore, "arn:ts:2", "gone"),
	}
	var lines []string
	ctx := ctrl.LoggerInto(t.Context(), funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{}))
	now, counts := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), map[model.Kind]int{}
	w := New(all, fake.NewClientBuilder().WithScheme(scheme).WithObjects(ing, state).Build(), Options{
		Cluster: "c", Count: func(kind model.Kind, n int) { counts[kind] = n }, Now: func() time.Time { return now },
	})
	look := func(why string, told int, want map[model.Kind]int) {
		t.Helper()
		for _, kind := range kinds() {
			want[kind] += 0
		}
		if err := w.look(ctx); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, counts); diff != "" || len(lines) != told {
			t.Errorf("%s: %d lines, want %d; counts: %s", why, len(lines), told, diff)
		}
	}
	look("it may be made or deleted now", 0, map[model.Kind]int{})
	now = now.Add(settled)
	look("it stays", 3, map[model.Kind]int{model.KindCertificate: 1, model.KindTrustStore: 2})
	now = now.Add(time.Hour)
	look("it is told once", 3, map[model.Kind]int{model.KindCertificate: 1, model.KindTrustStore: 2})
	if text := strings.Join(lines, "\n"); !strings.Contains(text, "arn:cert:gone") || strings.Contains(text, "kept") || strings.Contains(text, "shop/web") {
		t.Errorf("told: %s", text)
	}
	w.aws = all[:len(all)-1]
	look("one was deleted", 3, map[model.Kind]int{model.KindCertificate: 1, model.KindTrustStore: 1})
	w.aws = all
	look("it is there again", 3, map[model.Kind]int{model.KindCertificate: 1, model.KindTrustStore: 1})
	now = now.Add(settled)
	look("and stays", 4, map[model.Kind]int{model.KindCertificate: 1, model.KindTrustStore: 2})
}

func ownedBy(stack string) model.Owner {
	return model.Owner{Cluster: "c", Prefix: model.PrefixIngress, Stack: stack}
}
