package call

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/headgate/headgate/model/fault"
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func refusal(status int, code string) transport {
	return func(r *http.Request) (*http.Response, error) {
		body := "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>"
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func client(t *testing.T, w Wire, answer transport) *elasticloadbalancingv2.Client {
	t.Helper()
	return elasticloadbalancingv2.NewFromConfig(aws.Config{
		Region: "us-west-2", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		HTTPClient: &http.Client{Transport: answer}, APIOptions: []func(*middleware.Stack) error{w.Attach},
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	})
}

func TestErrorsLeaveWithTheirClass(t *testing.T) {
	broken := errors.New("connection reset")
	tests := []struct {
		name   string
		answer transport
		class  fault.Class
		code   string
		unsure bool
		why    string
	}{
		{"gone", refusal(400, "RuleNotFound"), fault.NotFound, "RuleNotFound", false, "AWS answered: nothing happened"},
		{"used", refusal(400, "ResourceInUse"), fault.InUse, "ResourceInUse", false, "passes by itself"},
		{"fast", refusal(400, "Throttling"), fault.Throttled, "Throttling", false, "a refusal for the rate has no effect"},
		{"busy", refusal(503, "RequestLimitExceeded"), fault.Throttled, "RequestLimitExceeded", false, "EC2 throttles with a server's status"},
		{"full", refusal(400, "TooManyRules"), fault.Quota, "TooManyRules", false, "a limit"},
		{"denied", refusal(403, "AccessDenied"), fault.Denied, "AccessDenied", false, "the action tells which right is missing"},
		{"taken", refusal(400, "PriorityInUse"), fault.Conflict, "PriorityInUse", false, "somebody has the priority"},
		{"bad", refusal(400, "ValidationError"), fault.Invalid, "ValidationError", false, "no model lists it, yet AWS sends it"},
		{"inside", refusal(500, "InternalFailure"), fault.Unknown, "InternalFailure", true, "AWS failed somewhere on the way"},
		{"cut", func(*http.Request) (*http.Response, error) { return nil, broken }, fault.Unknown, NoAnswer, true, "the request may have arrived"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen []string
			w := Wire{Limits: NewLimits(newClock()), OnCall: func(service, operation, code string, _ time.Duration) {
				seen = append(seen, service+" "+operation+" "+code)
			}}
			_, err := client(t, w, tt.answer).DeleteRule(t.Context(), &elasticloadbalancingv2.DeleteRuleInput{RuleArn: aws.String("r")})
			got := fault.All(err)
			if len(got) != 1 {
				t.Fatalf("%v holds %d classed errors, want 1", err, len(got))
			}
			if got[0].Class != tt.class || got[0].Code != tt.code || got[0].Action != "elasticloadbalancing:DeleteRule" {
				t.Errorf("class %s, code %s, action %s; want %s, %s: %s", got[0].Class, got[0].Code, got[0].Action, tt.class, tt.code, tt.why)
			}
			if Unsure(err) != tt.unsure {
				t.Errorf("unsure is %v, want %v: %s", Unsure(err), tt.unsure, tt.why)
			}
			if want := "Elastic Load Balancing v2 DeleteRule " + tt.code; len(seen) == 0 || seen[len(seen)-1] != want {
				t.Errorf("the observer was told %q, want %q last", seen, want)
			}
		})
	}
}

func TestThrottledAnswersSlowTheService(t *testing.T) {
	limits := NewLimits(newClock())
	api := client(t, Wire{Limits: limits}, refusal(400, "Throttling"))
	if _, err := api.DeleteRule(t.Context(), &elasticloadbalancingv2.DeleteRuleInput{RuleArn: aws.String("r")}); err == nil {
		t.Fatal("the call passed")
	}
	if got := limits.of("Elastic Load Balancing v2", "CreateRule").rate; got >= maxRate {
		t.Errorf("the rate of what writes is %v as before", got)
	}
	for _, other := range []*Limiter{limits.of("Elastic Load Balancing v2", "DescribeRules"), limits.of("EC2", "CreateSecurityGroup")} {
		if other.rate != maxRate {
			t.Errorf("the rate of what reads, or of another service, is %v, want %v: AWS counts them apart", other.rate, maxRate)
		}
	}
}

// TestRefusedForTheRate: the pace decides when AWS is asked again, until that has failed a few times.
func TestRefusedForTheRate(t *testing.T) {
	throttled := &smithy.GenericAPIError{Code: "Throttling"}
	for attempt := 1; attempt <= patient; attempt++ {
		if d, err := Backoff().BackoffDelay(attempt, throttled); d != 0 || err != nil {
			t.Errorf("after refusal %d: %s, %v; want none, the call waits for its turn anyway", attempt, d, err)
		}
	}
	for why, row := range map[string]struct {
		attempt int
		err     error
	}{
		"refused again and again": {patient + 1, throttled},
		"no answer":               {1, errors.New("connection reset")},
	} {
		var sum time.Duration
		for range 10 {
			d, err := Backoff().BackoffDelay(row.attempt, row.err)
			if err != nil {
				t.Fatal(err)
			}
			sum += d
		}
		if sum == 0 {
			t.Errorf("%s: nothing is waited", why)
		}
	}
}

func TestLaneOfContext(t *testing.T) {
	if got := laneOf(t.Context()); got != Edit {
		t.Errorf("without a lane it is %v, want Edit", got)
	}
	if got := laneOf(WithLane(context.Background(), Deregister)); got != Deregister {
		t.Errorf("got %v, want Deregister", got)
	}
}
