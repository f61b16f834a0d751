package elb_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/cert"
	"github.com/headgate/headgate/cloud/sim/cognito"
	"github.com/headgate/headgate/cloud/sim/elb"
	iampolicy "github.com/headgate/headgate/cloud/sim/policy"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// world is the service with a network and certificates around it, a clock that only the test moves, and the SDK's client in front.
type world struct {
	testing.TB
	vpc.World

	api     *sdk.Client
	state   *elb.State
	network *vpc.Network
	certs   *cert.Store
	objects objects

	mu   sync.Mutex
	time time.Time
}

// objects is an S3 with objects by "bucket/key".
type objects map[string][]byte

var errNoObject = errors.New("no such object")

func (o objects) Object(bucket, key, version string) ([]byte, error) {
	body, ok := o[bucket+"/"+key+version]
	if !ok {
		return nil, errNoObject
	}
	return body, nil
}

// Permits knows no bucket.
func (objects) Permits(string, iampolicy.Caller, iampolicy.Call) (allowed, known bool) {
	return false, false
}

// userPools is a Cognito with the one client of signIn.
type userPools struct{}

const poolARN, clientSecret = "arn:aws:cognito-idp:us-west-2:123456789012:userpool/x", "s3cret"

func (userPools) Client(pool, client, domain string) (cognito.Client, error) {
	if pool != poolARN || client != "c" || domain != "d" {
		return cognito.Client{}, cognito.ErrNoClient
	}
	return cognito.Client{Secret: clientSecret}, nil
}

const region, number = "us-west-2", "123456789012"

func newWorld(tb testing.TB, change ...func(*elb.Options)) *world {
	tb.Helper()
	w := &world{TB: tb, time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), objects: objects{}}
	a := &account.Account{ID: number, Region: region, Partition: "aws", Now: w.now, Speed: 1}
	w.network, w.certs = vpc.New(a), cert.New(a)
	w.World = w.network.Seed("test")
	o := elb.Options{Addresses: netip.MustParsePrefix("127.77.0.0/16"), Check: time.Second, Linger: time.Minute, Bundles: w.objects, TrustStore: -1,
		UserPools: userPools{}}
	for _, c := range change {
		c(&o)
	}
	w.state = elb.New(a, w.network, w.certs, o)
	tb.Cleanup(func() {
		if !w.state.IndexHolds() {
			tb.Error("the index does not say what the tables say")
		}
	})
	w.api = sdk.New(sdk.Options{
		Region: region, BaseEndpoint: aws.String("http://127.0.0.1"), HTTPClient: endpoint{w, w.state.Service()}, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "simulated", SecretAccessKey: "simulated"}, nil
		}),
	})
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

// endpoint answers the requests of the SDK without a network between.
type endpoint struct {
	world   *world
	service wire.Service
}

func (e endpoint) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	q := wire.NewRequest(r, body)
	q.Operation = form.Get("Action")
	answer := e.run(q)
	if answer.Status == 0 {
		answer.Status = http.StatusOK
	}
	return &http.Response{StatusCode: answer.Status, Header: answer.Header, Body: io.NopCloser(bytes.NewReader(answer.Body)), Request: r}, nil
}

func (e endpoint) run(q *wire.Request) wire.Response {
	o, ok := e.service.Find(q)
	if !ok {
		e.world.Errorf("the action %s is unknown", q.Operation)
		return e.service.Protocol.Fail(wire.Errorf("InvalidAction", "unknown"), "1")
	}
	in := o.New()
	err := e.service.Protocol.Decode(q, in)
	var out any
	if err == nil {
		out, err = o.Run(in)
	}
	if err != nil {
		fault := wire.AsError(err)
		if fault.Code == "InternalFailure" {
			e.world.Errorf("%s failed: %v", q.Operation, err)
		}
		return e.service.Protocol.Fail(fault, "1")
	}
	answer, err := e.service.Protocol.Encode(wire.Reply{Operation: o, RequestID: "1", Output: out})
	if err != nil {
		e.world.Errorf("encoding the answer of %s: %v", q.Operation, err)
	}
	return answer
}

// operation is a method of the SDK's client.
type operation[In, Out any] func(context.Context, *In, ...func(*sdk.Options)) (*Out, error)

// ask gives the error of a call.
func ask[In, Out any](_ *world, call operation[In, Out], in *In) error {
	_, err := call(context.Background(), in)
	return err
}

// have gives the output of a call that has to succeed.
func have[In, Out any](w *world, call operation[In, Out], in *In) *Out {
	w.Helper()
	out, err := call(context.Background(), in)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// codeOf gives AWS's error code; empty for no error.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// beside runs an operation of another service, without the wire.
func beside[Out any](w *world, s wire.Service, action string, in any) *Out {
	w.Helper()
	out, err := s.Operations[action].Run(in)
	if err != nil {
		w.Fatal(err)
	}
	return out.(*Out)
}
