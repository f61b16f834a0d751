package main

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/manifests"
)

// pages are LoadBalancers of which the first two are for shop/web; a plan waits for the first and the last.
func pages(t *testing.T) client.Client {
	t.Helper()
	scheme, err := manifests.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	build := fake.NewClientBuilder().WithScheme(scheme)
	for _, p := range []struct{ name, source, hash string }{
		{"lb-web", "web", "0123"}, {"lb-other", "web", ""}, {"lb-idle", "idle", ""}, {"lb-cart", "cart", "4567"},
	} {
		lb := &headgatev1alpha1.LoadBalancer{}
		lb.Name = p.name
		lb.Status.Sources = []headgatev1alpha1.ObjectReference{{Kind: "Ingress", Namespace: "shop", Name: p.source}}
		if p.hash != "" {
			lb.Status.PendingPlan = &headgatev1alpha1.PendingPlan{Hash: p.hash, Text: "+ LoadBalancer/LoadBalancer\n"}
		}
		lb.Status.Conditions = []metav1.Condition{{Type: "PlanApproved", Status: "False", Reason: "WaitingForApproval"}}
		build = build.WithObjects(lb)
	}
	return build.Build()
}

// TestApproveShowsAll: the whole of a long plan is printed; one that the object does not hold as a whole is approved by its hash only.
func TestApproveShowsAll(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("+ Rule/first\n+ Rule/last\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("+ Rule/one of many\n", 500)
	for _, row := range []struct {
		why, hash string
		plan      headgatev1alpha1.PendingPlan
		says      string
		done      bool
	}{
		{"the whole plan", "", headgatev1alpha1.PendingPlan{Hash: "1", Text: "+ Rule/first\n…", Whole: packed.Bytes()}, "+ Rule/last\n", true},
		{"a part of it", "", headgatev1alpha1.PendingPlan{Hash: "1", Text: long}, "headgate plan --kubeconfig", false},
		{"a part of it, by who has seen all", "1", headgatev1alpha1.PendingPlan{Hash: "1", Text: long}, "approved 1", true},
		{"one that cannot be read", "", headgatev1alpha1.PendingPlan{Hash: "1", Text: "+", Whole: []byte("no")}, "decompressing", false},
	} {
		c, out := pages(t), &bytes.Buffer{}
		lb := &headgatev1alpha1.LoadBalancer{}
		if err := c.Get(t.Context(), client.ObjectKey{Name: "lb-idle"}, lb); err != nil {
			t.Fatal(err)
		}
		lb.Status.PendingPlan = &row.plan
		if err := c.Update(t.Context(), lb); err != nil {
			t.Fatal(err)
		}
		err := approval{client: c, in: strings.NewReader("y\n"), out: out, hash: row.hash}.approve(t.Context(), "lb-idle")
		text := out.String()
		if err != nil {
			text += err.Error()
		}
		if !strings.Contains(text, row.says) || (err == nil) != row.done {
			t.Errorf("%s: says %q (%v), want %q", row.why, text, err, row.says)
		}
	}
}

// TestApproveWhereItDoesNothing: who approves what no approval moves is told so.
func TestApproveWhereItDoesNothing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why        string
		conditions []metav1.Condition
		says       string
	}{
		{"plans are only shown", []metav1.Condition{{Type: "PlanApproved", Status: "False", Reason: "ObservedOnly"}}, "Observe no approval counts"},
		{"it was approved", []metav1.Condition{{Type: "PlanApproved", Status: "True", Reason: "Approved"}}, "waits for nobody"},
		{"it waits for AWS", []metav1.Condition{{Type: "Programmed", Status: "False", Reason: "Waiting"}}, "waits for nobody"},
	} {
		c, out := pages(t), &bytes.Buffer{}
		lb := &headgatev1alpha1.LoadBalancer{}
		if err := c.Get(t.Context(), client.ObjectKey{Name: "lb-cart"}, lb); err != nil {
			t.Fatal(err)
		}
		lb.Status.Conditions = row.conditions
		if err := c.Update(t.Context(), lb); err != nil {
			t.Fatal(err)
		}
		err := approval{client: c, in: strings.NewReader("y\n"), out: out, yes: true}.approve(t.Context(), "lb-cart")
		if err == nil || !strings.Contains(err.Error(), row.says) || !strings.Contains(out.String(), "+ LoadBalancer") {
			t.Errorf("%s: %v after %q, want %q after the plan", row.why, err, out, row.says)
		}
		if err := c.Get(t.Context(), client.ObjectKey{Name: "lb-cart"}, lb); err != nil || lb.Spec.ApprovedPlan != "" {
			t.Errorf("%s: approved %q, %v", row.why, lb.Spec.ApprovedPlan, err)
		}
	}
}

func TestApprove(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, name, hash, answer string
		yes                     bool
		want, says              string
	}{
		{why: "by the object, asked", name: "shop/cart", answer: "y\n", want: "4567", says: "+ LoadBalancer"},
		{why: "by the name, not asked", name: "lb-web", yes: true, want: "0123", says: "approved 0123"},
		{why: "the plan that was looked at", name: "shop/cart", hash: "4567", want: "4567"},
		{why: "another plan than the one that was looked at", name: "shop/cart", hash: "0123", says: "the plan that waits is 4567"},
		{why: "no", name: "shop/cart", answer: "n\n", says: "nothing was approved"},
		{why: "no answer is a no", name: "shop/cart", says: "nothing was approved"},
		{why: "nothing waits", name: "shop/idle", yes: true, says: "no plan waits"},
		{why: "two are for it", name: "shop/web", yes: true, says: "lb-other, lb-web"},
		{why: "none is for it", name: "shop/none", yes: true, says: "no LoadBalancer is for shop/none"},
		{why: "no such name", name: "none", yes: true, says: "namespace/name"},
	} {
		c, out := pages(t), &bytes.Buffer{}
		err := approval{client: c, in: strings.NewReader(row.answer), out: out, hash: row.hash, yes: row.yes}.approve(t.Context(), row.name)
		text := out.String()
		if err != nil {
			text += err.Error()
		}
		if !strings.Contains(text, row.says) {
			t.Errorf("%s: says %q, want %q in it", row.why, text, row.says)
		}
		var list headgatev1alpha1.LoadBalancerList
		if err := c.List(t.Context(), &list); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, lb := range list.Items {
			all = append(all, lb.Spec.ApprovedPlan)
		}
		if got := strings.Join(all, ""); got != row.want || (err == nil) != (row.want != "") {
			t.Errorf("%s: approved %q, want %q; %v", row.why, got, row.want, err)
		}
	}
}
