package cloud_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/rig"
)

const cluster = "test"

func owner() model.Owner {
	return model.Owner{Cluster: cluster, Prefix: model.PrefixIngress, Stack: "shop/web"}
}

// account is a simulated AWS account.
type account struct {
	sim *sim.Simulator
}

// newAccount is an account in which everything happens at once, but that interfaces of load balancers linger for a moment.
func newAccount(t *testing.T) *account {
	t.Helper()
	return accountOf(t, sim.Options{Speed: 5000, Provisioning: -1})
}

func accountOf(t *testing.T, o sim.Options) *account {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	o.ClusterName = cluster
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &account{sim: s}
}

// eager tries again at once: tests have no time to be polite.
func eager() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.RateLimiter = ratelimit.None
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

// client is a new client, which knows nothing yet.
func (a *account) client(t *testing.T, transport http.RoundTripper) *cloud.Client {
	t.Helper()
	cfg := a.config()
	c, err := cloud.New(t.Context(), cloud.Options{Cluster: cluster, VPC: vpc.DefaultWorld().VPC, AWSConfig: &cfg, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (a *account) config() aws.Config {
	cfg := a.sim.AWSConfig()
	cfg.Retryer = eager
	return cfg
}

func (a *account) elb() *elasticloadbalancingv2.Client {
	return elasticloadbalancingv2.NewFromConfig(a.config())
}

func (a *account) ec2() *ec2.Client { return ec2.NewFromConfig(a.config()) }

// certificate imports a certificate for a host name.
func (a *account) certificate(t *testing.T, host string) model.ARN {
	t.Helper()
	made, err := selfsigned.New(host)
	if err != nil {
		t.Fatal(err)
	}
	arn, err := made.Import(t.Context(), a.config())
	if err != nil {
		t.Fatal(err)
	}
	return model.ARN(arn)
}

var errCut = errors.New("the connection was cut")

// wire is a transport that counts calls by action and can be cut.
type wire struct {
	mu    sync.Mutex
	calls map[string]int
	// intercept decides about a call: nil lets it pass.
	intercept func(action string) verdict
}

// verdict is what happens to a call.
type verdict int

const (
	pass verdict = iota
	// before: the request never arrives.
	before
	// after: it takes effect, and the answer is lost.
	after
	// deny: AWS refuses it for want of a right.
	deny
	// full: AWS refuses it at a quota, in JSON.
	full
)

func newWire() *wire { return &wire{calls: map[string]int{}} }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	action, err := rig.Action(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.calls[action]++
	what := pass
	if w.intercept != nil {
		what = w.intercept(action)
	}
	w.mu.Unlock()
	switch what {
	case before:
		return nil, errCut
	case deny:
		return reply(r, http.StatusForbidden, denial(r)), nil
	case full:
		return reply(r, http.StatusBadRequest, `{"__type": "LimitExceededException", "message": "no more"}`), nil
	default:
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && what == after {
		_ = answer.Body.Close()
		return nil, errCut
	}
	return answer, err
}

// denial is how AWS says no in the protocol of a request.
func denial(r *http.Request) string {
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		return `{"__type": "AccessDeniedException", "message": "no"}`
	case strings.Contains(r.Header.Get("Authorization"), "/s3/"):
		return "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
	case strings.Contains(r.Header.Get("Authorization"), "/ec2/"):
		return "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>"
	default:
		return "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
	}
}

func reply(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// take gives the counts since the last take, of writes or of reads.
func (w *wire) take(writes bool) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for action, n := range w.calls {
		if rig.IsWrite(action) == writes {
			out[action] = n
			delete(w.calls, action)
		}
	}
	return out
}

func observe(t *testing.T, c *cloud.Client) model.Stack {
	t.Helper()
	s, err := c.Observe(t.Context(), owner(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// turn is one pass of the loop: observe, diff, apply. It gives the plan.
func turn(ctx context.Context, c *cloud.Client, desired model.Stack) (plan.Plan, model.Outputs, error) {
	observed, err := c.Observe(ctx, desired.Owner, nil)
	if err != nil {
		return plan.Plan{}, model.Outputs{}, err
	}
	p := plan.Diff(desired, observed, plan.Options{})
	out, err := c.Apply(ctx, p)
	return p, out, err
}

// converge turns until nothing is left to do.
func converge(t *testing.T, c *cloud.Client, desired model.Stack) {
	t.Helper()
	var last plan.Plan
	for range 200 {
		p, out, err := turn(t.Context(), c, desired)
		if err != nil {
			t.Fatal(err)
		}
		if p.Empty() {
			return
		}
		if out.Done == 0 {
			time.Sleep(5 * time.Millisecond) // AWS releases things slowly
		}
		last = p
	}
	t.Fatalf("there is always something left to do:\n%s", last.Text())
}
