package targets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

func TestTargetsFollowEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	for _, c := range []struct {
		why       string
		endpoints []string
		calls     []string
		want      []string
	}{
		{"the first: one read, one call", []string{"10.0.0.1"}, []string{"health", "register"}, []string{"10.0.0.1:8080"}},
		{"one more costs one call", []string{"10.0.0.1", "10.0.0.2"}, []string{"register"}, []string{"10.0.0.1:8080", "10.0.0.2:8080"}},
		{"a swap goes out side by side", []string{"10.0.0.2", "10.0.0.3"}, []string{"deregister", "register"}, []string{"10.0.0.2:8080", "10.0.0.3:8080"}},
		{"one that terminates", []string{"10.0.0.2 terminating", "10.0.0.3"}, []string{"deregister"}, []string{"10.0.0.3:8080"}},
		{"the last that serves stays", []string{"10.0.0.3 terminating"}, nil, []string{"10.0.0.3:8080"}},
		{"one that drains comes again", []string{"10.0.0.2", "10.0.0.3"}, []string{"register"}, []string{"10.0.0.2:8080", "10.0.0.3:8080"}},
		{"an address outside the VPC", []string{"10.0.0.2", "10.0.0.3", "192.168.0.1"}, []string{"register"}, []string{"10.0.0.2:8080", "10.0.0.3:8080", "192.168.0.1:8080 all"}},
		{"none", nil, []string{"deregister"}, nil},
	} {
		w.endpoints(c.endpoints...)
		_, calls := w.reconcile("web")
		if diff := cmp.Diff(c.calls, calls); diff != "" {
			t.Errorf("%s: calls %s", c.why, diff)
		}
		if diff := cmp.Diff(c.want, w.aws.registered()); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if _, calls := w.reconcile("web"); len(calls) > 0 {
			t.Errorf("%s: invariant 1: once more made %v", c.why, calls)
		}
	}
	b := &elbv2v1beta1.TargetGroupBinding{}
	if err := w.api.Get(t.Context(), types.NamespacedName{Namespace: "shop", Name: "web"}, b); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(b.Finalizers, Finalizer) || b.Status.ObservedGeneration == nil || *b.Status.ObservedGeneration != 1 {
		t.Errorf("finalizers %v, status %+v", b.Finalizers, b.Status)
	}
}

func TestRestartWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1", "10.0.0.2")
	w.reconcile("web")
	w.becomes("healthy")
	w.restart()
	res, calls := w.reconcile("web")
	if diff := cmp.Diff([]string{"health"}, calls); diff != "" {
		t.Errorf("invariant 1: a restart costs one read a group: %s", diff)
	}
	if res.RequeueAfter != pollLast {
		t.Errorf("all is well, and it is looked at again in %s", res.RequeueAfter)
	}
}

func TestSuddenlyEmptyIsConfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	watch, ok := w.api.(client.WithWatch)
	if !ok {
		t.Fatal("the fake client cannot watch")
	}
	// The cache lost the slices; the API server has them.
	blind := true
	w.client = interceptor.NewClient(watch, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		if _, ok := list.(*discoveryv1.EndpointSliceList); ok && blind {
			return nil
		}
		return c.List(ctx, list, opts...)
	}})
	if _, calls := w.reconcile("web"); len(calls) > 0 || len(w.aws.registered()) != 1 {
		t.Errorf("an empty list that is not true made %v, registered %v", calls, w.aws.registered())
	}
	w.endpoints()
	if _, calls := w.reconcile("web"); !slices.Equal(calls, []string{"deregister"}) {
		t.Errorf("an empty list that is true made %v", calls)
	}
}

func TestIdleBindingIsNotConfirmedAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	watch, ok := w.api.(client.WithWatch)
	if !ok {
		t.Fatal("the fake client cannot watch")
	}
	reads := 0
	w.live = interceptor.NewClient(watch, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		reads++
		return c.List(ctx, list, opts...)
	}})
	for range 3 {
		w.reconcile("web")
	}
	if reads != 1 {
		t.Errorf("a Service without endpoints was read %d times past the cache, want once", reads)
	}
}

func TestMistakesOfABinding(t *testing.T) {
	t.Parallel()
	instance := elbv2v1beta1.TargetTypeInstance
	for _, c := range []struct {
		why    string
		change func(*elbv2v1beta1.TargetGroupBinding)
		says   string
	}{
		{"a port that the Service does not have changes nothing", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.ServiceRef.Port = intstr.FromInt32(81) },
			"BackendNotFound: spec.serviceRef.port: Service shop/web has no port 81"},
		{"a port name that is not there", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.ServiceRef.Port = intstr.FromString("grpc") }, "has no port grpc"},
		{"nodes without a node port", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.TargetType = &instance }, "NoNodePort: spec.serviceRef: port 80 of Service shop/web"},
		{"another account, where none is reached", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.IamRoleArnToAssume = "arn" },
			"InvalidBinding: spec.iamRoleArnToAssume: this operator reaches no other"},
		{"nodes of another account", func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Spec.IamRoleArnToAssume, b.Spec.TargetType = "arn", &instance
		}, "InvalidBinding: spec.iamRoleArnToAssume: instances can be targets in their own account only"},
		{"QUIC to nodes", func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Spec.TargetGroupProtocol, b.Spec.TargetType = new(elbv2v1beta1.Protocol("QUIC")), &instance
		}, "InvalidBinding: spec.targetGroupProtocol"},
		{"a selector of nodes for pods", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.NodeSelector = &metav1.LabelSelector{} }, "InvalidBinding: spec.nodeSelector"},
		{"an external ID without a role", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.AssumeRoleExternalID = "x" }, "InvalidBinding: spec.assumeRoleExternalId"},
		{"no target group", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.TargetGroupARN = "" }, "is needed: set one"},
		{"a name that is not there", func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Spec.TargetGroupARN, b.Spec.TargetGroupName = "", "absent"
		}, `there is no target group "absent"`},
	} {
		w := newWorld(t, service(), binding("web", c.change))
		w.endpoints("10.0.0.1")
		w.aws.groups[groupARN][model.Target{ID: "10.0.0.7", Port: 8080}] = "healthy"
		for range 2 {
			if _, calls := w.reconcile("web"); len(calls) > 0 {
				t.Errorf("%s: made %v", c.why, calls)
			}
		}
		if len(w.notes.all) != 1 || !strings.Contains(w.notes.all[0], c.says) {
			t.Errorf("invariant 8: %s: told %q, want %q once", c.why, w.notes.all, c.says)
		}
	}
}

func TestTargetGroupByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", func(b *elbv2v1beta1.TargetGroupBinding) {
		b.Spec.TargetGroupARN, b.Spec.TargetGroupName = "", "web"
		b.Spec.ServiceRef.Port = intstr.FromString("http")
	}))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	if diff := cmp.Diff([]string{"10.0.0.1:8080"}, w.aws.registered()); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsAreTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.aws.fail = func(call string) error {
		if call == "register" {
			return &fault.Error{Class: fault.Denied, Code: "AccessDenied", Action: "elasticloadbalancing:RegisterTargets", Err: errors.New("no")}
		}
		return nil
	}
	var last time.Duration
	for range 3 {
		res, _ := w.reconcile("web")
		if res.RequeueAfter < last || res.RequeueAfter == 0 {
			t.Errorf("again in %s after %s", res.RequeueAfter, last)
		}
		last = res.RequeueAfter
	}
	if len(w.notes.all) != 1 || !strings.Contains(w.notes.all[0], "allow it in the IAM policy") {
		t.Errorf("invariant 8: told %q", w.notes.all)
	}
	w.aws.fail = nil
	if _, calls := w.reconcile("web"); !slices.Equal(calls, []string{"health", "register"}) {
		t.Errorf("what failed is read again before it is tried again: %v", calls)
	}
}

func TestHalfAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.endpoints("10.0.0.2")
	w.aws.fail = func(call string) error {
		if call == "deregister" {
			return errors.New("cut")
		}
		return nil
	}
	w.reconcile("web")
	w.aws.fail = nil
	w.reconcile("web")
	if diff := cmp.Diff([]string{"10.0.0.2:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("invariant 2: %s", diff)
	}
}

func TestHealthIsLookedAtFastThenSlower(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	res, _ := w.reconcile("web")
	var pauses []time.Duration
	for last := w.now; len(pauses) < 8; {
		w.now = w.now.Add(res.RequeueAfter)
		var calls []string
		if res, calls = w.reconcile("web"); len(calls) == 0 {
			continue // the checkpoint is written
		}
		if pauses = append(pauses, w.now.Sub(last)); len(pauses) == 2 {
			w.becomes("healthy")
		}
		last = w.now
	}
	s := time.Second
	if diff := cmp.Diff([]time.Duration{10 * s, 10 * s, 15 * s, 10 * s, 20 * s, 40 * s, 80 * s, 160 * s}, pauses); diff != "" {
		t.Error(diff)
	}
}

func TestDriftIsRepaired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1", "10.0.0.2")
	w.reconcile("web")
	w.becomes("healthy")
	w.aws.groups[groupARN] = map[model.Target]string{{ID: "10.0.0.1", Port: 8080}: "healthy", {ID: "10.0.0.66", Port: 1}: "healthy"}
	for range 5 {
		w.now = w.now.Add(10 * time.Second)
		w.reconcile("web")
	}
	if diff := cmp.Diff([]string{"10.0.0.1:8080", "10.0.0.2:8080"}, w.aws.registered()); diff != "" {
		t.Error(diff)
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why    string
		change func(*elbv2v1beta1.TargetGroupBinding)
		also   []client.Object
		groups bool
		want   []string
	}{
		{"a user's binding takes its targets along", func(*elbv2v1beta1.TargetGroupBinding) {}, nil, true, nil},
		{"of a stack's the target group goes, and its targets with it", made, nil, true, []string{"10.0.0.1:8080"}},
		{"another binding keeps the target group", func(*elbv2v1beta1.TargetGroupBinding) {}, []client.Object{binding("other", younger)}, true, []string{"10.0.0.1:8080"}},
		{"the target group is gone already", func(*elbv2v1beta1.TargetGroupBinding) {}, nil, false, nil},
	} {
		w := newWorld(t, append(c.also, service(), binding("web", c.change))...)
		w.endpoints("10.0.0.1")
		w.reconcile("web")
		if !c.groups {
			delete(w.aws.groups, groupARN)
		}
		if err := w.api.Delete(t.Context(), binding("web")); err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.reconcile("web")
		if diff := cmp.Diff(c.want, w.aws.registered()); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if err := w.api.Get(t.Context(), client.ObjectKeyFromObject(binding("web")), &elbv2v1beta1.TargetGroupBinding{}); err == nil {
			t.Errorf("%s: the finalizer is still there", c.why)
		}
	}
}

func TestServiceThatIsGoneTakesItsTargetsAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	if err := w.api.Delete(t.Context(), &corev1.Service{ObjectMeta: service().ObjectMeta}); err != nil {
		t.Fatal(err)
	}
	w.reconcile("web")
	if got := w.aws.registered(); len(got) > 0 {
		t.Errorf("registered %v", got)
	}
}

func TestNetworkHearsOfEveryBinding(t *testing.T) {
	t.Parallel()
	port := intstr.FromInt32(8080)
	admit := func(b *elbv2v1beta1.TargetGroupBinding) {
		b.Spec.Networking = &elbv2v1beta1.TargetGroupBindingNetworking{Ingress: []elbv2v1beta1.NetworkingIngressRule{{
			From:  []elbv2v1beta1.NetworkingPeer{{SecurityGroup: &elbv2v1beta1.SecurityGroup{GroupID: "sg-1"}}},
			Ports: []elbv2v1beta1.NetworkingPort{{Port: &port}},
		}}}
	}
	w := newWorld(t, service(), binding("web", admit), binding("plain"))
	w.endpoints("10.0.0.1")
	if ok, err := w.Heard(t.Context()); ok || err != nil {
		t.Errorf("nothing was reconciled yet: %v, %v", ok, err)
	}
	w.aws.fail = func(string) error { return errors.New("throttled") }
	w.reconcile("web")
	if ok, err := w.Heard(t.Context()); !ok || err != nil {
		t.Errorf("what a binding needs is known before AWS answers, and one that needs nothing is not waited for: %v, %v", ok, err)
	}
	w.network.wake()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.network.Start(ctx) }()
	for range 1000 {
		if w.aws.count("AuthorizeSecurityGroupIngress") > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil || w.aws.count("AuthorizeSecurityGroupIngress") == 0 {
		t.Errorf("the group of the pod admits nobody: %v", err)
	}
}

func (a *account) count(call string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, c := range a.calls {
		if c == call {
			n++
		}
	}
	return n
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	number, named := intstr.FromInt32(80), intstr.FromString("http")
	udp := elbv2v1beta1.NetworkingProtocol("UDP")
	group := elbv2v1beta1.NetworkingPeer{SecurityGroup: &elbv2v1beta1.SecurityGroup{GroupID: "sg-1"}}
	block := elbv2v1beta1.NetworkingPeer{IPBlock: &elbv2v1beta1.IPBlock{CIDR: "10.0.0.0/8"}}
	for _, c := range []struct {
		why  string
		rule elbv2v1beta1.NetworkingIngressRule
		want string
	}{
		{"no ports: every TCP port", elbv2v1beta1.NetworkingIngressRule{From: []elbv2v1beta1.NetworkingPeer{group}}, "tcp 0-65535 sg-1"},
		{"a number", elbv2v1beta1.NetworkingIngressRule{From: []elbv2v1beta1.NetworkingPeer{block}, Ports: []elbv2v1beta1.NetworkingPort{{Port: &number}}}, "tcp 80-80 10.0.0.0/8"},
		{"a name is what the endpoints have", elbv2v1beta1.NetworkingIngressRule{From: []elbv2v1beta1.NetworkingPeer{group}, Ports: []elbv2v1beta1.NetworkingPort{{Port: &named}}}, "tcp 8080-8080 sg-1"},
		{"UDP", elbv2v1beta1.NetworkingIngressRule{From: []elbv2v1beta1.NetworkingPeer{group}, Ports: []elbv2v1beta1.NetworkingPort{{Protocol: &udp}}}, "udp 0-65535 sg-1"},
		{"nobody", elbv2v1beta1.NetworkingIngressRule{From: []elbv2v1beta1.NetworkingPeer{{}}}, ""},
	} {
		b := binding("web", func(b *elbv2v1beta1.TargetGroupBinding) {
			b.Spec.Networking = &elbv2v1beta1.TargetGroupBindingNetworking{Ingress: []elbv2v1beta1.NetworkingIngressRule{c.rule}}
		})
		var all []string
		for _, p := range permissions(b, []model.Target{{ID: "10.0.0.1", Port: 8080}}) {
			all = append(all, fmt.Sprintf("%s %d-%d %s%s", p.Protocol, p.FromPort, p.ToPort, p.CIDR, p.Source.ID))
		}
		if got := strings.Join(all, ","); got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
}

func TestBindingsOfObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"), binding("other", func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.ServiceRef.Name = "api" }))
	for why, got := range map[string][]string{
		"a slice":   names(w.bindingsOfSlice(t.Context(), slice("x"))),
		"a Service": names(w.bindingsOfService(t.Context(), service())),
	} {
		if diff := cmp.Diff([]string{"shop/web"}, got); diff != "" {
			t.Errorf("%s wakes the bindings of its Service: %s", why, diff)
		}
	}
}
