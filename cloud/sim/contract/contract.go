// Package contract holds what the tests of the simulated services share: a simulator whose clock only the test moves, answers judged by
// AWS's error codes, scripts of calls that are files (see Script), and the demand that the tests of a service see each of its operations
// succeed and each documented error of it (see Demand). Only tests import it; it may import the simulator and the SDK. Its invariant: it
// never waits for anything.
package contract

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Fixture is a simulator of a test, with the small world in it.
type Fixture struct {
	*testing.T

	Sim *sim.Simulator
	// Config is for clients of the SDK. They try once.
	Config aws.Config

	mu   sync.Mutex
	time time.Time
}

// Start makes a simulator that ends with the test.
func Start(t *testing.T, change ...func(*sim.Options)) *Fixture {
	t.Helper()
	f := &Fixture{T: t, time: time.Now()}
	o := sim.Options{Now: f.Now, ClusterName: "test"}
	for _, c := range change {
		c(&o)
	}
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	f.Sim, f.Config = s, s.AWSConfig()
	f.Config.RetryMaxAttempts = 1
	f.Config.APIOptions = append(f.Config.APIOptions, Record)
	return f
}

// Now is the simulator's clock.
func (f *Fixture) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.time
}

// Pass moves the clock.
func (f *Fixture) Pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.time = f.time.Add(d)
}

// Balancer makes a load balancer and gives its ARN.
func (f *Fixture) Balancer(name string, kind elbtypes.LoadBalancerTypeEnum) *string {
	f.Helper()
	out, err := elb.NewFromConfig(f.Config).CreateLoadBalancer(f.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String(name), Subnets: f.Sim.World().PublicSubnets, Type: kind,
	})
	return Must(f, out, err).LoadBalancers[0].LoadBalancerArn
}

// DeleteBalancer deletes a load balancer.
func (f *Fixture) DeleteBalancer(arn *string) {
	f.Helper()
	_, err := elb.NewFromConfig(f.Config).DeleteLoadBalancer(f.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: arn})
	WantCode(f, err, "")
}

// Must gives the output of a call that has to succeed.
func Must[Out any](tb testing.TB, out *Out, err error) *Out {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// WantCode demands AWS's error code; the empty code is success.
func WantCode(tb testing.TB, err error, code string) {
	tb.Helper()
	if got := APICode(err); got != code {
		tb.Errorf("got error code %q, want %q: %v", got, code, err)
	}
}

// APICode gives AWS's error code of a call through the SDK; the empty text is none, and an error that is not AWS's is given as it is.
func APICode(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api):
		return api.ErrorCode()
	default:
		return err.Error()
	}
}

// Code gives AWS's error code of an error that a service gave without the wire between; the empty text is none.
func Code(err error) string {
	if err == nil {
		return ""
	}
	return wire.AsError(err).Code
}

// Run calls an operation of a service that has no simulator around it.
func Run[Out any](s wire.Service, name string, in any) (*Out, error) {
	out, err := s.Operations[name].Run(in)
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", name, err)
	}
	typed, ok := out.(*Out)
	if !ok {
		return nil, fmt.Errorf("operation %s gave %T", name, out)
	}
	return typed, nil
}

// WantChecks demands that the operations of a service, and no others, say what they check.
func WantChecks(tb testing.TB, s wire.Service, checks map[string]string) {
	tb.Helper()
	for name := range s.Operations {
		if checks[name] == "" {
			tb.Errorf("operation %s of %s has no line", name, s.Name)
		}
	}
	for name := range checks {
		if _, ok := s.Operations[name]; !ok {
			tb.Errorf("there is a line of %s, which is no operation of %s", name, s.Name)
		}
	}
}

// Pair makes a certificate and its key for some names, valid for a day around now.
func Pair(tb testing.TB, names ...string) (certificate, key []byte) {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}
