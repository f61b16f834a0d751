package cloud_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
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

func TestPaceIsShown(t *testing.T) {
	registry := prometheus.NewRegistry()
	limits, err := cloud.CountPace(registry)
	if err != nil {
		t.Fatal(err)
	}
	client, err := cloud.New(t.Context(), cloud.Options{
		AWSConfig: &aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")},
		Transport: refusing{}, VPC: "vpc-1", Cluster: "c1", Attempts: 1, Limits: limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Health(t.Context(), "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/a/1"); err == nil {
		t.Fatal("the call passed")
	}
	found, err := registry.Gather()
	if err != nil || len(found) != 2 {
		t.Fatalf("found %v, %v", found, err)
	}
	var got []string
	for _, family := range found {
		for _, m := range family.GetMetric() {
			words := []string{family.GetName()}
			for _, l := range m.GetLabel() {
				words = append(words, l.GetValue())
			}
			if family.GetName() == "headgate_aws_api_rate" && m.GetGauge().GetValue() >= 100 {
				t.Errorf("AWS refused a call, and the pace is %v", m.GetGauge().GetValue())
			}
			got = append(got, strings.Join(words, " "))
		}
	}
	const kind = " Elastic Load Balancing v2 reads"
	waiting := "headgate_aws_api_waiting" + kind
	want := []string{"headgate_aws_api_rate" + kind, waiting + " background", waiting + " deregister", waiting + " edit", waiting + " register"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// refusing answers that there were too many calls.
type refusing struct{}

func (refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader("<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>")),
	}, nil
}
