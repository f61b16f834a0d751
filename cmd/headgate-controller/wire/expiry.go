package wire

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
)

// keeper keeps certificates, by the name of their load balancer.
type keeper interface {
	Certificates() map[string][]headgatev1alpha1.CertificateStatus
}

// expiry is the metric of when certificates expire, read when it is asked for.
type expiry struct {
	of   keeper
	desc *prometheus.Desc
}

// countExpiry registers the metric of when the certificates expire.
func countExpiry(registry prometheus.Registerer, of keeper) error {
	metric := expiry{of: of, desc: prometheus.NewDesc("headgate_certificate_expiry_timestamp_seconds",
		"When a certificate that is kept in ACM for a load balancer expires, in seconds since 1970.", []string{"load_balancer", "certificate"}, nil)}
	if err := registry.Register(metric); err != nil {
		return fmt.Errorf("registering the metric of certificates: %w", err)
	}
	return nil
}

// Describe gives the metric's description.
func (e expiry) Describe(to chan<- *prometheus.Desc) { to <- e.desc }

// Collect gives its values. A certificate that is not issued yet has none.
func (e expiry) Collect(to chan<- prometheus.Metric) {
	for name, all := range e.of.Certificates() {
		for _, c := range all {
			if c.NotAfter != nil {
				to <- prometheus.MustNewConstMetric(e.desc, prometheus.GaugeValue, float64(c.NotAfter.Unix()), name, c.Name)
			}
		}
	}
}
