package targets

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

// addresses from first to last of 10.0.0.0/24, each with a state where there is one.
func addresses(first, last int, state string) []string {
	var out []string
	for i := first; i <= last; i++ {
		out = append(out, strings.TrimSpace(fmt.Sprintf("10.0.0.%d %s", i, state)))
	}
	return out
}

// alivePods have these addresses.
func alivePods(first, last int) []client.Object {
	var out []client.Object
	for _, ip := range addresses(first, last, "") {
		pod := gatedPod(ip)
		pod.Status.Phase, pod.Status.PodIPs = corev1.PodRunning, []corev1.PodIP{{IP: ip}}
		out = append(out, pod)
	}
	return out
}

// fleet is a world with so many targets whose pods run, an hour after they came.
func fleet(t *testing.T, pods int) *world {
	t.Helper()
	w := newWorld(t, append(alivePods(1, pods), service(), binding("web"))...)
	w.endpoints(addresses(1, pods, "")...)
	w.reconcile("web")
	w.now = w.now.Add(time.Hour)
	w.reconcile("web")
	if n := len(w.aws.registered()); n != pods {
		t.Fatalf("%d targets to begin with, want %d", n, pods)
	}
	return w
}

func TestTargetsThatRunAreNotLostAllAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why  string
		pods int
		// do is a row of states that the endpoints go through, a minute apart.
		do [][]string
		// ended are the pods that are gone before, from 1 to this one; change is what else is so.
		ended  int
		change func(*world)
		// left are the targets then, held those of them that wait.
		left, held int
	}{
		{why: "the slices are empty by a mistake", pods: 10, do: [][]string{{}}, left: 10, held: 10},
		{why: "a selector that fits two only", pods: 10, do: [][]string{addresses(1, 2, "")}, left: 10, held: 8},
		{why: "the Service is gone", pods: 10, do: [][]string{{}}, change: func(w *world) {
			if err := w.api.Delete(w.Context(), service()); err != nil {
				w.Fatal(err)
			}
		}, left: 10, held: 10},
		{why: "fewer than five", pods: 4, do: [][]string{{}}},
		{why: "not more than a fifth", pods: 25, do: [][]string{addresses(6, 25, "")}, left: 20},
		{why: "more than a fifth in two steps", pods: 20, do: [][]string{addresses(5, 20, ""), addresses(8, 20, "")}, left: 16, held: 3},
		{why: "two steps that are far apart", pods: 20, do: [][]string{
			addresses(5, 20, ""), addresses(5, 20, ""), addresses(5, 20, ""), addresses(5, 20, ""), addresses(5, 20, ""), addresses(5, 20, ""),
			addresses(5, 20, ""), addresses(5, 20, ""), addresses(5, 20, ""), addresses(5, 20, ""), addresses(5, 20, ""), addresses(8, 20, ""),
		}, left: 13},
		{why: "a scale-in whose pods end", pods: 20, do: [][]string{append(addresses(1, 15, "terminating"), addresses(16, 20, "")...)}, left: 5},
		{why: "a scale-in that is seen when all is over", pods: 20, do: [][]string{addresses(16, 20, "")}, ended: 15, left: 5},
		{why: "pods whose probes fail", pods: 20, do: [][]string{append(addresses(1, 15, "unready"), addresses(16, 20, "")...)}, left: 5},
		{why: "a rollout", pods: 10, do: [][]string{
			addresses(1, 15, ""), append(addresses(1, 5, "terminating"), addresses(6, 15, "")...),
			append(addresses(6, 10, "terminating"), addresses(11, 20, "")...), addresses(11, 20, ""),
		}, left: 10},
		{why: "blue and green: the selector names the other pods", pods: 10, do: [][]string{addresses(11, 20, "")}, left: 10},
		{why: "blue and green in two steps", pods: 10, do: [][]string{addresses(1, 20, ""), addresses(11, 20, "")}, left: 10},
		{why: "others came shortly before, and are gone too", pods: 10, do: [][]string{addresses(1, 20, ""), {}}, left: 10, held: 10},
		{why: "it is switched off", pods: 10, do: [][]string{{}}, change: func(w *world) { w.opts.Breaker.Percent = 100 }},
		{why: "pods on the network of nodes share addresses", pods: 10, do: [][]string{{}}, change: func(w *world) { w.eachPod(func(p *corev1.Pod) { p.Spec.HostNetwork = true }) }},
		{why: "pods that were not well", pods: 10, do: [][]string{{}}, change: func(w *world) { w.eachPod(func(p *corev1.Pod) { starting(p) }) }},
	} {
		w := fleet(t, c.pods)
		for _, pod := range alivePods(1, c.ended) {
			if err := w.api.Delete(t.Context(), pod); err != nil {
				t.Fatal(err)
			}
		}
		if c.change != nil {
			c.change(w)
		}
		for _, all := range c.do {
			w.now = w.now.Add(time.Minute)
			w.endpoints(all...)
			w.reconcile("web")
		}
		ready, _ := w.ready("web")
		if held := strings.HasPrefix(ready, fmt.Sprintf("False BreakerOpen: %d targets stay", c.held)); len(w.aws.registered()) != c.left ||
			held != (c.held > 0) || strings.Contains(ready, "BreakerOpen") != (c.held > 0) {
			t.Errorf("%s: %d targets, want %d with %d held: %s", c.why, len(w.aws.registered()), c.left, c.held, ready)
		}
		if n := strings.Count(strings.Join(w.notes.all, "\n"), "BreakerOpen: "); (n == 1) != (c.held > 0) {
			t.Errorf("%s: %d events", c.why, n)
		}
	}
}

// eachPod changes all pods.
func (w *world) eachPod(change func(*corev1.Pod)) {
	w.Helper()
	var list corev1.PodList
	if err := w.api.List(w.Context(), &list); err != nil {
		w.Fatal(err)
	}
	for i := range list.Items {
		pod := &list.Items[i]
		change(pod)
		status := pod.Status
		if err := w.api.Update(w.Context(), pod); err != nil {
			w.Fatal(err)
		}
		pod.Status = status
		if err := w.api.Status().Update(w.Context(), pod); err != nil {
			w.Fatal(err)
		}
	}
}

// TestHeldTargetsGo: as their pods end, when somebody says so, or not at all when their endpoints are there again.
func TestHeldTargetsGo(t *testing.T) {
	t.Parallel()
	hold := func() *world {
		w := fleet(t, 10)
		w.endpoints()
		res, calls := w.reconcile("web")
		if len(calls) > 0 || res.RequeueAfter > heldRetry {
			t.Fatalf("held: %v, again in %s", calls, res.RequeueAfter)
		}
		return w
	}
	w := hold()
	w.endpoints(addresses(1, 10, "")...)
	if _, calls := w.reconcile("web"); len(calls) > 0 {
		t.Errorf("mended: %v", calls)
	}
	if ready, _ := w.ready("web"); !strings.HasPrefix(ready, "True ") {
		t.Errorf("mended: %s", ready)
	}

	w = hold()
	for _, pod := range alivePods(3, 10) {
		if err := w.api.Delete(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
	}
	w.reconcile("web")
	if diff := cmp.Diff([]string{"10.0.0.1:8080", "10.0.0.2:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("pods that ended: %s", diff)
	}
	if ready, _ := w.ready("web"); !strings.HasPrefix(ready, "False BreakerOpen: 2 targets stay") {
		t.Errorf("two are few, and stay held: %s", ready)
	}

	w = hold()
	w.restart()
	w.reconcile("web")
	if n := len(w.aws.registered()); n != 10 {
		t.Errorf("a restart let %d go", 10-n)
	}
}

func TestHeldTargetsGoWhenThatIsApproved(t *testing.T) {
	t.Parallel()
	w := fleet(t, 10)
	paused := map[string]int{}
	w.opts.Paused = func(binding string, targets int) { paused[binding] = targets }
	w.endpoints()
	w.reconcile("web")
	ready, _ := w.ready("web")
	_, hash, _ := strings.Cut(ready, ApprovedDeregistration+"=")
	if hash == "" || paused["shop/web"] != 10 {
		t.Fatalf("%s, %v", ready, paused)
	}
	for _, value := range []string{"yes", hash} {
		b := w.binding("web")
		before := b.DeepCopy()
		metav1.SetMetaDataAnnotation(&b.ObjectMeta, ApprovedDeregistration, value)
		if !approvals().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: b}) {
			t.Error("an approval is not heard")
		}
		if err := w.api.Update(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		w.reconcile("web")
		if n := len(w.aws.registered()); (n == 0) != (value == hash) {
			t.Errorf("approved with %q: %d targets stay", value, n)
		}
	}
	if left := w.binding("web").Annotations; slices.Contains(slices.Collect(maps.Keys(left)), ApprovedDeregistration) || paused["shop/web"] != 0 {
		t.Errorf("the approval is used up: %v, %v", left, paused)
	}
}

// TestHeldTargetsAreStillAdmitted: what serves on needs its rule.
func TestHeldTargetsAreStillAdmitted(t *testing.T) {
	t.Parallel()
	networked := binding("web", func(b *elbv2v1beta1.TargetGroupBinding) {
		b.Spec.Networking = &elbv2v1beta1.TargetGroupBindingNetworking{Ingress: []elbv2v1beta1.NetworkingIngressRule{{
			From:  []elbv2v1beta1.NetworkingPeer{{SecurityGroup: &elbv2v1beta1.SecurityGroup{GroupID: "sg-lb"}}},
			Ports: []elbv2v1beta1.NetworkingPort{{}},
		}}}
	})
	w := newWorld(t, append(alivePods(1, 8), service(), networked)...)
	w.endpoints(addresses(1, 8, "")...)
	w.reconcile("web")
	before := w.admitted()
	w.now = w.now.Add(time.Hour)
	w.endpoints("10.0.0.1")
	for range 2 {
		w.reconcile("web")
		if diff := cmp.Diff(before, w.admitted()); diff != "" || len(before) != 8 {
			t.Errorf("held ones are admitted no more: %s", diff)
		}
	}
}
