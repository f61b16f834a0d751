package targets

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

// node is a ready one of an instance with an address, changed.
func node(id, address string, change ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node-" + id},
		Spec:       corev1.NodeSpec{ProviderID: "aws:///eu-west-1a/i-" + id},
		Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: "x"}, {Type: corev1.NodeInternalIP, Address: address}},
		},
	}
	for _, c := range change {
		c(n)
	}
	return n
}

func labelled(key, value string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels = map[string]string{key: value} }
}

func tainted(key string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: key}} }
}

func is(state corev1.ConditionStatus) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Status.Conditions[0].Status = state }
}

func provided(id string) func(*corev1.Node) { return func(n *corev1.Node) { n.Spec.ProviderID = id } }

func nodePorts() *corev1.Service {
	s := service()
	s.Spec.Type, s.Spec.Ports[0].NodePort = corev1.ServiceTypeNodePort, 30080
	return s
}

func toNodes(b *elbv2v1beta1.TargetGroupBinding) {
	instance := elbv2v1beta1.TargetTypeInstance
	b.Spec.TargetType = &instance
}

func TestNodesThatAreTargets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why  string
		node *corev1.Node
		want bool
	}{
		{"a ready one", node("2", "10.0.1.2"), true},
		{"one that is cordoned still serves", node("2", "10.0.1.2", func(n *corev1.Node) { n.Spec.Unschedulable = true }), true},
		{"of the control plane", node("2", "10.0.1.2", labelled(labelControlPlane, "")), false},
		{"excluded", node("2", "10.0.1.2", labelled(labelExclude, "true")), false},
		{"excluded, the old way", node("2", "10.0.1.2", labelled(labelExcludeAlpha, "true")), false},
		{"Fargate has no instance to register", node("2", "10.0.1.2", labelled(labelCompute, computeFargate)), false},
		{"another compute type", node("2", "10.0.1.2", labelled(labelCompute, "ec2")), true},
		{"about to be removed by the autoscaler", node("2", "10.0.1.2", tainted(taintAutoscaler)), false},
		{"about to be removed by Karpenter", node("2", "10.0.1.2", tainted(taintKarpenter)), false},
		{"another taint", node("2", "10.0.1.2", tainted("team")), true},
		{"not ready", node("2", "10.0.1.2", is(corev1.ConditionFalse)), false},
		{"not heard of, while another one is ready", node("2", "10.0.1.2", is(corev1.ConditionUnknown)), false},
		{"outside EC2", node("2", "10.0.1.2", provided("eks-hybrid:///eu-west-1/c/mi-2")), false},
		{"without a provider yet", node("2", "10.0.1.2", provided("")), false},
	} {
		w := newWorld(t, nodePorts(), binding("web", toNodes), node("1", "10.0.1.1"), c.node)
		if _, calls := w.reconcile("web"); !slices.Equal(calls, []string{"health", "register"}) {
			t.Errorf("%s: calls %v", c.why, calls)
		}
		want := []string{"i-1:30080"}
		if c.want {
			want = append(want, "i-2:30080")
		}
		if diff := cmp.Diff(want, w.aws.registered()); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if _, calls := w.reconcile("web"); len(calls) > 0 {
			t.Errorf("%s: invariant 1: once more made %v", c.why, calls)
		}
	}
}

func TestNodesFailOpen(t *testing.T) {
	t.Parallel()
	for open, want := range map[FailOpen][]string{LeaveUnready: nil, RegisterUnready: {"i-1:30080"}} {
		w := newWorld(t, nodePorts(), binding("web", toNodes), node("1", "10.0.1.1", is(corev1.ConditionUnknown)), node("2", "10.0.1.2", is(corev1.ConditionFalse)))
		w.opts.FailOpen = open
		w.reconcile("web")
		if diff := cmp.Diff(want, w.aws.registered()); diff != "" {
			t.Errorf("no node is ready, fail-open %v: %s", open, diff)
		}
	}
}

func TestNodeSelector(t *testing.T) {
	t.Parallel()
	selecting := func(s *metav1.LabelSelector) func(*elbv2v1beta1.TargetGroupBinding) {
		return func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.NodeSelector = s }
	}
	expression := func(operator metav1.LabelSelectorOperator) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "role", Operator: operator}}}
	}
	for _, c := range []struct {
		why      string
		selector *metav1.LabelSelector
		want     []string
		says     string
	}{
		{"one that has the label", &metav1.LabelSelector{MatchLabels: map[string]string{"role": "web"}}, []string{"i-1:30080"}, ""},
		{"an expression", expression(metav1.LabelSelectorOpDoesNotExist), []string{"i-2:30080"}, ""},
		{"an empty one is all", &metav1.LabelSelector{}, []string{"i-1:30080", "i-2:30080"}, ""},
		{"one that cannot be read changes nothing", expression("Near"), nil, "InvalidNodeSelector: spec.nodeSelector"},
	} {
		w := newWorld(t, nodePorts(), binding("web", toNodes, selecting(c.selector)), node("1", "10.0.1.1", labelled("role", "web")), node("2", "10.0.1.2"))
		w.reconcile("web")
		if diff := cmp.Diff(c.want, w.aws.registered()); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if said := strings.Join(w.notes.all, "\n"); !strings.Contains(said, c.says) || (c.says == "") != (said == "") {
			t.Errorf("%s: said %q", c.why, said)
		}
	}
}

func TestNodesAdmitTrafficOnTheirOwnAddresses(t *testing.T) {
	t.Parallel()
	networking := func(b *elbv2v1beta1.TargetGroupBinding) {
		b.Spec.Networking = &elbv2v1beta1.TargetGroupBindingNetworking{Ingress: []elbv2v1beta1.NetworkingIngressRule{{
			From: []elbv2v1beta1.NetworkingPeer{{SecurityGroup: &elbv2v1beta1.SecurityGroup{GroupID: "sg-lb"}}},
		}}}
	}
	w := newWorld(t, nodePorts(), binding("web", toNodes, networking), node("1", "10.0.1.1"), node("2", "10.0.1.2", tainted(taintKarpenter)))
	w.reconcile("web")
	if diff := cmp.Diff([]string{"10.0.1.1"}, w.admitted()); diff != "" {
		t.Errorf("the groups of a node's interface admit its traffic: %s", diff)
	}
}

func TestNodesWakeTheirBindingsWhenTheyMatter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nodePorts(), binding("web", toNodes), binding("pods"))
	if diff := cmp.Diff([]string{"shop/web"}, names(w.bindingsOfNode(t.Context(), node("1", "10.0.1.1")))); diff != "" {
		t.Errorf("only bindings of nodes: %s", diff)
	}
	for _, c := range []struct {
		why   string
		after *corev1.Node
		want  bool
	}{
		{"a heartbeat", node("1", "10.0.1.1", func(n *corev1.Node) { n.Status.Conditions[0].Reason = "again" }), false},
		{"a state", node("1", "10.0.1.1", is(corev1.ConditionUnknown)), true},
		{"a label", node("1", "10.0.1.1", labelled("role", "web")), true},
		{"a taint that excludes", node("1", "10.0.1.1", tainted(taintAutoscaler)), true},
		{"a taint that does not", node("1", "10.0.1.1", tainted("team")), false},
		{"its instance", node("2", "10.0.1.1"), true},
		{"its address", node("1", "10.0.1.9"), true},
	} {
		if got := matters().Update(event.UpdateEvent{ObjectOld: node("1", "10.0.1.1"), ObjectNew: c.after}); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
		slim, err := Slim(c.after.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := slim.(*corev1.Node); !ok || matters().Update(event.UpdateEvent{ObjectOld: c.after, ObjectNew: n}) {
			t.Errorf("%s: the cache drops what is read: %v", c.why, slim)
		}
	}
}
