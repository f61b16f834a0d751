package sim_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"github.com/headgate/headgate/cloud/sim"
)

// fixture is a simulator with a clock that only a test moves, and clients of the real SDK.
type fixture struct {
	*testing.T
	sim  *sim.Simulator
	elb  *elb.Client
	ec2  *ec2.Client
	acm  *acm.Client
	mu   sync.Mutex
	time time.Time
}

func start(t *testing.T, change ...func(*sim.Options)) *fixture {
	t.Helper()
	f := &fixture{T: t, time: time.Now()}
	o := sim.Options{Now: f.now, ClusterName: "test"}
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
	f.sim = s
	f.client()
	return f
}

// client makes the clients of the simulator.
func (f *fixture) client() {
	config := f.sim.AWSConfig()
	config.RetryMaxAttempts = 1
	f.elb, f.ec2, f.acm = elb.NewFromConfig(config), ec2.NewFromConfig(config), acm.NewFromConfig(config)
}

func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.time
}

// pass moves the clock.
func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.time = f.time.Add(d)
}

// must gives the output of a call that has to succeed.
func must[Out any](tb testing.TB, out *Out, err error) *Out {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// wantCode demands AWS's error code; the empty code is success.
func wantCode(tb testing.TB, err error, code string) {
	tb.Helper()
	var api smithy.APIError
	switch {
	case code == "" && err != nil:
		tb.Errorf("got %v, want success", err)
	case code != "" && !errors.As(err, &api):
		tb.Errorf("got %v, want error code %s", err, code)
	case code != "" && api.ErrorCode() != code:
		tb.Errorf("got error code %s (%s), want %s", api.ErrorCode(), api.ErrorMessage(), code)
	}
}

// codeOf gives AWS's error code.
func codeOf(tb testing.TB, err error) string {
	tb.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		tb.Fatalf("%v is no error of AWS", err)
	}
	return api.ErrorCode()
}

// balancer makes an internet-facing application load balancer.
func (f *fixture) balancer(name string, change ...func(*elb.CreateLoadBalancerInput)) elbtypes.LoadBalancer {
	f.Helper()
	in := &elb.CreateLoadBalancerInput{Name: aws.String(name), Subnets: f.sim.World().PublicSubnets}
	for _, c := range change {
		c(in)
	}
	out, err := f.elb.CreateLoadBalancer(f.Context(), in)
	return must(f, out, err).LoadBalancers[0]
}

// group makes an HTTP target group of addresses and gives its ARN.
func (f *fixture) group(name string, change ...func(*elb.CreateTargetGroupInput)) *string {
	f.Helper()
	out, err := f.elb.CreateTargetGroup(f.Context(), f.groupInput(name, change...))
	return must(f, out, err).TargetGroups[0].TargetGroupArn
}

func (f *fixture) groupInput(name string, change ...func(*elb.CreateTargetGroupInput)) *elb.CreateTargetGroupInput {
	in := &elb.CreateTargetGroupInput{
		Name: aws.String(name), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String(f.sim.World().VPC),
		TargetType: elbtypes.TargetTypeEnumIp,
	}
	for _, c := range change {
		c(in)
	}
	return in
}

// fixed is an action that needs nothing.
func fixed(code string) []elbtypes.Action {
	return []elbtypes.Action{{
		Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String(code)},
	}}
}

func forward(groups ...*string) []elbtypes.Action {
	if len(groups) == 1 {
		return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: groups[0]}}
	}
	c := &elbtypes.ForwardActionConfig{}
	for _, g := range groups {
		c.TargetGroups = append(c.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: g, Weight: aws.Int32(1)})
	}
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: c}}
}

// listener makes an HTTP listener and gives its ARN.
func (f *fixture) listener(lb elbtypes.LoadBalancer, port int32, actions []elbtypes.Action) *string {
	f.Helper()
	out, err := f.elb.CreateListener(f.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(port), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: actions,
	})
	return must(f, out, err).Listeners[0].ListenerArn
}

func path(values ...string) []elbtypes.RuleCondition {
	return []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: values}}}
}

// rule makes a rule and gives its ARN.
func (f *fixture) rule(listener *string, priority int32, conditions []elbtypes.RuleCondition, actions []elbtypes.Action) *string {
	f.Helper()
	out, err := f.elb.CreateRule(f.Context(), &elb.CreateRuleInput{
		ListenerArn: listener, Priority: aws.Int32(priority), Conditions: conditions, Actions: actions,
	})
	return must(f, out, err).Rules[0].RuleArn
}

// pair makes a certificate and its key for some names, valid for a while around now.
func pair(tb testing.TB, names ...string) (certificate, key []byte) {
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

// certificate imports a certificate and gives its ARN.
func (f *fixture) certificate(names ...string) *string {
	f.Helper()
	body, key := pair(f, names...)
	out, err := f.acm.ImportCertificate(f.Context(), &acm.ImportCertificateInput{Certificate: body, PrivateKey: key})
	return must(f, out, err).CertificateArn
}

func tags(key, value string) []elbtypes.Tag {
	return []elbtypes.Tag{{Key: aws.String(key), Value: aws.String(value)}}
}
