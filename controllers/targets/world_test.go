package targets

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

// groupARN is the target group of the tests' bindings.
const groupARN = model.ARN("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web/1")

// account holds target groups with the states of their targets, and counts calls.
type account struct {
	mu     sync.Mutex
	groups map[model.ARN]map[model.Target]string
	calls  []string
	// shape is what every target group is like, empty where a test does not ask; described counts how often that was asked for.
	shape     model.TargetGroup
	described int
	// reason is that of all health.
	reason string
	// admitted are the addresses whose security groups were asked for last.
	admitted []string
	// hidden is an address without an interface.
	hidden string
	fail   func(call string) error
}

func (a *account) call(name string, group model.ARN) error {
	a.calls = append(a.calls, name)
	if a.fail != nil {
		if err := a.fail(name); err != nil {
			return err
		}
	}
	if !strings.Contains(string(group), ":targetgroup/") {
		return &fault.Error{Class: fault.Invalid, Code: "ValidationError", Action: name, Err: fmt.Errorf("%s is not a valid target group ARN", group)}
	}
	if a.groups[group] == nil {
		return &fault.Error{Class: fault.NotFound, Code: "TargetGroupNotFound", Action: name, Err: fmt.Errorf("no target group %s", group)}
	}
	return nil
}

func (a *account) Register(_ context.Context, group model.ARN, targets []model.Target) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.call("register", group); err != nil {
		return err
	}
	for _, t := range targets {
		a.groups[group][t] = "initial"
	}
	return nil
}

func (a *account) Deregister(_ context.Context, group model.ARN, targets []model.Target) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.call("deregister", group); err != nil {
		return err
	}
	for _, t := range targets {
		a.groups[group][t] = "draining"
	}
	return nil
}

func (a *account) Health(_ context.Context, group model.ARN) ([]model.TargetHealth, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.call("health", group); err != nil {
		return nil, err
	}
	var out []model.TargetHealth
	for t, state := range a.groups[group] {
		out = append(out, model.TargetHealth{Target: t, State: state, Reason: a.reason})
	}
	slices.SortFunc(out, func(x, y model.TargetHealth) int { return strings.Compare(x.Target.ID, y.Target.ID) })
	return out, nil
}

// TargetGroup describes one; that is not among the calls but counted by itself.
func (a *account) TargetGroup(_ context.Context, name string) (model.TargetGroup, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.described++
	for arn := range a.groups {
		if at, _ := placeOf(arn); string(arn) == name || at.name == name {
			g := a.shape
			g.ARN, g.Name = arn, at.name
			return g, nil
		}
	}
	return model.TargetGroup{}, &fault.Error{Class: fault.NotFound, Code: "TargetGroupNotFound", Err: fmt.Errorf("no target group %s", name)}
}

func (a *account) Facts(_ context.Context, need model.Needs) (model.Facts, error) {
	out := model.Facts{Region: "eu-west-1", VPC: model.VPC{ID: "vpc-1", CIDRs: []string{"10.0.0.0/16", "fd00::/64"}}, TargetGroups: map[string]model.ARN{}}
	for _, name := range need.TargetGroupNames {
		if name == "web" {
			out.TargetGroups[name] = groupARN
		}
	}
	out.PodGroups = map[string]string{}
	if len(need.PodIPs) > 0 {
		a.admitted = slices.Clone(need.PodIPs)
	}
	for _, ip := range need.PodIPs {
		if ip != a.hidden {
			out.PodGroups[ip] = "sg-node"
		}
	}
	return out, nil
}

func (a *account) Observe(_ context.Context, owner model.Owner, _ []model.Key) (model.Stack, error) {
	return model.Stack{Owner: owner}, nil
}

func (a *account) Apply(_ context.Context, p plan.Plan) (model.Outputs, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range p.Changes {
		a.calls = append(a.calls, string(c.Op))
		if a.fail != nil {
			if err := a.fail(string(c.Op)); err != nil {
				return model.Outputs{}, err
			}
		}
	}
	return model.Outputs{ARNs: map[model.Key]model.ARN{}}, nil
}

// registered are the targets that do not drain, as address:port with the zone where there is one.
func (a *account) registered() []string {
	var out []string
	for t, state := range a.groups[groupARN] {
		if state != "draining" {
			out = append(out, strings.TrimSuffix(fmt.Sprintf("%s:%d %s", t.ID, t.Port, t.Zone), " "))
		}
	}
	slices.Sort(out)
	return out
}

// notes record events as "reason: text".
type notes struct{ all []string }

func (n *notes) Eventf(_, _ runtime.Object, _, reason, _, note string, args ...any) {
	n.all = append(n.all, reason+": "+fmt.Sprintf(note, args...))
}

// world is an account, an API server and the lane.
type world struct {
	*testing.T
	*Reconciler

	aws   *account
	api   client.Client
	notes *notes
	now   time.Time
	// watches counts the namespaces whose pods are watched.
	watches int
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, discoveryv1.AddToScheme, elbv2v1beta1.AddToScheme, headgatev1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{
		T: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		aws: &account{
			groups: map[model.ARN]map[model.Target]string{groupARN: {}},
		},
	}
	w.api = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&corev1.Pod{}, &elbv2v1beta1.TargetGroupBinding{}, &headgatev1alpha1.LoadBalancer{}).Build()
	w.restart()
	return w
}

// restart is a new operator.
func (w *world) restart() {
	clock := func() time.Time { return w.now }
	w.notes = &notes{}
	cluster := stack.NewCluster(w.aws, stack.ClusterOptions{Name: "c1", Now: clock})
	w.Reconciler = &Reconciler{
		client: w.api, live: w.api, lane: newLane(w.aws), looks: newLooks(), home: w.aws, names: w.aws, board: stack.NewBoard(w.api, clock),
		network: NewNetwork(cluster, Pace{Quiet: time.Millisecond}), voice: outcome.NewVoice(w.notes, clock), opts: Options{Now: clock, Poll: pollPending},
		files: map[types.NamespacedName]file{}, owners: map[model.ARN]types.NamespacedName{},
	}
	w.pods = newPods()
	w.pods.open = func(context.Context, string, func(_, _ *corev1.Pod)) (watched, error) {
		w.watches++
		return watched{w.api, func(context.Context) bool { return true }}, nil
	}
	w.network.Hear(w.Heard)
}

// reconcile runs once, and gives the calls that it made.
func (w *world) reconcile(name string) (reconcile.Result, []string) {
	w.Helper()
	before := len(w.aws.calls)
	res, err := w.Reconcile(w.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "shop", Name: name}})
	if err != nil {
		w.Fatal(err)
	}
	calls := append([]string(nil), w.aws.calls[before:]...)
	slices.Sort(calls) // they go out side by side
	return res, calls
}

func (w *world) create(objects ...client.Object) {
	w.Helper()
	for _, o := range objects {
		if err := w.api.Create(w.Context(), o); err != nil {
			w.Fatal(err)
		}
	}
}

// endpoints replaces the Service's endpoints: ready addresses, or with a state: "10.0.0.1 unready", "… terminating", "… gone" (it
// terminates and does not serve).
func (w *world) endpoints(all ...string) {
	w.Helper()
	s := slice("web", all...)
	old := &discoveryv1.EndpointSlice{}
	if err := w.api.Get(w.Context(), client.ObjectKeyFromObject(s), old); err == nil {
		s.ResourceVersion = old.ResourceVersion
		if err := w.api.Update(w.Context(), s); err != nil {
			w.Fatal(err)
		}
		return
	}
	w.create(s)
}

func slice(name string, all ...string) *discoveryv1.EndpointSlice {
	portName, number := "http", int32(8080)
	s := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &portName, Port: &number}},
	}
	for _, text := range all {
		address, state, _ := strings.Cut(text, " ")
		e := discoveryv1.Endpoint{Addresses: []string{address}}
		yes, no := true, false
		switch state {
		case "unready":
			e.Conditions = discoveryv1.EndpointConditions{Ready: &no, Serving: &no, Terminating: &no}
		case "terminating":
			e.Conditions = discoveryv1.EndpointConditions{Ready: &no, Serving: &yes, Terminating: &yes}
		case "gone":
			e.Conditions = discoveryv1.EndpointConditions{Ready: &no, Serving: &no, Terminating: &yes}
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	return s
}

func service() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}
}

func binding(name string, change ...func(*elbv2v1beta1.TargetGroupBinding)) *elbv2v1beta1.TargetGroupBinding {
	ip := elbv2v1beta1.TargetTypeIP
	b := &elbv2v1beta1.TargetGroupBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name), Generation: 1},
		Spec: elbv2v1beta1.TargetGroupBindingSpec{
			TargetGroupARN: string(groupARN), TargetType: &ip,
			ServiceRef: elbv2v1beta1.ServiceReference{Name: "web", Port: intstr.FromInt32(80)},
		},
	}
	for _, c := range change {
		c(b)
	}
	return b
}

// remove deletes a binding, and lets the lane hear of it.
func (w *world) remove(name string) (reconcile.Result, []string) {
	w.Helper()
	if err := w.api.Delete(w.Context(), binding(name)); err != nil {
		w.Fatal(err)
	}
	return w.reconcile(name)
}

// admitted are the addresses that the network admits traffic to.
func (w *world) admitted() []string {
	w.Helper()
	if err := w.network.cluster.Sync(w.Context()); err != nil {
		w.Fatal(err)
	}
	return w.aws.admitted
}

func (w *world) binding(name string) *elbv2v1beta1.TargetGroupBinding {
	w.Helper()
	b := &elbv2v1beta1.TargetGroupBinding{}
	if err := w.api.Get(w.Context(), clientKey(name), b); err != nil {
		w.Fatal(err)
	}
	return b
}

// ready is the condition Ready of a binding as "status reason: message", empty without one, and whether the binding is there.
func (w *world) ready(name string) (string, bool) {
	w.Helper()
	b := &elbv2v1beta1.TargetGroupBinding{}
	if err := w.api.Get(w.Context(), client.ObjectKeyFromObject(binding(name)), b); err != nil {
		return "", false
	}
	c := meta.FindStatusCondition(b.Status.Conditions, headgatev1alpha1.ConditionReady)
	if c == nil {
		return "", true
	}
	return fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message), true
}

// becomes sets all targets' states.
func (w *world) becomes(state string) {
	for t := range maps.Clone(w.aws.groups[groupARN]) {
		w.aws.groups[groupARN][t] = state
	}
}

// younger makes a binding one that was written after the others.
func younger(b *elbv2v1beta1.TargetGroupBinding) {
	b.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

func clientKey(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "shop", Name: name}
}

func names(requests []reconcile.Request) []string {
	var out []string
	for _, r := range requests {
		out = append(out, r.String())
	}
	return out
}
