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
