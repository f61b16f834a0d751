package stack_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

func TestBindingsFollowTargetGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	all := w.bindings()
	if len(all) != 1 {
		t.Fatalf("one target group, %d bindings", len(all))
	}
	b, group := all[0], w.aws.stacks[owner()].TargetGroups[0]
	if b.Name != group.Name || b.Namespace != "shop" || b.Spec.TargetGroupARN != string(group.ARN) {
		t.Errorf("a binding is named like its target group: %+v", b)
	}
	if diff := cmp.Diff(elbv2v1beta1.ServiceReference{Name: "svc-a", Port: intstr.FromInt32(80)}, b.Spec.ServiceRef); diff != "" {
		t.Error(diff)
	}
	prefix, name, ok := stack.OwnerOf(&b)
	if !ok || prefix != model.PrefixIngress || name != "shop" || !stack.Made(&b) {
		t.Errorf("whose it is shows in its labels: %v", b.Labels)
	}
	backend := w.aws.stacks[model.Owner{Cluster: "c1"}].SecurityGroups[0].ARN
	if n := b.Spec.Networking; n == nil || n.Ingress[0].From[0].SecurityGroup.GroupID != string(backend) || n.Ingress[0].Ports[0].Port.IntValue() != 8080 {
		t.Errorf("pods admit the shared group on their port: %+v", n)
	}
}

func TestBindingsOfStacksAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	b := w.bindings()[0]
	b.Spec.ServiceRef.Name, b.Spec.Networking = "edited", nil
	if err := w.api.Update(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	w.quiet("a binding that somebody edited is put right without AWS", func() { w.run(request(member("a"))) })
	if got := w.bindings()[0].Spec; got.ServiceRef.Name != "svc-a" || got.Networking == nil {
		t.Errorf("%+v", got)
	}
	if err := w.api.Delete(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	w.run(request(member("a")))
	if len(w.bindings()) != 1 {
		t.Error("a binding that somebody deleted is made again")
	}
}

func TestBindingOfAGroupThatStillServesStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.DeleteRule {
			return denied()
		}
		return nil
	}
	if _, err := w.loop.Run(t.Context(), request(member("b"))); err == nil {
		t.Fatal("the rule of a cannot be deleted")
	}
	if got := len(w.bindings()); got != 2 {
		t.Errorf("invariant 4: the rule of a still serves, and %d bindings keep targets up to date", got)
	}
	w.aws.fail = nil
	w.settle(request(member("b")))
	if got := len(w.bindings()); got != 1 {
		t.Errorf("%d bindings", got)
	}
}

func TestBindingOfTheSameNameIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	// The targets lane has not let the binding go yet when its target group comes again.
	b := w.bindings()[0]
	b.Finalizers = []string{"elbv2.k8s.aws/resources"}
	if err := w.api.Update(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	w.settle(request(member("c")))
	if res := w.run(request(member("a"), member("c"))); res.Settled || res.RequeueAfter <= 0 {
		t.Errorf("the new target group has no binding yet: %+v", res)
	}
	b = *w.binding(b.Name)
	b.Finalizers = nil
	if err := w.api.Update(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	w.settle(request(member("a"), member("c")))
	if got := len(w.bindings()); got != 2 {
		t.Errorf("%d bindings, want 2", got)
	}
}

func (w *world) binding(name string) *elbv2v1beta1.TargetGroupBinding {
	w.Helper()
	for _, b := range w.bindings() {
		if b.Name == name {
			return &b
		}
	}
	w.Fatalf("there is no binding %s", name)
	return nil
}

func TestUserMadeBindingIsNobodys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why    string
		labels map[string]string
		made   bool
		name   string
	}{
		{"an explicit group, under a name of its own", map[string]string{"ingress.k8s.aws/stack": "g"}, false, "mine"},
		{"no labels", nil, false, "tg"},
		{"labels of somebody's own", map[string]string{"app": "x", "example.com/stack": "y"}, false, "tg"},
		{"an explicit group", map[string]string{"ingress.k8s.aws/stack": "g"}, true, "tg"},
		{"an Ingress of its own", map[string]string{"ingress.k8s.aws/stack-namespace": "n", "ingress.k8s.aws/stack-name": "i"}, true, "tg"},
		{"a Gateway", map[string]string{"gateway.k8s.aws.alb/stack-namespace": "n", "gateway.k8s.aws.alb/stack-name": "g"}, true, "tg"},
	} {
		b := &elbv2v1beta1.TargetGroupBinding{}
		b.Labels, b.Name = c.labels, c.name
		b.Spec.TargetGroupARN = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/tg/0123"
		if got := stack.Made(b); got != c.made {
			t.Errorf("%s: made for a stack: %v", c.why, got)
		}
	}
}

func TestBindingWithoutRulesForPods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	w.settle(request(member("a", func(f *intent.Fragment) { f.Settings.SecurityGroups = []string{"sg-mine"} })))
	if n := w.bindings()[0].Spec.Networking; n != nil {
		t.Errorf("whose groups are the user's own asks pods for nothing: %+v", n)
	}
}

// forged is a binding that a user wrote like the stack's.
func (w *world) forged(namespace, name string) *elbv2v1beta1.TargetGroupBinding {
	w.Helper()
	f := w.bindings()[0].DeepCopy()
	f.ObjectMeta = metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: f.Labels}
	f.Spec.ServiceRef.Name = "mine"
	if err := w.api.Create(w.Context(), f); err != nil {
		w.Fatal(err)
	}
	return f
}

func TestBindingsThatUsersWroteLikeAStacksAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"shop/mine", "evil/same"} {
		w := newWorld(t)
		w.settle(request(member("a")))
		made := w.bindings()[0]
		namespace, name, _ := strings.Cut(where, "/")
		if name == "same" {
			name = made.Name
		}
		f := w.forged(namespace, name)
		for range 2 {
			w.run(request(member("a")))
			w.restart()
		}
		made.Spec.ServiceRef.Name = "edited"
		if err := w.api.Update(t.Context(), &made); err != nil {
			t.Fatal(err)
		}
		w.settle(request(member("a")))
		w.settle(request(member("b")))
		var services []string
		for _, b := range w.bindings() {
			services = append(services, b.Namespace+"/"+b.Spec.ServiceRef.Name)
		}
		slices.Sort(services)
		want := []string{f.Namespace + "/mine", "shop/svc-b"}
		slices.Sort(want)
		if diff := cmp.Diff(want, services); diff != "" {
			t.Errorf("invariant 5: %s: %s", where, diff)
		}
	}
}

// TestBindingOfTheIncumbentIsTaken: it has the labels, the name and the target group already.
func TestBindingOfTheIncumbentIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	b := w.bindings()[0]
	b.Spec.ServiceRef.Name, b.Labels["app"], b.UID = "svc-old", "kept", "incumbents"
	if err := w.api.Update(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	w.lose()
	w.restart()
	w.settle(request(member("a")))
	all := w.bindings()
	if len(all) != 1 || all[0].Spec.ServiceRef.Name != "svc-a" || all[0].Labels["app"] != "kept" {
		t.Errorf("invariant 1: %+v", all)
	}
	all[0].Labels = nil
	if err := w.api.Update(t.Context(), &all[0]); err != nil {
		t.Fatal(err)
	}
	w.settle(request(member("a")))
	if all := w.bindings(); len(all) != 1 || !stack.Made(&all[0]) {
		t.Errorf("labels that somebody took away come back: %+v", all)
	}
}

func TestTargetGroupThatIsMadeAgainGetsItsBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	w.aws.stacks[owner()] = model.Stack{Owner: owner()} // somebody deleted everything
	w.lose()
	w.restart()
	w.settle(request(member("a")))
	if all := w.bindings(); len(all) != 1 || all[0].Spec.TargetGroupARN != string(w.aws.stacks[owner()].TargetGroups[0].ARN) {
		t.Errorf("the binding is of the target group that is gone: %+v", all)
	}
}

// TestBindingGoesWithItsTargetGroup: also while AWS refuses something else of the stack. Pods that come would get a gate that nobody opens.
func TestBindingGoesWithItsTargetGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.patient = true
	w.settle(request(member("a"), member("b")))
	w.targets("shop/a-svc:80", 1, "healthy")
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.ModifyTargetGroupAttributes {
			return denied()
		}
		return nil
	}
	next := request(member("a", renamed), member("b", func(f *intent.Fragment) {
		f.Routes[0].Forward.Backends[0].Service.Group.Attributes = map[string]string{"deregistration_delay.timeout_seconds": "30"}
	}))
	bound := func(name string) bool {
		return slices.ContainsFunc(w.bindings(), func(b elbv2v1beta1.TargetGroupBinding) bool { return b.Spec.ServiceRef.Name == name })
	}
	for range 4 {
		_, err := w.loop.Run(w.Context(), next)
		if slices.Contains(w.groups(), "shop/a-svc:80") && !bound("svc-a") {
			t.Fatal("the binding goes before its target group")
		}
		if err == nil {
			t.Fatal("nothing was refused: the test proves nothing")
		}
		w.targets("shop/a-new:80", 1, "healthy")
		w.now = w.now.Add(31 * time.Minute)
	}
	if slices.Contains(w.groups(), "shop/a-svc:80") || bound("svc-a") || !bound("svc-new") || !bound("svc-b") {
		t.Errorf("target groups %v, bindings %v", w.groups(), w.bindings())
	}
}

func TestBindingSaysWhichTargetsItsGroupHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asking := func(settings intent.GroupSettings) stack.Request {
		return request(member("a", func(f *intent.Fragment) {
			s := f.Routes[0].Forward.Backends[0].Service
			s.NodePort, s.Group = 30080, settings
		}))
	}
	nodes := intent.GroupSettings{TargetType: "instance", Nodes: "role in (api,web),team=shop", MultiCluster: true}
	w.settle(asking(nodes))
	spec := w.bindings()[0].Spec
	want := &metav1.LabelSelector{
		MatchLabels:      map[string]string{"team": "shop"},
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "role", Operator: metav1.LabelSelectorOpIn, Values: []string{"api", "web"}}},
	}
	if diff := cmp.Diff(want, spec.NodeSelector); diff != "" || !spec.MultiClusterTargetGroup || *spec.TargetType != elbv2v1beta1.TargetTypeInstance {
		t.Errorf("what was set: %s, %+v", diff, spec)
	}
	w.quiet("removed: the binding follows without AWS", func() { w.run(asking(intent.GroupSettings{TargetType: "instance"})) })
	if spec := w.bindings()[0].Spec; spec.NodeSelector != nil || spec.MultiClusterTargetGroup {
		t.Errorf("what was removed: %+v", spec)
	}
}
