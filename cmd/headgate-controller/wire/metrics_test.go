package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// values are all that a registry shows, as name{label=value,…} value.
func values(t *testing.T, registry *prometheus.Registry) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := []string{family.GetName()}
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			value := m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetHistogram().GetSampleSum()
			out = append(out, fmt.Sprintf("%s: %v", strings.Join(labels, " "), value))
		}
	}
	slices.Sort(out)
	return out
}

func TestFleetIsMeasured(t *testing.T) {
	t.Parallel()
	condition := func(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason}
	}
	object := &headgatev1alpha1.LoadBalancer{ObjectMeta: metav1.ObjectMeta{Name: "k8s-shop"}}
	object.Status = headgatev1alpha1.LoadBalancerStatus{
		Rules:      &headgatev1alpha1.RuleUsage{Used: 3, Quota: 100},
		Quotas:     []headgatev1alpha1.QuotaUsage{{Name: model.QuotaTargets, Used: 4, Quota: 1000}},
		Targets:    []headgatev1alpha1.TargetGroupStatus{{Name: "a", States: map[string]int32{"healthy": 2}}, {Name: "b", States: map[string]int32{"healthy": 1, "initial": 1}}},
		Conditions: []metav1.Condition{condition("Programmed", "True", "Programmed"), condition("Ready", "False", "TargetsUnhealthy")},
		Members: []headgatev1alpha1.MemberStatus{
			{Conditions: []metav1.Condition{condition("Ready", "True", "Served")}}, {Conditions: []metav1.Condition{condition("Ready", "False", "InvalidAnnotation")}}, {},
		},
		LastError: &headgatev1alpha1.LastError{Code: "AccessDenied", At: metav1.NewTime(time.Unix(1_900_000_000, 0))},
	}
	scheme := runtime.NewScheme()
	if err := headgatev1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	region := func() []model.QuotaUse {
		return []model.QuotaUse{{Name: model.QuotaTargetGroups, Used: 2900, Limit: 3000}}
	}
	if err := countFleet(registry, fake.NewClientBuilder().WithScheme(scheme).WithObjects(object).Build(), region); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"headgate_load_balancer_condition condition=Programmed load_balancer=k8s-shop reason=Programmed: 1",
		"headgate_load_balancer_condition condition=Ready load_balancer=k8s-shop reason=TargetsUnhealthy: 0",
		"headgate_load_balancer_members load_balancer=k8s-shop ready=false: 2",
		"headgate_load_balancer_members load_balancer=k8s-shop ready=true: 1",
		"headgate_load_balancer_refused_timestamp_seconds code=AccessDenied load_balancer=k8s-shop: 1.9e+09",
		"headgate_load_balancer_targets load_balancer=k8s-shop state=healthy: 3",
		"headgate_load_balancer_targets load_balancer=k8s-shop state=initial: 1",
		"headgate_quota_limit load_balancer= quota=target-groups: 3000",
		"headgate_quota_limit load_balancer=k8s-shop quota=rules-per-application-load-balancer: 100",
		"headgate_quota_limit load_balancer=k8s-shop quota=targets-per-application-load-balancer: 1000",
		"headgate_quota_used load_balancer= quota=target-groups: 2900",
		"headgate_quota_used load_balancer=k8s-shop quota=rules-per-application-load-balancer: 3",
		"headgate_quota_used load_balancer=k8s-shop quota=targets-per-application-load-balancer: 4",
	}
	if diff := cmp.Diff(want, values(t, registry)); diff != "" {
		t.Error(diff)
	}
}

func TestProgressIsMeasured(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	did, err := countProgress(registry)
	if err != nil {
		t.Fatal(err)
	}
	did.plan(plan.Plan{Changes: []plan.Change{{Op: plan.CreateRule}, {Op: plan.CreateRule}, {Op: plan.DeleteRule}}}, true)
	did.serving(12 * time.Second)
	did.orphaned(model.KindTargetGroup, 2)
	did.pausing("shop/web", 7)
	did.pausing("shop/cart", 6)
	did.pausing("shop/cart", 0)
	want := []string{
		"headgate_drift_total: 1", "headgate_orphans kind=TargetGroup: 2", "headgate_plan_changes: 3", "headgate_plan_changes_total operation=CreateRule: 2",
		"headgate_plan_changes_total operation=DeleteRule: 1", "headgate_targets_held binding=shop/web: 7",
		"headgate_targets_in_service_seconds: 12",
	}
	if diff := cmp.Diff(want, values(t, registry)); diff != "" {
		t.Error(diff)
	}
}
