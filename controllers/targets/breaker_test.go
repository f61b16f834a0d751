package targets

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
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

// herd is a world with so many nodes as targets, with the label pool=a, an hour after they came.
func herd(t *testing.T, nodes int) *world {
	t.Helper()
	objects := []client.Object{nodePorts(), binding("web", toNodes, func(b *elbv2v1beta1.TargetGroupBinding) {
		b.Spec.NodeSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"pool": "a"}}
	})}
	for i := range nodes {
		objects = append(objects, node(fmt.Sprintf("%02d", i), fmt.Sprintf("10.0.1.%d", i+1), labelled("pool", "a")))
	}
	w := newWorld(t, objects...)
	w.reconcile("web")
	w.now = w.now.Add(time.Hour)
	w.reconcile("web")
	if n := len(w.aws.registered()); n != nodes {
		t.Fatalf("%d targets to begin with, want %d", n, nodes)
	}
	return w
}

// eachNode changes the nodes from one to the next before another.
func (w *world) eachNode(from, to int, change func(*corev1.Node)) {
	w.Helper()
	for i := from; i < to; i++ {
		n := &corev1.Node{}
		if err := w.api.Get(w.Context(), client.ObjectKey{Name: fmt.Sprintf("node-%02d", i)}, n); err != nil {
			w.Fatal(err)
		}
		change(n)
		status := n.Status
		if err := w.api.Update(w.Context(), n); err != nil {
			w.Fatal(err)
		}
		n.Status = status
		if err := w.api.Status().Update(w.Context(), n); err != nil {
			w.Fatal(err)
		}
	}
}

// TestNodesThatRunAreNotLostAllAtOnce: targets that are nodes are held like pods: while they are there, ready, and nobody said that they go.
func TestNodesThatRunAreNotLostAllAtOnce(t *testing.T) {
	t.Parallel()
	selecting := func(pool string) func(*world) {
		return func(w *world) {
			b := w.binding("web")
			b.Spec.NodeSelector.MatchLabels["pool"] = pool
			if err := w.api.Update(w.Context(), b); err != nil {
				w.Fatal(err)
			}
		}
	}
	all := func(change func(*corev1.Node)) func(*world) {
		return func(w *world) { w.eachNode(0, 10, change) }
	}
	for _, c := range []struct {
		why        string
		do         func(*world)
		left, held int
	}{
		{"a selector that fits none", selecting("b"), 10, 10},
		{"labels that are lost", func(w *world) { w.eachNode(0, 8, func(n *corev1.Node) { n.Labels = nil }) }, 10, 8},
		{"not more than a fifth", func(w *world) { w.eachNode(0, 2, func(n *corev1.Node) { n.Labels = nil }) }, 8, 0},
		{"the Service is gone", func(w *world) {
			if err := w.api.Delete(w.Context(), nodePorts()); err != nil {
				w.Fatal(err)
			}
		}, 10, 10},
		{"another node port", func(w *world) {
			s := &corev1.Service{}
			if err := w.api.Get(w.Context(), clientKey("web"), s); err != nil {
				w.Fatal(err)
			}
			s.Spec.Ports[0].NodePort = 30090
			if err := w.api.Update(w.Context(), s); err != nil {
				w.Fatal(err)
			}
		}, 10, 0},
		{"nodes that are not ready", func(w *world) { w.eachNode(0, 8, is(corev1.ConditionUnknown)) }, 2, 0},
		{"nodes that the autoscaler takes away", func(w *world) { w.eachNode(0, 8, tainted(taintAutoscaler)) }, 2, 0},
		{"nodes that somebody excludes", all(labelled(labelExclude, "")), 0, 0},
		{"nodes that are gone", func(w *world) {
			for i := range 8 {
				if err := w.api.Delete(w.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%02d", i)}}); err != nil {
					w.Fatal(err)
				}
			}
		}, 2, 0},
		{"nodes in the place of others", func(w *world) {
			for i := 10; i < 20; i++ {
				w.create(node(fmt.Sprintf("%02d", i), fmt.Sprintf("10.0.1.%d", i+1), labelled("pool", "b")))
			}
			selecting("b")(w)
		}, 10, 0},
		{"it is switched off", func(w *world) { w.opts.Breaker.Percent = 100; selecting("b")(w) }, 0, 0},
	} {
		w := herd(t, 10)
		c.do(w)
		w.now = w.now.Add(time.Minute)
		w.reconcile("web")
		ready, _ := w.ready("web")
		if held := strings.HasPrefix(ready, fmt.Sprintf("False BreakerOpen: %d targets stay", c.held)); len(w.aws.registered()) != c.left ||
			held != (c.held > 0) || strings.Contains(ready, "BreakerOpen") != (c.held > 0) {
			t.Errorf("%s: %d targets, want %d with %d held: %s", c.why, len(w.aws.registered()), c.left, c.held, ready)
		}
		if c.held > 0 {
			w.letGo(c.why, ready, c.left-c.held)
		}
	}
}

// letGo has some of the nodes that are held be not ready, and then those that are left approved.
func (w *world) letGo(why, ready string, left int) {
	w.Helper()
	if !strings.Contains(ready, "spec.nodeSelector") {
		w.Errorf("%s: who mends what is not said: %s", why, ready)
	}
	before := len(w.aws.registered())
	w.eachNode(0, 5, is(corev1.ConditionFalse))
	w.reconcile("web")
	if n := len(w.aws.registered()); n != before-5 {
		w.Errorf("%s: then five are not ready, and %d targets stay", why, n)
	}
	b := w.binding("web")
	b.Annotations = map[string]string{ApprovedDeregistration: ready[strings.LastIndex(ready, "=")+1:]}
	if err := w.api.Update(w.Context(), b); err != nil {
		w.Fatal(err)
	}
	w.reconcile("web")
	if n := len(w.aws.registered()); n != left {
		w.Errorf("%s: then it is approved, and %d targets stay", why, n)
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

// TestApprovalThatIsWrittenMeanwhileStays: the one that was used goes, whatever the cache knows, and no other.
func TestApprovalThatIsWrittenMeanwhileStays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ why, used, have, left string }{
		{"what was used", "1", "1", ""},
		{"somebody approved something else meanwhile", "1", "2", "2"},
		{"somebody took it back meanwhile", "1", "", ""},
	} {
		b := binding("web")
		b.Annotations = map[string]string{"a": "b", ApprovedDeregistration: row.have}
		if row.have == "" {
			delete(b.Annotations, ApprovedDeregistration)
		}
		w := newWorld(t, service(), b)
		watch, ok := w.api.(client.WithWatch)
		if !ok {
			t.Fatal("the fake client cannot watch")
		}
		// The API server says so of a patch whose test fails.
		api := interceptor.NewClient(watch, interceptor.Funcs{
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				err := c.Patch(ctx, o, p, opts...)
				if err != nil {
					return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
				}
				return nil
			},
		})
		cached := w.binding("web")
		cached.Annotations = map[string]string{ApprovedDeregistration: row.used}
		r := &Reconciler{client: api}
		if err := r.spend(t.Context(), cached, problem{}); err != nil {
			t.Errorf("%s: %v", row.why, err)
		}
		if got := w.binding("web").Annotations; got[ApprovedDeregistration] != row.left || got["a"] != "b" {
			t.Errorf("%s: %v is left, want %q", row.why, got, row.left)
		}
	}
}
