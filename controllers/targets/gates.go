package targets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// Readiness gates as the incumbent has them.
const (
	// GatePrefix begins the condition types of our readiness gates; the name of a binding follows.
	GatePrefix = "target-health.elbv2.k8s.aws/"
	// GateLabel on a namespace, with the value GateEnabled, asks for them.
	GateLabel   = "elbv2.k8s.aws/pod-readiness-gate-inject"
	GateEnabled = "enabled"
)

// While a pod waits for its gate, its target's health is looked at often for a while.
const (
	gatePoll  = 5 * time.Second
	gateEager = 2 * time.Minute
)

// waiter is a pod whose gate is not open.
type waiter struct {
	pod    types.NamespacedName
	uid    types.UID
	target model.Target
	// reason is the one that its condition has now.
	reason string
}

// gate is the condition type of a binding's gate.
func gate(binding string) corev1.PodConditionType {
	return corev1.PodConditionType(GatePrefix + binding)
}

// condition of a pod, nil without.
func condition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

func holds(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	c := condition(pod, kind)
	return c != nil && c.Status == corev1.ConditionTrue
}

// hasGate tells whether a pod has a gate.
func hasGate(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, g := range pod.Spec.ReadinessGates {
		if g.ConditionType == kind {
			return true
		}
	}
	return false
}

// waitsForUs tells whether nothing but gates of ours keeps a pod from being ready.
func waitsForUs(pod *corev1.Pod) bool {
	if !holds(pod, corev1.ContainersReady) {
		return false
	}
	ours := false
	for _, g := range pod.Spec.ReadinessGates {
		switch {
		case strings.HasPrefix(string(g.ConditionType), GatePrefix):
			ours = true
		case !holds(pod, g.ConditionType):
			return false
		}
	}
	return ours
}

// gating is what the pods behind some endpoints say: who waits only for us, and which of the binding's own gates are closed.
func (r *Reconciler) gating(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, all []endpoint) (gated func(endpoint) bool, err error) {
	pods, err := r.podsOf(ctx, b, all)
	if err != nil {
		return nil, err
	}
	var waiting []waiter
	ready := map[types.UID]bool{}
	for _, e := range all {
		pod := pods[e.uid]
		if pod == nil || e.terminating {
			continue
		}
		ready[e.uid] = waitsForUs(pod)
		if hasGate(pod, gate(b.Name)) && !holds(pod, gate(b.Name)) {
			w := waiter{pod: client.ObjectKeyFromObject(pod), uid: pod.UID, target: e.target}
			if c := condition(pod, gate(b.Name)); c != nil {
				w.reason = c.Reason
			}
			waiting = append(waiting, w)
		}
	}
	cautions := r.cautions(b, pods)
	r.edit(client.ObjectKeyFromObject(b), func(f *file) { f.waiting, f.cautions = waiting, cautions })
	return func(e endpoint) bool { return ready[e.uid] }, nil
}

// podsOf are the pods of endpoints by their UID, as far as there may be gates: they are watched in namespaces that ask for gates, and
// in those where an endpoint that is not ready turns out to be a pod with one.
func (r *Reconciler) podsOf(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, all []endpoint) (map[types.UID]*corev1.Pod, error) {
	if r.pods == nil {
		return nil, nil
	}
	watch, err := r.gatesIn(ctx, b.Namespace)
	if err != nil {
		return nil, err
	}
	if !watch {
		if watch, err = r.anyGate(ctx, b, all); !watch || err != nil {
			return nil, err
		}
	}
	reader, err := r.pods.In(ctx, b.Namespace)
	if err != nil {
		return nil, fmt.Errorf("watching the pods of namespace %s: %w", b.Namespace, err)
	}
	out := map[types.UID]*corev1.Pod{}
	for _, e := range all {
		pod := &corev1.Pod{}
		if e.uid == "" || out[e.uid] != nil || reader.Get(ctx, e.key(), pod) != nil || pod.UID != e.uid {
			continue
		}
		out[e.uid] = pod
	}
	return out, nil
}

// gatesIn tells whether a namespace asks for gates, or is watched already.
func (r *Reconciler) gatesIn(ctx context.Context, namespace string) (bool, error) {
	if r.pods == nil || r.pods.Watches(namespace) {
		return r.pods != nil, nil
	}
	var object corev1.Namespace
	err := r.client.Get(ctx, client.ObjectKey{Name: namespace}, &object)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("reading namespace %s: %w", namespace, err)
	}
	return object.Labels[GateLabel] == GateEnabled, nil
}

// anyGate looks at the pods that are not ready, each once, for a gate of the binding.
func (r *Reconciler) anyGate(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, all []endpoint) (bool, error) {
	before, now := r.file(client.ObjectKeyFromObject(b)).gateless, map[types.UID]bool{}
	for _, e := range all {
		if e.ready || e.terminating || e.uid == "" {
			continue
		}
		if now[e.uid] = true; before[e.uid] {
			continue
		}
		pod := &corev1.Pod{}
		err := r.live.Get(ctx, e.key(), pod)
		if client.IgnoreNotFound(err) != nil {
			return false, fmt.Errorf("reading pod %s: %w", e.key(), err)
		}
		if err == nil && hasGate(pod, gate(b.Name)) {
			return true, nil
		}
	}
	r.edit(client.ObjectKeyFromObject(b), func(f *file) { f.gateless = now })
	return false, nil
}

// open opens the gates of pods whose targets are healthy, and says of the others what their targets wait for.
func (r *Reconciler) open(ctx context.Context, key types.NamespacedName, health []model.TargetHealth) error {
	waiting := r.file(key).waiting
	if len(waiting) == 0 {
		return nil
	}
	by := map[string]model.TargetHealth{}
	for _, h := range health {
		by[entry(h.Target)] = h
	}
	var errs []error
	for _, w := range waiting {
		h, known := by[entry(w.target)]
		c := corev1.PodCondition{Type: gate(key.Name), Status: corev1.ConditionFalse, Reason: h.Reason, Message: h.Description}
		switch {
		case known && h.State == "healthy":
			c.Status, c.Reason, c.Message = corev1.ConditionTrue, "", ""
		case !known || h.Reason == "" || h.Reason == w.reason:
			continue
		}
		errs = append(errs, r.setGate(ctx, w, c))
	}
	return errors.Join(errs...)
}

// giveUp opens the gates of pods that wait for a target group which AWS does not have any more: it went with what its stack wanted before.
func (r *Reconciler) giveUp(ctx context.Context, key types.NamespacedName) error {
	var errs []error
	for _, w := range r.file(key).waiting {
		errs = append(errs, r.setGate(ctx, w, corev1.PodCondition{Type: gate(key.Name), Status: corev1.ConditionTrue, Reason: "TargetGroupGone"}))
	}
	return errors.Join(errs...)
}

// setGate writes one condition, of this very pod: another one of its name has another UID.
func (r *Reconciler) setGate(ctx context.Context, w waiter, c corev1.PodCondition) error {
	c.LastTransitionTime = metav1.NewTime(r.opts.Now())
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": w.uid}, "status": map[string]any{"conditions": []corev1.PodCondition{c}},
	})
	if err != nil {
		return fmt.Errorf("writing the condition of pod %s: %w", w.pod, err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: w.pod.Namespace, Name: w.pod.Name}}
	err = r.client.Status().Patch(ctx, pod, client.RawPatch(types.StrategicMergePatchType, body))
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // the pod is gone
	}
	if err != nil {
		return fmt.Errorf("opening the readiness gate of pod %s: %w", w.pod, err)
	}
	return nil
}

// openAll opens all gates of a binding that goes: nobody else would. Pods of namespaces that ask for no gates may have some from before.
func (r *Reconciler) openAll(ctx context.Context, key types.NamespacedName) error {
	watch, err := r.gatesIn(ctx, key.Namespace)
	switch {
	case err != nil || r.pods == nil:
		return err
	case watch:
		return r.openWatched(ctx, key)
	}
	list := corev1.PodList{}
	for {
		if err := r.live.List(ctx, &list, client.InNamespace(key.Namespace), client.Limit(podPage), client.Continue(list.Continue)); err != nil {
			return fmt.Errorf("listing the pods of namespace %s: %w", key.Namespace, err)
		}
		if err := r.openEach(ctx, key, list.Items); err != nil || list.Continue == "" {
			return err
		}
	}
}

// podPage is how many pods are read at once past the cache.
const podPage = 500

// openWatched does so where pods are watched. That is enough for a binding that is gone: all its gates were opened on its way.
func (r *Reconciler) openWatched(ctx context.Context, key types.NamespacedName) error {
	watch, err := r.gatesIn(ctx, key.Namespace)
	if err != nil || !watch {
		return err
	}
	reader, err := r.pods.In(ctx, key.Namespace)
	if err != nil {
		return fmt.Errorf("watching the pods of namespace %s: %w", key.Namespace, err)
	}
	var list corev1.PodList
	if err := reader.List(ctx, &list, client.InNamespace(key.Namespace)); err != nil {
		return fmt.Errorf("listing the pods of namespace %s: %w", key.Namespace, err)
	}
	return r.openEach(ctx, key, list.Items)
}

func (r *Reconciler) openEach(ctx context.Context, key types.NamespacedName, pods []corev1.Pod) error {
	var errs []error
	for i := range pods {
		pod := &pods[i]
		if hasGate(pod, gate(key.Name)) && !holds(pod, gate(key.Name)) {
			errs = append(errs, r.setGate(ctx, waiter{pod: client.ObjectKeyFromObject(pod), uid: pod.UID},
				corev1.PodCondition{Type: gate(key.Name), Status: corev1.ConditionTrue, Reason: "TargetGroupBindingGone"}))
		}
	}
	return errors.Join(errs...)
}
