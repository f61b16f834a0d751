package stack_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
)

// TestQuotasAreShown: what a load balancer uses of each quota, as AWS counts it, and over a restart without a look at AWS.
func TestQuotasAreShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const arn = "arn:aws:acm:eu-west-1:1:certificate/"
	req := request(member("a", secure(arn+"c", arn+"d", arn+"e")), member("b"), member("c"))
	w.settle(req)
	groups := w.aws.stacks[owner()].TargetGroups
	w.health(groups[0].ARN, "healthy", "healthy", "draining")
	w.health(groups[1].ARN, "initial")
	use := func(name string, used, quota int32) headgatev1alpha1.QuotaUsage {
		return headgatev1alpha1.QuotaUsage{Name: name, Used: used, Quota: quota}
	}
	want := []headgatev1alpha1.QuotaUsage{
		use(model.QuotaListeners, 2, 50), use(model.QuotaCertificates, 2, 25), use(model.QuotaGroupsPerBalancer, 3, 100),
		use(model.QuotaTargets, 3, 1000), use(model.QuotaTargetsPerGroup, 2, 1000),
	}
	if diff := cmp.Diff(want, w.page().Status.Quotas); diff != "" {
		t.Error(diff)
	}
	w.restart()
	w.quiet("it is written down", func() { w.run(req) })
	if diff := cmp.Diff(want, w.page().Status.Quotas); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
}
