package cloud_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headgate/headgate/cloud"
)

func TestCallsAreCounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	observe, err := cloud.CountCalls(registry)
	if err != nil {
		t.Fatal(err)
	}
	observe("EC2", "DescribeVpcs", "", time.Second)
	observe("EC2", "DescribeVpcs", "", time.Second)
	observe("EC2", "DescribeVpcs", "RequestLimitExceeded", time.Second)
	found, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range found {
		for _, m := range family.GetMetric() {
			code := ""
			for _, l := range m.GetLabel() {
				if l.GetName() == "code" {
					code = l.GetValue()
				}
			}
			if c := m.GetCounter(); c != nil {
				got[family.GetName()+"/"+code] = c.GetValue()
			}
		}
	}
	if got["headgate_aws_api_calls_total/"] != 2 || got["headgate_aws_api_calls_total/RequestLimitExceeded"] != 1 {
		t.Errorf("counted %v", got)
	}
	if _, err := cloud.CountCalls(registry); err == nil {
		t.Error("the same metrics were registered twice")
	}
}
