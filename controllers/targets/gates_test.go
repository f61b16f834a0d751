package targets

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// gatedPod is one whose containers are ready, with gates that are not open.
func gatedPod(name string, gates ...string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name)}}
	for _, g := range gates {
		pod.Spec.ReadinessGates = append(pod.Spec.ReadinessGates, corev1.PodReadinessGate{ConditionType: corev1.PodConditionType(g)})
	}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}
	return pod
}

func starting(pod *corev1.Pod) *corev1.Pod {
	pod.Status.Conditions[0].Status = corev1.ConditionFalse
	return pod
}

// asking is the namespace of the tests, which asks for gates.
func asking() *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{GateLabel: GateEnabled}}}
}

// behind are endpoints whose addresses are those of pods, of the same order.
func behind(s *discoveryv1.EndpointSlice, pods ...string) *discoveryv1.EndpointSlice {
	for i, name := range pods {
		s.Endpoints[i].TargetRef = &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: name, UID: types.UID(name)}
	}
	return s
}

// gateOf is the condition of a pod's gate, as "status reason".
func (w *world) gateOf(pod, binding string) string {
	w.Helper()
	var p corev1.Pod
	if err := w.api.Get(w.Context(), clientKey(pod), &p); err != nil {
		w.Fatal(err)
	}
	c := condition(&p, gate(binding))
	if c == nil {
		return ""
	}
	return string(c.Status) + " " + c.Reason
}

const webGate = GatePrefix + "web"

func TestGateOpensWhenTheTargetIsHealthy(t *testing.T) {
	t.Parallel()
	for why, namespace := range map[string]*corev1.Namespace{
		"in a namespace that asks for gates":         asking(),
		"in one that does not: a pod has one anyway": {ObjectMeta: metav1.ObjectMeta{Name: "shop"}},
	} {
		w := newWorld(t, service(), binding("web"), namespace, gatedPod("a", webGate), behind(slice("web", "10.0.0.1 unready"), "a"))
		if _, calls := w.reconcile("web"); !slices.Equal(calls, []string{"health", "register"}) {
			t.Fatalf("%s: a gate that can open: %v", why, calls)
		}
		w.now = w.now.Add(time.Second)
		res, calls := w.reconcile("web")
		if !slices.Equal(calls, []string{"health"}) || res.RequeueAfter > gatePoll || w.gateOf("a", "web") != "" {
			t.Errorf("%s: %v, again in %s, %q", why, calls, res.RequeueAfter, w.gateOf("a", "web"))
		}
		w.becomes("healthy")
		w.now = w.now.Add(gatePoll)
		w.reconcile("web")
		if got := w.gateOf("a", "web"); got != "True " {
			t.Errorf("%s: the target is healthy, and the gate %q", why, got)
		}
		if w.watches != 1 {
			t.Errorf("%s: %d watches of pods, want one", why, w.watches)
		}
		if _, calls := w.reconcile("web"); len(calls) > 0 {
			t.Errorf("%s: invariant 1: %v", why, calls)
		}
	}
}

// TestGateSaysOnceWhatItWaitsFor (invariant 1): each look at the health of targets that says the same as before writes no pod.
func TestGateSaysOnceWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"), asking(), gatedPod("a", webGate), behind(slice("web", "10.0.0.1 unready"), "a"))
	w.aws.reason = "Elb.RegistrationInProgress"
	w.reconcile("web")
	version := func() string {
		var p corev1.Pod
		if err := w.api.Get(w.Context(), clientKey("a"), &p); err != nil {
			t.Fatal(err)
		}
		return p.ResourceVersion
	}
	var written []string
	for range 4 {
		w.now = w.now.Add(gatePoll)
		w.reconcile("web")
		written = append(written, version())
	}
	if got := w.gateOf("a", "web"); got != "False Elb.RegistrationInProgress" || written[1] != written[3] {
		t.Errorf("invariant 1: the gate says %q, and looks that say the same wrote the pod: versions %v", got, written)
	}
}

func TestPodsThatWaitForSomethingElseAreNotRegistered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why  string
		pod  *corev1.Pod
		want []string
	}{
		{"its containers are not ready", starting(gatedPod("a", webGate)), nil},
		{"somebody else's gate is closed too", gatedPod("a", webGate, "example.com/warm"), nil},
		{"two gates of ours", gatedPod("a", webGate, GatePrefix+"more"), []string{"10.0.0.1:8080"}},
		{"no gate at all", gatedPod("a"), nil},
		{"another pod of its name", func() *corev1.Pod {
			p := gatedPod("a", webGate)
			p.UID = "older"
			return p
		}(), nil},
	} {
		w := newWorld(t, service(), binding("web"), asking(), c.pod, behind(slice("web", "10.0.0.1 unready"), "a"))
		w.reconcile("web")
		if diff := cmp.Diff(c.want, w.aws.registered()); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

// TestPodOlderThanItsBinding: its target is healthy for long when the lane first hears of the gate.
func TestPodOlderThanItsBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"), asking(), gatedPod("a", webGate), behind(slice("web", "10.0.0.1 unready"), "a"))
	w.aws.groups[groupARN][model.Target{ID: "10.0.0.1", Port: 8080}] = "healthy"
	if _, calls := w.reconcile("web"); !slices.Equal(calls, []string{"health"}) || w.gateOf("a", "web") != "True " {
		t.Errorf("%v, gate %q", calls, w.gateOf("a", "web"))
	}
}

func TestGateSaysWhatItsTargetWaitsFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"), asking(), gatedPod("a", webGate), behind(slice("web", "10.0.0.1 unready"), "a"))
	w.aws.groups[groupARN][model.Target{ID: "10.0.0.1", Port: 8080}] = "unhealthy"
	w.aws.reason = "Target.FailedHealthChecks"
	w.reconcile("web")
	if got := w.gateOf("a", "web"); got != "False Target.FailedHealthChecks" {
		t.Errorf("gate %q", got)
	}
}

func TestGatesOpenWhenTheBindingGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"), asking(), starting(gatedPod("a", webGate)), gatedPod("b", GatePrefix+"other"), behind(slice("web", "10.0.0.1 unready"), "a"))
	w.reconcile("web")
	w.remove("web")
	if got := w.gateOf("a", "web"); got != "True TargetGroupBindingGone" {
		t.Errorf("nobody would open it: %q", got)
	}
	if got := w.gateOf("b", "other"); got != "" {
		t.Errorf("another binding's gate is not ours to open: %q", got)
	}
	late := newWorld(t, asking(), gatedPod("a", webGate))
	late.reconcile("web")
	if got := late.gateOf("a", "web"); got != "True TargetGroupBindingGone" {
		t.Errorf("the binding went while nobody looked: %q", got)
	}
}

// TestGatesOpenWhenTheTargetGroupIsGone: something else of the stack waits, so its binding is there still. A target group that AWS does not
// show yet is no such.
func TestGatesOpenWhenTheTargetGroupIsGone(t *testing.T) {
	t.Parallel()
	made := func(b *elbv2v1beta1.TargetGroupBinding) {
		b.Labels = map[string]string{model.PrefixIngress + "/stack": "shop"}
	}
	w := newWorld(t, service(), binding("web", made), asking(), gatedPod("a", webGate), behind(slice("web", "10.0.0.1 unready"), "a"))
	delete(w.aws.groups, groupARN)
	for range vanishing {
		w.reconcile("web")
		w.now = w.now.Add(time.Minute)
	}
	if got := w.gateOf("a", "web"); got != "" {
		t.Errorf("it may be there in a moment, and the gate is %q", got)
	}
	w.reconcile("web")
	if got := w.gateOf("a", "web"); got != "True TargetGroupGone" {
		t.Errorf("nobody else would open it: %q", got)
	}
}

// TestGatesOpenWhereNobodyAsksForThemAnyMore: the label of the namespace was taken away, and the operator started again.
func TestGatesOpenWhereNobodyAsksForThemAnyMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"), asking(), starting(gatedPod("a", webGate)), behind(slice("web", "10.0.0.1 unready"), "a"))
	w.reconcile("web")
	plain := asking()
	plain.Labels = nil
	if err := w.api.Update(w.Context(), plain); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.watches = 0
	w.remove("web")
	if got := w.gateOf("a", "web"); got != "True TargetGroupBindingGone" {
		t.Errorf("nobody would open it: %q", got)
	}
	if w.watches != 0 {
		t.Errorf("%d watches of pods: they are looked at once", w.watches)
	}
}

func TestPodsAreNotWatchedWithoutGates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"), gatedPod("a"), behind(slice("web", "10.0.0.1 unready", "10.0.0.2"), "a"))
	for range 3 {
		w.reconcile("web")
	}
	w.remove("web")
	if w.watches != 0 {
		t.Errorf("%d watches of pods", w.watches)
	}
}

func TestChangesOfPodsThatWakeTheirBindings(t *testing.T) {
	t.Parallel()
	opened := gatedPod("a", webGate)
	opened.Status.Conditions = append(opened.Status.Conditions, corev1.PodCondition{Type: gate("web"), Status: corev1.ConditionTrue})
	for _, c := range []struct {
		why           string
		before, after *corev1.Pod
		want          int
	}{
		{"a new pod", nil, gatedPod("a", webGate, GatePrefix+"more", "example.com/warm"), 2},
		{"its containers are ready", starting(gatedPod("a", webGate)), gatedPod("a", webGate), 1},
		{"nothing that counts", gatedPod("a", webGate), gatedPod("a", webGate), 0},
		{"its gate was opened", gatedPod("a", webGate), opened, 1},
		{"a pod without gates", starting(gatedPod("a")), gatedPod("a"), 0},
	} {
		p := newPods()
		slim := func(pod *corev1.Pod) *corev1.Pod {
			if pod == nil {
				return nil
			}
			out, err := p.slim(pod)
			if kept, ok := out.(*corev1.Pod); ok && err == nil {
				return kept
			}
			t.Fatal(out, err)
			return nil
		}
		p.changed(slim(c.before), slim(c.after))
		if got := len(p.news); got != c.want {
			t.Errorf("%s: woke %d bindings, want %d", c.why, got, c.want)
		}
	}
}

// TestNewsOfPodsDoNotHoldUpTheEnd: when the lane has stopped nobody takes them.
func TestNewsOfPodsDoNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	p := newPods()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		for range 2 * newsBuffer {
			p.changed(nil, gatedPod("a", webGate))
		}
	}()
	select {
	case <-told:
	case <-time.After(time.Minute):
		t.Error("a change of a pod is not told for a minute after the end")
	}
}
