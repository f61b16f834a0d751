package sharing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/rig"
)

const (
	cluster = "sharing"
	host    = "shop.example"
	// step is how far the clock goes on while something waits.
	step = 10 * time.Second
)

// world is an account, an API server and an operator. Each group is one Ingress with a load balancer of its own.
type world struct {
	*testing.T

	sim   *sim.Simulator
	api   kube.Client
	wire  *wire
	front *ingress.Reconciler
	// clock is what the operator and AWS go by.
	clock *rig.Clock

	mu      sync.Mutex
	results map[string]outcome
	// may are the contents that each group may show.
	may map[string][]string
}

type outcome struct {
	stack.Result

	err error
}

// silent is nobody who hears of events.
type silent struct{}

// Eventf tells nobody.
func (silent) Eventf(runtime.Object, runtime.Object, string, string, string, string, ...any) {}

func newWorld(t *testing.T, o sim.Options) *world {
	t.Helper()
	w := &world{T: t, clock: rig.NewClock(), results: map[string]outcome{}, may: map[string][]string{}}
	o.ClusterName, o.RuleDelay, o.Linger = cluster, -1, -1
	if o.Provisioning == 0 {
		o.Provisioning = -1
	}
	if !o.DataPlane {
		o.Now = w.clock.Now
	}
	account, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Close(); err != nil {
			t.Error(err)
		}
	})
	w.sim = account
	scheme, err := manifests.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	class := &networkingv1.IngressClass{
		ObjectMeta: metav1.ObjectMeta{Name: "alb"}, Spec: networkingv1.IngressClassSpec{Controller: "ingress.k8s.aws/alb"},
	}
	w.api = fake.NewClientBuilder().WithScheme(scheme).WithObjects(class).
		WithStatusSubresource(&headgatev1alpha1.LoadBalancer{}, &networkingv1.Ingress{}).Build()
	w.restart()
	return w
}

// restart is a new operator over the same account and API server.
func (w *world) restart() {
	w.Helper()
	w.wire = &wire{to: w.sim.Handler()}
	config := w.sim.AWSConfig()
	client, err := cloud.New(w.Context(), cloud.Options{
		Cluster: cluster, VPC: w.sim.World().VPC, AWSConfig: &config, Transport: w.wire, Attempts: 1,
		Now: w.clock.Now, Pace: &rig.Hurry{}, Secrets: w.secret,
	})
	if err != nil {
		w.Fatal(err)
	}
	shared := stack.NewCluster(client, stack.ClusterOptions{
		Name: cluster, Forget: client.Forget, Now: w.clock.Now,
		Stacks: func(ctx context.Context) (int, error) { return stack.Count(ctx, w.api, cluster) },
	})
	loop := stack.New(w.api, client, shared, stack.Options{Now: w.clock.Now, Forget: client.Forget})
	w.front = ingress.New(w.api, watched{w, loop}, silent{}, ingress.Settings{ClusterName: cluster, DefaultTargetType: "ip"})
}

// lose has the operator forget all that it wrote down, too.
func (w *world) lose() {
	w.Helper()
	if err := w.api.DeleteAllOf(w.Context(), &headgatev1alpha1.StackState{}); err != nil {
		w.Fatal(err)
	}
	w.restart()
}

// watched is a loop whose results are seen.
type watched struct {
	*world

	loop *stack.Loop
}

// Asked is what the loop says.
func (l watched) Asked(owner model.Owner) uint64 { return l.loop.Asked(owner) }

// Newer tells the loop.
func (l watched) Newer(owner model.Owner) { l.loop.Newer(owner) }

// Run does what the loop does.
func (l watched) Run(ctx context.Context, req stack.Request) (stack.Result, error) {
	res, err := l.loop.Run(ctx, req)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results[req.Intent.Owner.Stack] = outcome{res, err}
	return res, err
}

func (w *world) secret(ctx context.Context, ref model.SecretRef) (map[string][]byte, error) {
	found := &corev1.Secret{}
	if err := w.api.Get(ctx, kube.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found); err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", ref, err)
	}
	return found.Data, nil
}

// issue makes a certificate for the host of all groups.
func (w *world) issue() selfsigned.Certificate { return w.issueFor(host) }

func (w *world) issueFor(name string) selfsigned.Certificate {
	w.Helper()
	made, err := selfsigned.New(name)
	if err != nil {
		w.Fatal(err)
	}
	return made
}

// seal writes a certificate into Secrets, each "namespace/name" in the namespace shop unless it says another, as cert-manager does.
func (w *world) seal(c selfsigned.Certificate, names ...string) {
	w.Helper()
	for _, name := range names {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: map[string]string{"cert-manager.io/certificate-name": name}},
			Type:       corev1.SecretTypeTLS, Data: map[string][]byte{corev1.TLSCertKey: c.Cert, corev1.TLSPrivateKeyKey: c.Key, "ca.crt": c.Cert},
		}
		err := w.api.Update(w.Context(), secret)
		if kube.IgnoreNotFound(err) == nil && err != nil {
			err = w.api.Create(w.Context(), secret)
		}
		if err != nil {
			w.Fatal(err)
		}
	}
}

// ask writes the Ingress of a group, with a Secret, and says what its listener may show from now on, besides what it showed before.
func (w *world) ask(group, secret string, shows ...selfsigned.Certificate) {
	w.Helper()
	path := networkingv1.PathTypePrefix
	ing := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: group, Annotations: map[string]string{
			"alb.ingress.kubernetes.io/group.name":   group,
			"alb.ingress.kubernetes.io/scheme":       "internet-facing",
			"alb.ingress.kubernetes.io/listen-ports": `[{"HTTPS": 443}]`,
			"alb.ingress.kubernetes.io/actions.hello": `{"type": "fixed-response", "fixedResponseConfig": {"contentType": "text/plain", ` +
				`"statusCode": "200", "messageBody": "hello"}}`,
		}},
		Spec: networkingv1.IngressSpec{
			IngressClassName: aws.String("alb"), TLS: []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: secret}},
			Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &path, Backend: networkingv1.IngressBackend{
					Service: &networkingv1.IngressServiceBackend{Name: "hello", Port: networkingv1.ServiceBackendPort{Name: "use-annotation"}},
				}}},
			}}}},
		},
	}
	have := &networkingv1.Ingress{}
	err := w.api.Get(w.Context(), kube.ObjectKeyFromObject(ing), have)
	if kube.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	if err == nil {
		have.Spec, have.Annotations = ing.Spec, ing.Annotations
		err = w.api.Update(w.Context(), have)
	} else {
		err = w.api.Create(w.Context(), ing)
	}
	if err != nil {
		w.Fatal(err)
	}
	w.show(group, shows...)
}

// show says what the listener of a group may show from now on.
func (w *world) show(group string, shows ...selfsigned.Certificate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.may[group] = nil
	for _, c := range shows {
		w.may[group] = append(w.may[group], contentOf(string(c.Cert)))
	}
}

// remove deletes the Ingress of a group.
func (w *world) remove(group string) {
	w.Helper()
	if err := w.api.Delete(w.Context(), &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: group}}); err != nil {
		w.Fatal(err)
	}
}

// contentOf tells contents apart.
func contentOf(certificate string) string {
	block, _ := pem.Decode([]byte(certificate))
	sum := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(sum[:4])
}

var errUnsettled = errors.New("the group does not settle")

// turn reconciles a group once, and tells whether nothing is left to do.
func (w *world) turn(group string) (bool, error) {
	w.mu.Lock()
	delete(w.results, group)
	w.mu.Unlock()
	if _, err := w.front.Reconcile(w.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Name: group}}); err != nil {
		return false, fmt.Errorf("reconciling %s: %w", group, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last, ran := w.results[group]
	return !ran || last.err == nil && last.Settled && last.Plan.Empty(), nil
}

// settle reconciles groups side by side until nothing is left to do; what fails is tried again.
func (w *world) settle(groups ...string) error {
	var last error
	for range 60 {
		var all sync.WaitGroup
		done, failed := make([]bool, len(groups)), make([]error, len(groups))
		for n, group := range groups {
			all.Go(func() { done[n], failed[n] = w.turn(group) })
		}
		all.Wait()
		if !slices.Contains(done, false) {
			return nil
		}
		last = errors.Join(failed...)
		w.clock.Advance(step)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, group := range groups {
		last = errors.Join(last, w.results[group].err, fmt.Errorf("%s waits for %v", group, w.results[group].Outputs.Waiting))
	}
	return errors.Join(errUnsettled, last)
}

// must settles groups, or ends the test.
func (w *world) must(groups ...string) {
	w.Helper()
	if err := w.settle(groups...); err != nil {
		w.Fatal(err)
	}
}

// listeners are the ARN of the listener of each group.
func (w *world) listeners() map[string]string {
	out := map[string]string{}
	w.each(func(group string, l elbtypes.Listener) { out[group] = *l.ListenerArn })
	return out
}

// shown are the ARN of the certificate that the listener of each group shows, and its content.
func (w *world) shown() (arns, contents map[string]string) {
	w.Helper()
	held := w.held()
	arns, contents = map[string]string{}, map[string]string{}
	w.each(func(group string, l elbtypes.Listener) {
		arns[group] = *l.Certificates[0].CertificateArn
		contents[group] = held[arns[group]]
	})
	return arns, contents
}

// each looks at the listeners of all groups. A load balancer that goes meanwhile has none.
func (w *world) each(do func(group string, l elbtypes.Listener)) {
	w.Helper()
	api := elasticloadbalancingv2.NewFromConfig(w.sim.AWSConfig())
	lbs, err := api.DescribeLoadBalancers(w.Context(), &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if err != nil {
		w.Error(err)
		return
	}
	for _, lb := range lbs.LoadBalancers {
		ls, err := api.DescribeListeners(w.Context(), &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn})
		if err != nil {
			w.unlessGone(err)
			continue
		}
		tags, err := api.DescribeTags(w.Context(), &elasticloadbalancingv2.DescribeTagsInput{ResourceArns: []string{*lb.LoadBalancerArn}})
		if err != nil {
			w.unlessGone(err)
			continue
		}
		for _, tag := range tags.TagDescriptions[0].Tags {
			for _, l := range ls.Listeners {
				if *tag.Key == "ingress.k8s.aws/stack" {
					do(*tag.Value, l)
				}
			}
		}
	}
}

// unlessGone is an error, but for what was deleted since it was listed.
func (w *world) unlessGone(err error) {
	w.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || !slices.Contains([]string{"LoadBalancerNotFound", "ResourceNotFoundException"}, api.ErrorCode()) {
		w.Error(err)
	}
}

// held are the contents of the certificates of the account, by ARN.
func (w *world) held() map[string]string {
	w.Helper()
	api := acm.NewFromConfig(w.sim.AWSConfig())
	all, err := api.ListCertificates(w.Context(), &acm.ListCertificatesInput{Includes: &acmtypes.Filters{KeyTypes: acmtypes.KeyAlgorithm("").Values()}})
	if err != nil {
		w.Error(err)
		return nil
	}
	out := map[string]string{}
	for _, c := range all.CertificateSummaryList {
		got, err := api.GetCertificate(w.Context(), &acm.GetCertificateInput{CertificateArn: c.CertificateArn})
		if err != nil {
			w.unlessGone(err)
			continue
		}
		out[*c.CertificateArn] = contentOf(*got.Certificate)
	}
	return out
}

// watch checks after every write that nobody shows what it did not ask for.
func (w *world) watch() {
	w.wire.mu.Lock()
	defer w.wire.mu.Unlock()
	w.wire.done = w.check
}

func (w *world) check() {
	_, contents := w.shown()
	w.mu.Lock()
	defer w.mu.Unlock()
	for group, content := range contents {
		if content != "" && !slices.Contains(w.may[group], content) {
			w.Errorf("group %s shows %s, and asked for %v", group, content, w.may[group])
		}
	}
}
