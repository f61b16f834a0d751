package wire

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/model"
)

// away is AWS out of reach.
type away struct{ calls atomic.Int32 }

func (a *away) RoundTrip(*http.Request) (*http.Response, error) {
	a.calls.Add(1)
	return nil, errors.New("connection reset by peer")
}

func TestNoRetriesMeansOneAttempt(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_CA_BUNDLE": "",
	} {
		t.Setenv(name, value)
	}
	for retries, want := range map[int]int32{0: 1, 1: 2} {
		aws := &away{}
		client, err := newCloud(t.Context(), Settings{
			Cluster: "c1", Region: "eu-west-1", VPC: "vpc-1", MaxRetries: retries, Transport: aws, MetricsAddr: "0",
		}, nil, &term{now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		group := model.ARN("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web/1")
		if _, err := client.Health(t.Context(), group); err == nil || !strings.Contains(err.Error(), "reset") {
			t.Fatal(err)
		}
		if got := aws.calls.Load(); got != want {
			t.Errorf("--aws-max-retries=%d: AWS was asked %d times, want %d", retries, got, want)
		}
	}
}
