package main

import (
	"bytes"
	"strings"
	"testing"

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
		build = build.WithObjects(lb)
	}
	return build.Build()
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
