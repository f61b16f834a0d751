package lookup

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/rig"
)

// waiter is an operator whose clock is the test's, with the calls that it makes.
type waiter struct {
	t       *testing.T
	account *sim.Simulator
	config  aws.Config
	loop    *stack.Loop
	api     client.Client
	now     time.Time

	mu    sync.Mutex
	calls []string
	// listeners is what AWS says that it allows a load balancer, empty for what it does.
	listeners string
}

func newWaiter(t *testing.T) *waiter {
	t.Helper()
	w := &waiter{t: t, now: time.Now()}
	var err error
	if w.account, err = sim.New(sim.Options{ClusterName: cluster, Provisioning: -1, Speed: 1000}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.account.Close() })
	w.config = w.account.AWSConfig()
	operators, clock := w.account.AWSConfig(), func() time.Time { return w.now }
	made, err := cloud.New(t.Context(), cloud.Options{
		Cluster: cluster, VPC: w.account.World().VPC, AWSConfig: &operators, Transport: w, Now: clock,
		Attempts: 1, Limits: call.NewLimits(&leap{now: w.now}),
	})
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{elbv2v1beta1.AddToScheme, headgatev1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w.api = fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&headgatev1alpha1.LoadBalancer{}).Build()
	owners := stack.NewCluster(made, stack.ClusterOptions{Name: cluster, Now: clock, Forget: made.Forget, Stacks: func(ctx context.Context) (int, error) {
		return stack.Count(ctx, w.api, cluster)
	}})
	w.loop = stack.New(w.api, made, owners, stack.Options{
		Now: clock, Forget: made.Forget, Hold: -1, VerifyDelay: 1000 * time.Hour, Trial: cloud.Trial,
		Background: func(ctx context.Context) context.Context { return cloud.WithLane(ctx, cloud.Background) },
	})
	return w
}

// RoundTrip notes what is called.
func (w *waiter) RoundTrip(req *http.Request) (*http.Response, error) {
	action, err := rig.Action(req)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.calls = append(w.calls, action)
	said := w.listeners
	w.mu.Unlock()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || action != "DescribeAccountLimits" || said == "" {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = listenersQuota.ReplaceAll(body, []byte("${1}"+said+"${2}"))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

var listenersQuota = regexp.MustCompile(`(<Max>)50(</Max>\s*<Name>listeners-per-application-load-balancer<)`)

// leap is a clock that leaps to when something is due.
type leap struct {
	mu  sync.Mutex
	now time.Time
}

func (l *leap) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *leap) After(d time.Duration, f func()) {
	l.mu.Lock()
	l.now = l.now.Add(d)
	l.mu.Unlock()
	go f()
}

// took are the calls since the last time.
func (w *waiter) took() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.calls
	w.calls = nil
	return out
}

func asking(change func(*intent.Fragment)) stack.Request {
	f := intent.Fragment{
		Member:    model.ObjectRef{Kind: "Ingress", Namespace: "shop", Name: "web", UID: "uid"},
		Listeners: []intent.Listener{{Port: 80, Protocol: "HTTP", Field: "listen-ports"}},
		Routes: []intent.Route{{
			Ports: []int{80}, Match: intent.Match{Hosts: []string{"web.example.com"}}, Field: "spec.rules[0]",
			Fixed: &intent.Fixed{StatusCode: 200},
		}},
	}
	change(&f)
	return stack.Request{Intent: intent.Intent{
		Owner: owner(), Front: "ingress", Group: "g", Order: intent.ByFragment, Fragments: []intent.Fragment{f},
		Defaults: intent.Defaults{Cluster: cluster, Scheme: "internal", TargetType: "ip", SSLPolicy: "ELBSecurityPolicy-2016-08", BackendSecurityGroup: true},
	}}
}

// settle runs until a run does nothing more, and returns what was found.
func (w *waiter) settle(req stack.Request) stack.Result {
	w.t.Helper()
	for range 20 {
		res, err := w.loop.Run(w.t.Context(), req)
		if err != nil {
			w.t.Fatal(err)
		}
		if res.Outputs.Done == 0 || res.Settled {
			return res
		}
	}
	w.t.Fatal(errBusy)
	return stack.Result{}
}

func amiss(res stack.Result) bool { return res.Blocked != "" || len(res.Findings) > 0 }

// TestWhatClearsInAWSIsDoneWithinHalfAMinute (invariant 8): what AWS lacked or refused, and somebody mends there, of which no event tells. While
// nobody does, what is refused costs one call each time.
func TestWhatClearsInAWSIsDoneWithinHalfAMinute(t *testing.T) {
	t.Parallel()
	for _, row := range lacks() {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWaiter(t)
			if row.before != nil {
				row.before(w)
			}
			req := asking(row.ask)
			res := w.settle(req)
			for start := w.now; w.now.Sub(start) < 2*time.Minute; w.now = w.now.Add(res.RequeueAfter) {
				w.took()
				if res = w.settle(req); !amiss(res) || res.RequeueAfter <= 0 {
					t.Fatalf("nothing is wrong yet: %q, %+v", res.Blocked, res.Findings)
				}
				if got := w.took(); row.costs != "" && !slices.Equal(got, []string{row.costs}) && w.now.Sub(start) > time.Minute && len(got) > 0 {
					t.Errorf("after %s it costs %v, want at most one %s", w.now.Sub(start), got, row.costs)
				}
			}
			row.mend(w)
			cleared := w.now.Add(-res.RequeueAfter)
			for ; amiss(res); w.now = w.now.Add(res.RequeueAfter) {
				if late := w.now.Sub(cleared); late > 30*time.Second {
					t.Fatalf("it has cleared, and %s later: %q, %+v", late, res.Blocked, res.Findings)
				}
				res = w.settle(req)
			}
		})
	}
}

// lack is something that is not right in an account.
type lack struct {
	why    string
	before func(*waiter)
	ask    func(*intent.Fragment)
	mend   func(*waiter)
	// costs is the call that is made each time, empty where what is kept is read anew.
	costs string
}

func lacks() []lack {
	named := func(name string) []ec2types.Tag {
		return []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String(name)}}
	}
	return []lack{
		{why: "no certificate for the host", ask: func(f *intent.Fragment) {
			f.Listeners = append(f.Listeners, intent.Listener{Port: 443, Protocol: "HTTPS", Field: "listen-ports", DiscoverHosts: []string{"late.example.com"}})
		}, mend: func(w *waiter) { w.issue("late.example.com") }},
		{why: "no subnets of those names", ask: func(f *intent.Fragment) {
			f.Settings.Subnets, f.Settings.Fields = []string{"late-0", "late-1"}, map[string]string{"subnets": "subnets"}
		}, mend: func(w *waiter) {
			for i, subnet := range w.account.World().PrivateSubnets[:2] {
				w.tag(named(fmt.Sprint("late-", i)), subnet)
			}
		}},
		{why: "no subnets with that tag", ask: func(f *intent.Fragment) {
			f.Settings.SubnetTags, f.Settings.Fields = map[string][]string{"team": {"late"}}, map[string]string{"subnetTags": "subnets"}
		}, mend: func(w *waiter) {
			w.tag([]ec2types.Tag{{Key: aws.String("team"), Value: aws.String("late")}}, w.account.World().PrivateSubnets...)
		}},
		{why: "no security group of that name", ask: func(f *intent.Fragment) {
			f.Settings.SecurityGroups, f.Settings.Fields = []string{"late"}, map[string]string{"securityGroups": "security-groups"}
		}, mend: func(w *waiter) { w.tag(named("late"), w.account.World().NodeSecurityGroup) }},
		{why: "no web ACL of that name", ask: func(f *intent.Fragment) {
			f.Settings.Addons.WebACLName, f.Settings.Fields = "late", map[string]string{string(model.AddonWebACL): "wafv2-acl-name"}
		}, mend: func(w *waiter) { w.firewall("late") }},
		{why: "no room for a listener", before: func(w *waiter) { w.allow("1") }, ask: secondPort, mend: func(w *waiter) { w.allow("") }},
		{why: "a certificate that is not validated yet", before: func(w *waiter) { w.request("late.example.com") }, ask: func(f *intent.Fragment) {
			f.Listeners = append(f.Listeners, intent.Listener{Port: 443, Protocol: "HTTPS", Field: "listen-ports", DiscoverHosts: []string{"late.example.com"}})
		}, mend: func(w *waiter) { w.prove("late.example.com") }},
		{why: "a bucket that takes no access logs", before: func(w *waiter) { w.bucket() }, ask: func(f *intent.Fragment) {
			f.Settings.Attributes = map[string]string{"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "late"}
			f.Settings.Fields = map[string]string{"attributes": "load-balancer-attributes"}
		}, mend: func(w *waiter) { w.permit() }, costs: "ModifyLoadBalancerAttributes"},
	}
}

// secondPort asks for one listener more.
func secondPort(f *intent.Fragment) {
	f.Listeners = append(f.Listeners, intent.Listener{Port: 81, Protocol: "HTTP", Field: "listen-ports"})
}

// allow has AWS say so many listeners.
func (w *waiter) allow(listeners string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listeners = listeners
}

func (w *waiter) issue(host string) {
	made, err := selfsigned.New(host)
	if err == nil {
		_, err = made.Import(w.t.Context(), w.config)
	}
	w.must(err)
}

// request asks for a certificate that nobody has proven yet.
func (w *waiter) request(host string) {
	_, err := acm.NewFromConfig(w.config).RequestCertificate(w.t.Context(), &acm.RequestCertificateInput{
		DomainName: aws.String(host), ValidationMethod: acmtypes.ValidationMethodDns,
	})
	w.must(err)
}

// prove writes the record that ACM looks for, and waits until the certificate is issued.
func (w *waiter) prove(host string) {
	certificates, dns := acm.NewFromConfig(w.config), route53.NewFromConfig(w.config)
	all, err := certificates.ListCertificates(w.t.Context(), &acm.ListCertificatesInput{})
	w.must(err)
	describe := func() *acmtypes.CertificateDetail {
		out, err := certificates.DescribeCertificate(w.t.Context(), &acm.DescribeCertificateInput{CertificateArn: all.CertificateSummaryList[0].CertificateArn})
		w.must(err)
		return out.Certificate
	}
	zone, err := dns.CreateHostedZone(w.t.Context(), &route53.CreateHostedZoneInput{Name: aws.String(host), CallerReference: aws.String("once")})
	w.must(err)
	record := describe().DomainValidationOptions[0].ResourceRecord
	_, err = dns.ChangeResourceRecordSets(w.t.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: zone.HostedZone.Id,
		ChangeBatch: &dnstypes.ChangeBatch{Changes: []dnstypes.Change{{Action: dnstypes.ChangeActionCreate, ResourceRecordSet: &dnstypes.ResourceRecordSet{
			Name: record.Name, Type: dnstypes.RRType(record.Type), TTL: aws.Int64(60), ResourceRecords: []dnstypes.ResourceRecord{{Value: record.Value}},
		}}}},
	})
	w.must(err)
	for start := time.Now(); describe().Status != acmtypes.CertificateStatusIssued; time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > 2*time.Minute {
			w.t.Fatal("the certificate is not issued")
		}
	}
}

func (w *waiter) tag(tags []ec2types.Tag, resources ...string) {
	_, err := ec2.NewFromConfig(w.config).CreateTags(w.t.Context(), &ec2.CreateTagsInput{Resources: resources, Tags: tags})
	w.must(err)
}

func (w *waiter) firewall(name string) {
	_, err := wafv2.NewFromConfig(w.config).CreateWebACL(w.t.Context(), &wafv2.CreateWebACLInput{
		Name: aws.String(name), Scope: waftypes.ScopeRegional, DefaultAction: &waftypes.DefaultAction{Allow: &waftypes.AllowAction{}},
		VisibilityConfig: &waftypes.VisibilityConfig{MetricName: aws.String(name)},
	})
	w.must(err)
}

func (w *waiter) bucket() {
	_, err := w.s3().CreateBucket(w.t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("late"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintUsWest2},
	})
	w.must(err)
}

func (w *waiter) permit() {
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},`+
		`"Action":"s3:PutObject","Resource":"arn:aws:s3:::%s/*"}]}`, "late")
	_, err := w.s3().PutBucketPolicy(w.t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("late"), Policy: aws.String(policy)})
	w.must(err)
}

func (w *waiter) s3() *s3.Client {
	return s3.NewFromConfig(w.config, func(o *s3.Options) { o.UsePathStyle = true })
}

func (w *waiter) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(strings.TrimSpace(err.Error()))
	}
}
