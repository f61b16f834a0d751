package targets

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/headgate/headgate/model"
)

// ends gives a pod with a gate a grace period and, for each container, a preStop hook; nil is none.
func ends(pod *corev1.Pod, grace int64, hooks ...*corev1.LifecycleHandler) *corev1.Pod {
	pod.Spec.TerminationGracePeriodSeconds = &grace
	for _, h := range hooks {
		c := corev1.Container{Name: "c"}
		if h != nil {
			c.Lifecycle = &corev1.Lifecycle{PreStop: h}
		}
		pod.Spec.Containers = append(pod.Spec.Containers, c)
	}
	return pod
}

func sleeps(seconds int64) *corev1.LifecycleHandler {
	return &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: seconds}}
}

func runs(command ...string) *corev1.LifecycleHandler {
	return &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: command}}
}

func TestEndsThatCostRequests(t *testing.T) {
	t.Parallel()
	const none, short = reasonNoSleep, reasonShortGrace
	for _, c := range []struct {
		why   string
		grace int64
		hooks []*corev1.LifecycleHandler
		drain time.Duration
		want  []string
	}{
		{"the recipe", 60, []*corev1.LifecycleHandler{sleeps(20)}, 30 * time.Second, nil},
		{"the least of all", 11, []*corev1.LifecycleHandler{sleeps(10)}, 11 * time.Second, nil},
		{"no hook", 60, []*corev1.LifecycleHandler{nil}, 30 * time.Second, []string{none}},
		{"a sleep that is too short", 60, []*corev1.LifecycleHandler{sleeps(9)}, 30 * time.Second, []string{none}},
		{"the longest sleep counts", 60, []*corev1.LifecycleHandler{nil, sleeps(3), sleeps(15)}, 30 * time.Second, nil},
		{"a shell that sleeps", 60, []*corev1.LifecycleHandler{runs("sh", "-c", "sleep 20")}, 30 * time.Second, nil},
		{"a shell that sleeps too short", 60, []*corev1.LifecycleHandler{runs("/bin/sleep", "5")}, 30 * time.Second, []string{none}},
		{"how long a program takes is not known", 60, []*corev1.LifecycleHandler{runs("nginx", "-s", "quit")}, 30 * time.Second, nil},
		{"nor how long a request takes", 60, []*corev1.LifecycleHandler{{HTTPGet: &corev1.HTTPGetAction{Path: "/drain"}}}, 30 * time.Second, nil},
		{"killed in its sleep", 30, []*corev1.LifecycleHandler{sleeps(30)}, 10 * time.Second, []string{short}},
		{"shorter than the drain", 30, []*corev1.LifecycleHandler{sleeps(15)}, 300 * time.Second, []string{short}},
		{"a drain that is not known", 30, []*corev1.LifecycleHandler{sleeps(15)}, 0, nil},
		{"all at once", 30, []*corev1.LifecycleHandler{nil}, 300 * time.Second, []string{none, short}},
	} {
		pod := ends(gatedPod("a", webGate), c.grace, c.hooks...)
		kept, err := newPods().slim(pod)
		slim, ok := kept.(*corev1.Pod)
		if err != nil || !ok {
			t.Fatal(err)
		}
		if len(slim.Spec.Containers) > 0 && slim.Spec.Containers[0].Name != "" {
			t.Errorf("%s: more is kept of a pod than how it ends: %v", c.why, slim.Spec.Containers)
		}
		for _, p := range []*corev1.Pod{pod, slim} {
			var got []string
			for _, r := range endingOf(p).cautions("shop/web", c.drain) {
				got = append(got, r.Reason)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", c.why, diff)
			}
		}
	}
}

// TestCautionIsSaidOnceForAService: not for each pod, and no more when it is mended; the binding is served all the time.
func TestCautionIsSaidOnceForAService(t *testing.T) {
	t.Parallel()
	a, b := ends(gatedPod("a", webGate), 30, sleeps(3)), ends(gatedPod("b", webGate), 30, nil)
	w := newWorld(t, service(), binding("web"), asking(), a, b, behind(slice("web", "10.0.0.1", "10.0.0.2"), "a", "b"))
	for range 3 {
		w.reconcile("web")
	}
	if len(w.notes.all) != 1 || !strings.HasPrefix(w.notes.all[0], reasonNoSleep+": pods of Service shop/web have no preStop hook") {
		t.Errorf("events: %q", w.notes.all)
	}
	got, _ := w.ready("web")
	if !strings.HasPrefix(got, "True Served: pods of Service shop/web") {
		t.Errorf("binding: %s", got)
	}
	for _, pod := range []*corev1.Pod{a, b} {
		pod.ResourceVersion = ""
		pod.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: sleeps(15)}
		if err := w.api.Update(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
	}
	w.reconcile("web")
	if got, _ := w.ready("web"); got != "True Served: served as written" || len(w.notes.all) != 1 {
		t.Errorf("mended: %s, %q", got, w.notes.all)
	}
}

// TestCautionWritesNothingIntoABindingThatWasDoneBefore: taking over writes no object.
func TestCautionWritesNothingIntoABindingThatWasDoneBefore(t *testing.T) {
	t.Parallel()
	done := binding("web")
	done.Status.ObservedGeneration = &done.Generation
	done.Finalizers = []string{Finalizer}
	w := newWorld(t, service(), done, asking(), ends(gatedPod("a", webGate), 30, nil), behind(slice("web", "10.0.0.1"), "a"))
	w.aws.groups[groupARN][model.Target{ID: "10.0.0.1", Port: 8080}] = "healthy"
	w.reconcile("web")
	if got, _ := w.ready("web"); got != "" || len(w.notes.all) != 1 {
		t.Errorf("binding: %s; events: %q", got, w.notes.all)
	}
}

func TestNobodyIsCautionedWhoAsksForNoGates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"), ends(gatedPod("a"), 30, nil), behind(slice("web", "10.0.0.1"), "a"))
	w.reconcile("web")
	if len(w.notes.all) != 0 || w.watches != 0 {
		t.Errorf("events %q, %d watches", w.notes.all, w.watches)
	}
}
