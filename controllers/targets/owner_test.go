package targets

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

func TestTwoBindingsOfOneTargetGroup(t *testing.T) {
	t.Parallel()
	elsewhere := func(b *elbv2v1beta1.TargetGroupBinding) {
		younger(b)
		b.Spec.ServiceRef.Name = "none"
	}
	byName := func(b *elbv2v1beta1.TargetGroupBinding) {
		elsewhere(b)
		b.Spec.TargetGroupARN, b.Spec.TargetGroupName = "", "web"
	}
	for why, second := range map[string]func(*elbv2v1beta1.TargetGroupBinding){"by its ARN": elsewhere, "by its name": byName} {
		// The second comes first in the alphabet.
		w := newWorld(t, service(), binding("web"), binding("a", second))
		w.endpoints("10.0.0.1")
		w.reconcile("web")
		for range 2 {
			if _, calls := w.reconcile("a"); len(calls) > 0 || len(w.notes.all) != 1 || !strings.Contains(w.notes.all[0], "TargetGroupTaken") {
				t.Errorf("%s: the second took the targets of the first out: %v, %v", why, calls, w.notes.all)
			}
			w.restart() // and then it is looked at first
		}
		w.remove("web")
		w.reconcile("a")
		if got := w.aws.registered(); len(got) > 0 {
			t.Errorf("%s: once the first is gone the second has the group: %v", why, got)
		}
	}
}

func TestBindingOfAStackComesBeforeAUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("user"), binding("web", made, younger))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	if _, calls := w.reconcile("user"); len(calls) > 0 || len(w.notes.all) != 1 || !strings.Contains(w.notes.all[0], "TargetGroupTaken") {
		t.Errorf("invariant 3: a user took the targets of a stack: %v, %v", calls, w.notes.all)
	}
}

// TestLabelsAloneMakeNoBindingOfAStack: users can write them.
func TestLabelsAloneMakeNoBindingOfAStack(t *testing.T) {
	t.Parallel()
	nobody := func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.ServiceRef.Name = "none" }
	late := func(b *elbv2v1beta1.TargetGroupBinding) {
		b.CreationTimestamp = metav1.NewTime(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	}
	for why, forged := range map[string]*elbv2v1beta1.TargetGroupBinding{
		"another name, and older": binding("a", made, nobody),
		"the name, in another namespace": binding("web", made, nobody, late, func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Namespace, b.UID = "evil", "evil"
		}),
	} {
		w := newWorld(t, service(), binding("web", made, younger), forged)
		w.endpoints("10.0.0.1")
		key := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(forged)}
		look := func() {
			if _, err := w.Reconcile(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		w.reconcile("web")
		for range 2 {
			look()
			if got := w.aws.registered(); len(got) != 1 || len(w.notes.all) != 1 || !strings.Contains(w.notes.all[0], "TargetGroupTaken") {
				t.Errorf("invariant 3: %s: the targets are %v, told %v", why, got, w.notes.all)
			}
			w.restart() // and then it is looked at first
		}
		if err := w.api.Delete(t.Context(), forged); err != nil {
			t.Fatal(err)
		}
		look()
		if got := w.aws.registered(); len(got) != 1 {
			t.Errorf("invariant 3: %s: it is deleted, and the targets are %v", why, got)
		}
	}
}

func TestBindingThatNamesAnotherGroupMovesItsTargets(t *testing.T) {
	t.Parallel()
	const other = model.ARN("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/other/1")
	w := newWorld(t, service(), binding("web"))
	w.aws.groups[other] = map[model.Target]string{}
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	b := w.binding("web")
	b.Spec.TargetGroupARN = string(other)
	if err := w.api.Update(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	_, calls := w.reconcile("web")
	if diff := cmp.Diff([]string{"deregister", "health", "register"}, calls); diff != "" {
		t.Error(diff)
	}
	if len(w.aws.groups[other]) != 1 || len(w.aws.registered()) > 0 {
		t.Errorf("invariant 2: the new group has %v, the old one %v", w.aws.groups[other], w.aws.registered())
	}
	if _, calls := w.reconcile("web"); len(calls) > 0 {
		t.Errorf("invariant 1: once more made %v", calls)
	}
}

func admits(b *elbv2v1beta1.TargetGroupBinding) {
	port := intstr.FromInt32(8080)
	b.Spec.Networking = &elbv2v1beta1.TargetGroupBindingNetworking{Ingress: []elbv2v1beta1.NetworkingIngressRule{{
		From:  []elbv2v1beta1.NetworkingPeer{{SecurityGroup: &elbv2v1beta1.SecurityGroup{GroupID: "sg-1"}}},
		Ports: []elbv2v1beta1.NetworkingPort{{Port: &port}},
	}}}
}

func TestMistakeKeepsTheTargetsReachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", admits))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	b := w.binding("web")
	b.Spec.ServiceRef.Port = intstr.FromInt32(81)
	if err := w.api.Update(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.reconcile("web")
	if ok, err := w.Heard(t.Context()); !ok || err != nil {
		t.Errorf("invariant 3: one mistake keeps the rules of all from being revoked: %v, %v", ok, err)
	}
	if got := w.admitted(); !slices.Equal(got, []string{"10.0.0.1"}) {
		t.Errorf("invariant 3: the targets stay, and traffic is admitted to %v", got)
	}
}

func TestNetworkIsToldOfTheVPCsAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", admits))
	w.endpoints("10.0.0.1", "192.168.0.1")
	w.reconcile("web")
	if got := w.admitted(); !slices.Equal(got, []string{"10.0.0.1"}) {
		t.Errorf("no security group is there for a peered address, and traffic is admitted to %v", got)
	}
}
