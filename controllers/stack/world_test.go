package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// account is an AWS account in memory: it holds what plans made, change by change.
type account struct {
	mu     sync.Mutex
	stacks map[model.Owner]model.Stack
	made   int
	// writes are the operations that took effect, reads counts observations, empty plans are no writes.
	writes []plan.Op
	reads  int
	// idle counts the observations that nobody waits for.
	idle int
	// certificates and groups are facts.
	certificates []model.Certificate
	groups       map[string][]string
	podGroups    map[string]string
	noSubnets    bool
	// down refuses every read; missing comes with facts that are complete but for it.
	down    bool
	missing error
	// missed says that the last reading of facts was by somebody who missed something.
	missed bool
	// fail, where it is set, says which changes AWS refuses; slow keeps new load balancers provisioning.
	fail func(plan.Change) error
	slow bool
	// patient says that what waits for a target group, or for a load balancer to retire, does, as it does at AWS.
	patient bool
	// listeners are those of load balancers that are not their stack's at the moment.
	listeners map[model.ARN][]model.Listener
	// giver is the stack whose resources another one may take.
	giver model.Owner
}

func newAccount() *account {
	return &account{stacks: map[model.Owner]model.Stack{}, listeners: map[model.ARN][]model.Listener{}}
}

func (a *account) Facts(_ context.Context, need model.Needs) (model.Facts, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.missed = need.Missed
	if a.down {
		return model.Facts{}, errors.New("AWS does not answer")
	}
	out := model.Facts{
		VPC: model.VPC{ID: "vpc-1", CIDRs: []string{"10.0.0.0/16"}}, Certificates: a.certificates, SecurityGroups: a.groups,
		PodGroups: map[string]string{},
	}
	for i, zone := range []string{"a", "b"} {
		tags := map[string]string{"kubernetes.io/role/internal-elb": "1", "kubernetes.io/role/elb": "1"}
		if !a.noSubnets {
			out.Subnets = append(out.Subnets, model.Subnet{ID: fmt.Sprintf("subnet-%d", i), Zone: zone, FreeAddresses: 100, Tags: tags})
		}
	}
	for _, ip := range need.PodIPs {
		if g := a.podGroups[ip]; g != "" {
			out.PodGroups[ip] = g
		}
	}
	if lb := a.stacks[need.Owner].LoadBalancer; lb != nil {
		out.Existing = &model.Existing{ARN: lb.ARN, Name: lb.Name, Scheme: lb.Scheme, IPAddressType: lb.IPAddressType, Subnets: lb.Subnets}
	}
	for _, g := range a.stacks[model.Owner{Cluster: need.Owner.Cluster}].SecurityGroups {
		if g.ID == model.ResourceBackendSecurityGroup {
			out.BackendSecurityGroup = string(g.ARN)
		}
	}
	return out, a.missing
}

// unhurried marks the reads that nobody waits for.
type unhurried struct{}

func (a *account) Observe(ctx context.Context, owner model.Owner, keys []model.Key) (model.Stack, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reads++
	if ctx.Value(unhurried{}) != nil {
		a.idle++
	}
	s, ok := a.stacks[owner]
	if !ok {
		s = model.Stack{Owner: owner}
	}
	s = a.lead(s, keys)
	return model.Normalize(s), nil
}

// lead has the newest load balancer of which no key says that it is replaced be the stack's, with its listeners. What plans do is done to it.
func (a *account) lead(s model.Stack, keys []model.Key) model.Stack {
	if s.LoadBalancer == nil {
		return s
	}
	replaced := func(lb model.LoadBalancer) bool {
		return slices.Contains(keys, model.Key{Kind: model.KindReplaced, ID: string(lb.ARN)})
	}
	all := append([]model.LoadBalancer{*s.LoadBalancer}, s.Leftovers...)
	slices.SortFunc(all, func(x, y model.LoadBalancer) int { return strings.Compare(string(y.ARN), string(x.ARN)) })
	first := max(slices.IndexFunc(all, func(lb model.LoadBalancer) bool { return !replaced(lb) }), 0)
	if lb := all[first]; lb.ARN != s.LoadBalancer.ARN {
		a.listeners[s.LoadBalancer.ARN] = s.Listeners
		s.LoadBalancer, s.Leftovers, s.Listeners = &lb, slices.Delete(all, first, first+1), a.listeners[lb.ARN]
		a.stacks[s.Owner] = s
	}
	return s
}

func (a *account) Apply(ctx context.Context, p plan.Plan) (model.Outputs, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.stacks[p.Owner]
	if !ok {
		s = model.Stack{Owner: p.Owner}
	}
	s = a.taken(s, p)
	var out model.Outputs
	var err error
	course := plan.CourseOf(ctx)
	missed := map[int]bool{}
	rules := map[model.Key]model.ARN{} // as in AWS, of rules only those that were just made have a known ARN
	for _, c := range p.Changes {
		if slices.ContainsFunc(c.After, func(id int) bool { return missed[id] }) {
			missed[c.ID] = true
			continue
		}
		if course.Newer() {
			out.Yielded = true
			break
		}
		if len(c.Needs) > 0 && comesUp(s, c.Needs[0].ARN) {
			missed[c.ID], out.Waiting = true, append(out.Waiting, model.Waiting{Key: c.Key, For: c.Needs[0].State})
			continue
		}
		if i := slices.IndexFunc(c.Needs, takesTime); i >= 0 && a.patient {
			missed[c.ID], out.Waiting = true, append(out.Waiting, model.Waiting{Key: c.Needs[i].Key, For: c.Needs[i].State})
			continue
		}
		if c.Op == plan.CreateLoadBalancer && s.LoadBalancer != nil {
			a.listeners[s.LoadBalancer.ARN] = s.Listeners
		}
		if next, failed := a.step(s, c); failed != nil {
			missed[c.ID], err = true, failed
		} else {
			s = next
			a.stacks[p.Owner] = s // a plan that is cut leaves what it did
			out.Done++
			if c.Op == plan.CreateTargetGroup {
				course.Made(c.Key, arnsOf(s)[c.Key])
			}
			if c.Op == plan.CreateRule {
				rules[c.Key] = "arn:rule"
			}
			a.writes = append(a.writes, c.Op)
		}
	}
	a.stacks[p.Owner] = s
	if empty(s) {
		delete(a.stacks, p.Owner)
	}
	out.ARNs, out.LoadBalancer = arnsOf(s), s.LoadBalancer
	maps.Copy(out.ARNs, rules)
	return out, err
}

// taken moves to a stack what a plan of it touches and the giver holds: here tags do not say whose a resource is.
func (a *account) taken(s model.Stack, p plan.Plan) model.Stack {
	giver, ok := a.stacks[a.giver]
	if !ok || a.giver == p.Owner {
		return s
	}
	touched := func(arn model.ARN) bool {
		return slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.ARN == arn })
	}
	if lb := giver.LoadBalancer; lb != nil && touched(lb.ARN) {
		s.LoadBalancer, s.Listeners, giver.LoadBalancer, giver.Listeners = lb, giver.Listeners, nil, nil
	}
	for _, g := range giver.TargetGroups {
		if touched(g.ARN) {
			s.TargetGroups = append(slices.Clone(s.TargetGroups), g)
		}
	}
	for _, g := range giver.SecurityGroups {
		if touched(g.ARN) {
			s.SecurityGroups = append(slices.Clone(s.SecurityGroups), g)
		}
	}
	giver.TargetGroups = slices.DeleteFunc(slices.Clone(giver.TargetGroups), func(g model.TargetGroup) bool { return touched(g.ARN) })
	giver.SecurityGroups = slices.DeleteFunc(slices.Clone(giver.SecurityGroups), func(g model.SecurityGroup) bool { return touched(g.ARN) })
	a.stacks[a.giver] = giver
	return s
}

// comesUp tells whether a load balancer of a stack, which is its own where none is named, is not active yet.
func comesUp(s model.Stack, arn model.ARN) bool {
	return slices.ContainsFunc(s.Balancers(), func(lb model.LoadBalancer) bool {
		return lb.State != plan.StateActive && (lb.ARN == arn || lb.ARN == s.LoadBalancer.ARN && arn == "")
	})
}

func takesTime(n plan.Need) bool {
	return n.Key.Kind == model.KindTargetGroup || n.State == plan.StateRetired
}

func (a *account) step(s model.Stack, c plan.Change) (model.Stack, error) {
	if a.fail != nil {
		if err := a.fail(c); err != nil {
			return s, err
		}
	}
	s, err := plan.Step(s, c)
	if err != nil {
		return s, err
	}
	if c.Op == plan.CreateLoadBalancer && a.slow {
		s.LoadBalancer.State = "provisioning"
	}
	return a.named(s), nil
}

// named gives new target groups ARNs of AWS's form.
func (a *account) named(s model.Stack) model.Stack {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	for _, g := range s.TargetGroups {
		if strings.HasPrefix(string(g.ARN), "made:") {
			a.made++
			arn := fmt.Sprintf("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/%s/%d", g.Name, a.made)
			text = []byte(strings.ReplaceAll(string(text), `"`+string(g.ARN)+`"`, `"`+arn+`"`))
		}
	}
	var out model.Stack
	if err := json.Unmarshal(text, &out); err != nil {
		panic(err)
	}
	return model.Normalize(out)
}

func denied() error {
	return &fault.Error{
		Class: fault.Denied, Code: "AccessDenied", Action: "elasticloadbalancing:CreateRule", Err: errors.New("not authorized"),
	}
}

func empty(s model.Stack) bool {
	return s.LoadBalancer == nil && len(s.SecurityGroups)+len(s.TargetGroups)+len(s.Leftovers)+len(s.Certificates) == 0
}

func arnsOf(s model.Stack) map[model.Key]model.ARN {
	out := map[model.Key]model.ARN{}
	if s.LoadBalancer != nil {
		out[model.Key{Kind: model.KindLoadBalancer, ID: s.LoadBalancer.ID}] = s.LoadBalancer.ARN
	}
	for _, g := range s.TargetGroups {
		key := model.Key{Kind: model.KindTargetGroup, ID: g.ID}
		if age(g.ARN) >= age(out[key]) { // it may replace one that is there still
			out[key] = g.ARN
		}
	}
	for _, g := range s.SecurityGroups {
		out[model.Key{Kind: model.KindSecurityGroup, ID: g.ID}] = g.ARN
	}
	for _, c := range s.Certificates {
		out[c.Key()] = c.ARN
	}
	for _, l := range s.Listeners {
		out[plan.ListenerKey(l)] = l.ARN
	}
	return out
}

// age is the number that a target group got when it was made: the later, the greater.
func age(arn model.ARN) int {
	n, err := strconv.Atoi(string(arn[strings.LastIndex(string(arn), "/")+1:]))
	if err != nil {
		return -1
	}
	return n
}

// world is an account, an API server and an operator.
type world struct {
	*testing.T

	aws    *account
	api    client.Client
	loop   *stack.Loop
	now    time.Time
	forgot int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		elbv2v1beta1.AddToScheme, headgatev1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{T: t, aws: newAccount(), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	w.api = fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&headgatev1alpha1.LoadBalancer{}).Build()
	w.restart()
	return w
}

// restart is a new operator over the same account and API server.
func (w *world) restart() { w.operator(w.api) }

func (w *world) operator(c client.Client) {
	cluster := stack.NewCluster(w.aws, stack.ClusterOptions{Name: "c1", Stacks: func(ctx context.Context) (int, error) {
		var list headgatev1alpha1.StackStateList
		err := w.api.List(ctx, &list)
		return len(list.Items), err
	}})
	w.loop = stack.New(c, w.aws, cluster, stack.Options{
		Now: func() time.Time { return w.now }, Forget: func(model.Owner) { w.forgot++ },
		Background: func(ctx context.Context) context.Context { return context.WithValue(ctx, unhurried{}, true) },
	})
}

// through is a new operator whose calls of the API server are intercepted.
func (w *world) through(f interceptor.Funcs) {
	w.Helper()
	watch, ok := w.api.(client.WithWatch)
	if !ok {
		w.Fatal("the fake client cannot watch")
	}
	w.operator(interceptor.NewClient(watch, f))
}

func owner() model.Owner {
	return model.Owner{Cluster: "c1", Prefix: model.PrefixIngress, Stack: "shop"}
}

func ref(name string) model.ObjectRef {
	return model.ObjectRef{Group: "networking.k8s.io", Kind: "Ingress", Namespace: "shop", Name: name, UID: "uid-" + name}
}

// member is an Ingress with one rule: its host goes to its Service.
func member(name string, change ...func(*intent.Fragment)) intent.Fragment {
	f := intent.Fragment{
		Member: ref(name), Listeners: []intent.Listener{{Port: 80, Protocol: "HTTP", Field: "listen-ports"}},
		Routes: []intent.Route{{
			Ports: []int{80}, Match: intent.Match{Hosts: []string{name + ".example.com"}}, Field: "spec.rules[0]",
			Forward: &intent.Forward{Backends: []intent.Backend{{Weight: 1, Service: &intent.Service{
				ID: "shop/" + name + "-svc:80", NameKey: "shop", Namespace: "shop", Name: "svc-" + name, Port: "80", TargetPort: 8080,
			}}}},
		}},
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func request(fragments ...intent.Fragment) stack.Request {
	return stack.Request{Intent: intent.Intent{
		Owner: owner(), Front: "ingress", Group: "shop", Order: intent.ByFragment, Fragments: fragments,
		Defaults: intent.Defaults{Cluster: "c1", Scheme: "internal", TargetType: "ip", SSLPolicy: "policy", BackendSecurityGroup: true},
	}}
}

// wrong adds a finding of the front door about member a.
func wrong(req stack.Request, field string) stack.Request {
	req.Findings = append(req.Findings, model.Finding{
		Object: ref("a"), Severity: model.Wrong, Reason: "InvalidValue", Field: field, Message: "is not right; make it right",
	})
	return req
}

// run does one run that must go well.
func (w *world) run(req stack.Request) stack.Result {
	w.Helper()
	req.Asked = w.loop.Asked(req.Intent.Owner)
	res, err := w.loop.Run(w.Context(), req)
	if err != nil {
		w.Fatal(err)
	}
	return res
}

// settle runs until nothing is left to do.
func (w *world) settle(req stack.Request) stack.Result {
	w.Helper()
	for range 5 {
		if res := w.run(req); res.Settled {
			return res
		}
	}
	w.Fatal("the stack does not settle")
	return stack.Result{}
}

// quiet runs f and fails if it wrote to AWS, or read more than the facts.
func (w *world) quiet(why string, f func()) {
	w.Helper()
	writes, reads := len(w.aws.writes), w.aws.reads
	f()
	if got := w.aws.writes[writes:]; len(got) > 0 {
		w.Errorf("%s: wrote %v", why, got)
	}
	if w.aws.reads != reads {
		w.Errorf("%s: observed %d times", why, w.aws.reads-reads)
	}
}

// answers are the rules of the load balancer in order: "host forward group" or "host code".
func (w *world) answers() []string {
	var out []string
	for _, l := range w.aws.stacks[owner()].Listeners {
		for _, r := range l.Rules {
			host, _ := r.Hosts()
			text := strings.Join(host, ",")
			switch a := r.Actions[0]; {
			case a.Forward != nil:
				text += " " + a.Forward.Groups[0].Key
			case a.FixedResponse != nil:
				text += " " + a.FixedResponse.StatusCode
			}
			out = append(out, text)
		}
	}
	return out
}

func (w *world) groups() []string {
	var out []string
	for _, g := range w.aws.stacks[owner()].TargetGroups {
		out = append(out, g.ID)
	}
	return out
}

// page is the LoadBalancer object of the stack.
func (w *world) page() headgatev1alpha1.LoadBalancer {
	w.Helper()
	var list headgatev1alpha1.LoadBalancerList
	if err := w.api.List(w.Context(), &list); err != nil {
		w.Fatal(err)
	}
	if len(list.Items) != 1 {
		w.Fatalf("there are %d LoadBalancer objects, want 1", len(list.Items))
	}
	return list.Items[0]
}

func (w *world) bindings() []elbv2v1beta1.TargetGroupBinding {
	w.Helper()
	var list elbv2v1beta1.TargetGroupBindingList
	if err := w.api.List(w.Context(), &list); err != nil {
		w.Fatal(err)
	}
	return list.Items
}

// lose deletes what the operator remembers of the stack.
func (w *world) lose() {
	w.Helper()
	state := headgatev1alpha1.StackState{}
	state.Name = stack.StateName(owner())
	if err := w.api.Delete(w.Context(), &state); err != nil {
		w.Fatal(err)
	}
}

// stored are the members whose last good fragments are kept.
func (w *world) stored() []string {
	w.Helper()
	var state headgatev1alpha1.StackState
	if err := w.api.Get(w.Context(), client.ObjectKey{Name: stack.StateName(owner())}, &state); err != nil {
		w.Fatal(err)
	}
	return slices.Sorted(maps.Keys(state.Spec.Fragments))
}
