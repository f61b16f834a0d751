package cloud

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headgate/headgate/cloud/call"
)

// CountCalls registers counters of AWS calls and gives the observer that feeds them, for [Options.OnCall].
func CountCalls(registry prometheus.Registerer) (call.Observer, error) {
	labels := []string{"service", "operation", "code"}
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headgate_aws_api_calls_total", Help: "Attempts of AWS API calls by service, operation and AWS's error code, empty for success.",
	}, labels)
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "headgate_aws_api_call_seconds", Help: "How long attempts of AWS API calls took.",
		Buckets: prometheus.ExponentialBuckets(0.01, 3, 8),
	}, labels[:2])
	for _, one := range []prometheus.Collector{calls, seconds} {
		if err := registry.Register(one); err != nil {
			return nil, fmt.Errorf("registering AWS metrics: %w", err)
		}
	}
	return func(service, operation, code string, took time.Duration) {
		calls.WithLabelValues(service, operation, code).Inc()
		seconds.WithLabelValues(service, operation).Observe(took.Seconds())
	}, nil
}

// pace is the metric of where the calls to AWS stand, read when it is asked for.
type pace struct {
	limits        *call.Limits
	rate, waiting *prometheus.Desc
}

// CountPace registers the metrics of how fast calls are made and how many wait, and gives the limits that they show, for [Options.Limits].
func CountPace(registry prometheus.Registerer) (*call.Limits, error) {
	limits := call.NewLimits(nil)
	err := registry.Register(pace{
		limits: limits,
		rate: prometheus.NewDesc("headgate_aws_api_rate",
			"How many calls a second are made at most, by service and kind: what AWS's refusals left.", []string{"calls"}, nil),
		waiting: prometheus.NewDesc("headgate_aws_api_waiting", "AWS calls that wait for their turn, by service and kind, and by lane.",
			[]string{"calls", "lane"}, nil),
	})
	if err != nil {
		return nil, fmt.Errorf("registering the metrics of the pace: %w", err)
	}
	return limits, nil
}

// Describe gives the metrics' descriptions.
func (p pace) Describe(to chan<- *prometheus.Desc) {
	to <- p.rate
	to <- p.waiting
}

// Collect gives their values.
func (p pace) Collect(to chan<- prometheus.Metric) {
	for _, one := range p.limits.Paces() {
		to <- prometheus.MustNewConstMetric(p.rate, prometheus.GaugeValue, one.Rate, one.Of)
		for lane, n := range one.Waiting {
			to <- prometheus.MustNewConstMetric(p.waiting, prometheus.GaugeValue, float64(n), one.Of, call.Lane(lane).String())
		}
	}
}
