package wire

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
)

type shelf map[string][]headgatev1alpha1.CertificateStatus

func (s shelf) Certificates() map[string][]headgatev1alpha1.CertificateStatus { return s }

func TestExpiryIsMeasuredWhereItIsKnown(t *testing.T) {
	t.Parallel()
	end := metav1.NewTime(time.Unix(1_900_000_000, 0))
	registry := prometheus.NewRegistry()
	if err := countExpiry(registry, shelf{"k8s-shop": {{Name: "imported/shop/web", NotAfter: &end}, {Name: "amazon_issued/new"}}}); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || len(families[0].GetMetric()) != 1 {
		t.Fatalf("got %v, %v; want one value", families, err)
	}
	value := families[0].GetMetric()[0]
	if got := value.GetGauge().GetValue(); got != 1_900_000_000 {
		t.Errorf("it expires at %f", got)
	}
	if labels := value.GetLabel(); labels[0].GetValue() != "imported/shop/web" || labels[1].GetValue() != "k8s-shop" {
		t.Errorf("it is of %v", labels)
	}
}
