package wire

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// progress counts what the operator does.
type progress struct {
	changes   *prometheus.CounterVec
	size      prometheus.Histogram
	drift     prometheus.Counter
	inService prometheus.Histogram
	held      *prometheus.GaugeVec
	orphans   *prometheus.GaugeVec
}

// countProgress registers the metrics of plans and targets.
func countProgress(registry prometheus.Registerer) (progress, error) {
	p := progress{
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headgate_plan_changes_total", Help: "Changes of plans that were begun, by the AWS operation.",
		}, []string{"operation"}),
		size: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "headgate_plan_changes", Help: "How many changes a plan that was begun has.", Buckets: prometheus.ExponentialBuckets(1, 3, 7),
		}),
		drift: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headgate_drift_total", Help: "Plans for what AWS did not hold any more although nobody asked for a change.",
		}),
		inService: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "headgate_targets_in_service_seconds",
			Help:    "Time from a change of a group's targets until all were seen healthy; the looks are seconds apart.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "headgate_targets_held", Help: "Targets that stay registered although their endpoints are gone, for their pods run: they wait for approval.",
		}, []string{"binding"}),
		orphans: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "headgate_orphans", Help: "What AWS holds with the cluster's ownership tags and nobody in the cluster wants, as far as it is known, by kind.",
		}, []string{"kind"}),
	}
	for _, one := range []prometheus.Collector{p.changes, p.size, p.drift, p.inService, p.held, p.orphans} {
		if err := registry.Register(one); err != nil {
			return progress{}, fmt.Errorf("registering the metrics of plans: %w", err)
		}
	}
	return p, nil
}

// plan counts one that is begun.
func (p progress) plan(begun plan.Plan, drift bool) {
	p.size.Observe(float64(len(begun.Changes)))
	for _, c := range begun.Changes {
		p.changes.WithLabelValues(string(c.Op)).Inc()
	}
	if drift {
		p.drift.Inc()
	}
}

// serving takes how long targets took.
func (p progress) serving(took time.Duration) { p.inService.Observe(took.Seconds()) }

// orphaned takes how many orphans of a kind there are.
func (p progress) orphaned(kind model.Kind, orphans int) {
	p.orphans.WithLabelValues(string(kind)).Set(float64(orphans))
}

// pausing takes how many targets of a binding are held.
func (p progress) pausing(binding string, targets int) {
	if targets == 0 {
		p.held.DeleteLabelValues(binding)
		return
	}
	p.held.WithLabelValues(binding).Set(float64(targets))
}

// fleet is what the LoadBalancer objects say, read from the cache when it is asked for, and what the region has.
type fleet struct {
	of                          client.Reader
	region                      func() []model.QuotaUse
	used, limit, targets        *prometheus.Desc
	condition, member, retrying *prometheus.Desc
}

// readTime bounds how long one reading of the fleet may take.
const readTime = 5 * time.Second

// countFleet registers the metrics of load balancers. What region says of quotas is of no load balancer.
func countFleet(registry prometheus.Registerer, of client.Reader, region func() []model.QuotaUse) error {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append([]string{"load_balancer"}, labels...), nil)
	}
	err := registry.Register(fleet{
		of:        of,
		region:    region,
		used:      desc("headgate_quota_used", "How much of a quota of AWS a load balancer uses, or the region where none is named.", "quota"),
		limit:     desc("headgate_quota_limit", "How much AWS allows of it, as far as that is known.", "quota"),
		targets:   desc("headgate_load_balancer_targets", "Targets of a load balancer by the state that was seen last.", "state"),
		condition: desc("headgate_load_balancer_condition", "1 where a condition of a LoadBalancer is True, 0 where it is not.", "condition", "reason"),
		member:    desc("headgate_load_balancer_members", "Members of a load balancer by whether all is served as it is written.", "ready"),
		retrying:  desc("headgate_load_balancer_refused_timestamp_seconds", "Since when AWS refuses something, in seconds since 1970.", "code"),
	})
	if err != nil {
		return fmt.Errorf("registering the metrics of load balancers: %w", err)
	}
	return nil
}

// Describe gives the metrics' descriptions.
func (f fleet) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{f.used, f.limit, f.targets, f.condition, f.member, f.retrying} {
		to <- d
	}
}

// Collect gives their values; none while the objects cannot be read.
func (f fleet) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	var list headgatev1alpha1.LoadBalancerList
	if err := f.of.List(ctx, &list); err != nil {
		to <- prometheus.NewInvalidMetric(f.condition, fmt.Errorf("listing LoadBalancers: %w", err))
		return
	}
	for i := range list.Items {
		f.one(to, list.Items[i].Name, &list.Items[i].Status)
		f.quotas(to, list.Items[i].Name, usesOf(&list.Items[i].Status))
	}
	f.quotas(to, "", f.region())
}

// usesOf are the quotas that a load balancer meets.
func usesOf(s *headgatev1alpha1.LoadBalancerStatus) []model.QuotaUse {
	var out []model.QuotaUse
	if s.Rules != nil {
		out = append(out, model.QuotaUse{Name: model.QuotaRules, Used: int(s.Rules.Used), Limit: int(s.Rules.Quota)})
	}
	for _, q := range s.Quotas {
		out = append(out, model.QuotaUse{Name: q.Name, Used: int(q.Used), Limit: int(q.Quota)})
	}
	return out
}

func (f fleet) quotas(to chan<- prometheus.Metric, name string, all []model.QuotaUse) {
	for _, q := range all {
		to <- prometheus.MustNewConstMetric(f.used, prometheus.GaugeValue, float64(q.Used), name, q.Name)
		to <- prometheus.MustNewConstMetric(f.limit, prometheus.GaugeValue, float64(q.Limit), name, q.Name)
	}
}

func (f fleet) one(to chan<- prometheus.Metric, name string, s *headgatev1alpha1.LoadBalancerStatus) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{name}, labels...)...)
	}
	states := map[string]int32{}
	for _, t := range s.Targets {
		for state, n := range t.States {
			states[state] += n
		}
	}
	for state, n := range states {
		gauge(f.targets, float64(n), state)
	}
	for _, c := range s.Conditions {
		gauge(f.condition, truth(c.Status), c.Type, c.Reason)
	}
	members := map[string]int{"true": 0, "false": 0}
	for _, m := range s.Members {
		ready := "false"
		if meta.IsStatusConditionTrue(m.Conditions, headgatev1alpha1.ConditionReady) {
			ready = "true"
		}
		members[ready]++
	}
	for ready, n := range members {
		gauge(f.member, float64(n), ready)
	}
	if s.LastError != nil {
		gauge(f.retrying, float64(s.LastError.At.Unix()), s.LastError.Code)
	}
}

func truth(status metav1.ConditionStatus) float64 {
	if status == metav1.ConditionTrue {
		return 1
	}
	return 0
}
