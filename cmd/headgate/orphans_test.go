package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
)

// kept is an account in memory that says whose its stacks are.
type kept struct {
	*preview.Account

	unused []model.OwnCertificate
}

func (k kept) Owners(context.Context) ([]model.Owner, error) {
	var out []model.Owner
	for _, s := range k.Stacks() {
		out = append(out, s.Owner)
	}
	return out, nil
}

func (k kept) Unused(context.Context) ([]model.OwnCertificate, error) { return k.unused, nil }

func ownedBy(prefix, name string) model.Owner {
	return model.Owner{Cluster: "c", Prefix: prefix, Stack: name}
}

// balanced is a stack with a load balancer and a target group that it uses, and others as well.
func balanced(owner model.Owner, others ...model.ARN) model.Stack {
	arn := model.ARN("arn:lb:" + owner.String())
	return model.Stack{
		Owner:        owner,
		LoadBalancer: &model.LoadBalancer{ID: "LoadBalancer", ARN: arn, Name: "lb", Type: "application", Scheme: "internal", State: "active"},
		TargetGroups: []model.TargetGroup{{ID: "g", ARN: "arn:g:" + arn, Name: "g", LoadBalancers: append([]model.ARN{arn}, others...)}},
	}
}

// TestOrphansOfAnotherCluster: what is not meant stays.
func TestOrphansOfAnotherCluster(t *testing.T) {
	t.Parallel()
	scheme, err := manifests.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	state := &headgatev1alpha1.StackState{}
	state.Name, state.Spec.Owner = "s", "c "+ownedBy(model.PrefixGatewayALB, "infra/edge").String()
	other := state.DeepCopy()
	other.Spec.Owner = "d" + state.Spec.Owner[1:]
	for _, row := range []struct {
		why        string
		remembered *headgatev1alpha1.StackState
		answer     string
		yes        bool
		left       int
		says       string
	}{
		{"the cluster remembers stacks of another name only", other, "y\n", false, 1, "another cluster"},
		{"that, and the user insists", other, "", true, 0, ""},
		{"the cluster remembers stacks of that name, and the user says no", state, "n\n", false, 1, "nothing was deleted"},
		{"no answer is a no", state, "", false, 1, "nothing was deleted"},
		{"the user says yes", state, "y\n", false, 0, ""},
	} {
		aws, out := kept{Account: preview.NewAccount(model.Facts{}, balanced(ownedBy(model.PrefixIngress, "shop/gone")))}, &bytes.Buffer{}
		aws.Cut = -1
		objects := fake.NewClientBuilder().WithScheme(scheme).WithObjects(row.remembered.DeepCopy()).Build()
		o := orphanage{cluster: "c", objects: objects, aws: aws, in: strings.NewReader(row.answer), out: out, delete: true, yes: row.yes}
		err := o.run(t.Context())
		if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.why, err, row.says)
		}
		left := 0
		for _, s := range aws.Stacks() {
			if s.LoadBalancer != nil {
				left++
			}
		}
		if left != row.left {
			t.Errorf("invariant 5: %s: %d load balancers are left, want %d", row.why, left, row.left)
		}
	}
}

// TestOrphanThatSomebodyWantsNow (invariant 5): what is taken up while the question stands is not deleted.
func TestOrphanThatSomebodyWantsNow(t *testing.T) {
	t.Parallel()
	scheme, err := manifests.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	state := &headgatev1alpha1.StackState{}
	state.Name, state.Spec.Owner = "s", "c "+ownedBy(model.PrefixGatewayALB, "infra/edge").String()
	objects := fake.NewClientBuilder().WithScheme(scheme).WithObjects(state).Build()
	taken, gone := ownedBy(model.PrefixIngress, "shop/taken"), ownedBy(model.PrefixIngress, "shop/gone")
	aws, out := kept{Account: preview.NewAccount(model.Facts{}, balanced(taken), balanced(gone))}, &bytes.Buffer{}
	aws.Cut = -1
	ing := &networkingv1.Ingress{}
	ing.Namespace, ing.Name = "shop", "taken"
	answer := asked(func() string {
		if err := objects.Create(t.Context(), ing); err != nil {
			t.Fatal(err)
		}
		return "y\n"
	})
	o := orphanage{cluster: "c", objects: objects, aws: aws, in: answer, out: out, delete: true}
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range aws.Stacks() {
		if there := s.LoadBalancer != nil; there != (s.Owner == taken) {
			t.Errorf("%s: there is a load balancer: %v; it said %s", s.Owner, there, out)
		}
	}
	if !strings.Contains(out.String(), "kept "+taken.String()) {
		t.Errorf("it said %s", out)
	}
}

// asked is somebody who does something before the answer.
type asked func() string

func (a asked) Read(p []byte) (int, error) { return copy(p, a()), io.EOF }

func TestOrphans(t *testing.T) {
	t.Parallel()
	scheme, err := manifests.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	ing := &networkingv1.Ingress{}
	ing.Namespace, ing.Name, ing.Finalizers = "shop", "web", []string{"group.ingress.k8s.aws/left"}
	ing.Annotations = map[string]string{"alb.ingress.kubernetes.io/group.name": "shop"}
	state := &headgatev1alpha1.StackState{}
	state.Name, state.Spec.Owner = "s", "c "+ownedBy(model.PrefixGatewayALB, "infra/edge").String()
	objects := fake.NewClientBuilder().WithScheme(scheme).WithObjects(ing, state).Build()
	wanted := []model.Owner{
		ownedBy(model.PrefixIngress, "shop/web"), ownedBy(model.PrefixIngress, "shop"), ownedBy(model.PrefixIngress, "left"),
		ownedBy(model.PrefixGatewayALB, "infra/edge"),
	}
	orphan, used := ownedBy(model.PrefixIngress, "shop/gone"), ownedBy(model.PrefixGatewayALB, "infra/gone")
	stacks := []model.Stack{balanced(orphan), balanced(used, "arn:somebody-else")}
	for _, owner := range wanted {
		stacks = append(stacks, balanced(owner))
	}
	for _, deletes := range []bool{false, true} {
		aws, out := kept{Account: preview.NewAccount(model.Facts{}, stacks...)}, &bytes.Buffer{}
		aws.Cut = -1
		o := orphanage{cluster: "c", objects: objects, aws: aws, in: strings.NewReader("y\n"), out: out, delete: deletes}
		if err := o.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); !strings.Contains(text, "# "+orphan.String()) || !strings.Contains(text, "DeleteLoadBalancer") ||
			!strings.Contains(text, "kept: arn:somebody-else") || strings.Contains(text, "shop/web") {
			t.Errorf("printed: %s", text)
		}
		left := map[model.Owner]bool{}
		for _, s := range aws.Stacks() {
			left[s.Owner] = s.LoadBalancer != nil
		}
		if left[orphan] == deletes || !left[used] {
			t.Errorf("invariant 5: --delete=%v, left: %v", deletes, left)
		}
		for _, owner := range wanted {
			if !left[owner] {
				t.Errorf("invariant 5: %s is wanted, and deleted", owner)
			}
		}
	}
}
