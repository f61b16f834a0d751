package pods

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
)

var (
	errExhausted = errors.New("no address is free")
	errNoNode    = errors.New("no node that takes pods matches the pod's node selector or affinity")
)

// bind puts a pod on a node, or says in its status why there is none for it.
func (r *Runner) bind(ctx context.Context, p *corev1.Pod) error {
	if len(p.Spec.SchedulingGates) > 0 {
		return nil
	}
	chosen, err := r.choose(p)
	if err != nil {
		return r.patchStatus(ctx, p, unschedulable(p, err))
	}
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name, UID: p.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: chosen.Name},
	}
	if err := r.client.CoreV1().Pods(p.Namespace).Bind(ctx, binding, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("binding to node %s: %w", chosen.Name, err)
	}
	return nil
}

// choose takes, among the nodes that match and are not cordoned, the one with the fewest pods of the same owner, then the fewest
// pods: replicas spread over the zones.
//
// What was chosen counts at once, for the next choice comes before the API server tells of this one.
func (r *Runner) choose(p *corev1.Pod) (*node, error) {
	r.choosing.Lock()
	defer r.choosing.Unlock()
	all, err := r.pods.List(labels.Everything())
	if err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	siblings, load := map[string]int{}, map[string]int{}
	for _, other := range all {
		on := orElse(other.Spec.NodeName, r.chosen[other.UID])
		load[on]++
		if owner := metav1.GetControllerOf(p); owner != nil && metav1.IsControlledBy(other, &metav1.ObjectMeta{UID: owner.UID}) {
			siblings[on]++
		}
	}
	var best *node
	for _, n := range r.order {
		if !fits(p, n.Node) || r.cordoned(n.Name) {
			continue
		}
		if best == nil || siblings[n.Name] < siblings[best.Name] ||
			siblings[n.Name] == siblings[best.Name] && load[n.Name] < load[best.Name] {
			best = n
		}
	}
	if best == nil {
		return nil, errNoNode
	}
	r.chosen[p.UID] = best.Name
	return best, nil
}

// cordoned tells whether a node takes no more pods, as before it is drained.
func (r *Runner) cordoned(name string) bool {
	object, err := r.machines.Get(name)
	return err == nil && object.Spec.Unschedulable
}

// unchoose forgets a choice that the API server knows of by now, or needs no more.
func (r *Runner) unchoose(uid types.UID) {
	r.choosing.Lock()
	defer r.choosing.Unlock()
	delete(r.chosen, uid)
}

// fits looks at the node selector and the required node affinity; nothing here is ever full.
func fits(p *corev1.Pod, n Node) bool {
	set := labels.Set(n.labels())
	if !labels.SelectorFromSet(p.Spec.NodeSelector).Matches(set) {
		return false
	}
	affinity := p.Spec.Affinity
	if affinity == nil || affinity.NodeAffinity == nil || affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return true
	}
	terms := affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	return slices.ContainsFunc(terms, func(term corev1.NodeSelectorTerm) bool {
		return matches(term.MatchExpressions, set) && matches(term.MatchFields, labels.Set{metav1.ObjectNameField: n.Name})
	})
}

// operators are those of a node selector in the words of label selectors.
func operators(o corev1.NodeSelectorOperator) (selection.Operator, bool) {
	known := map[corev1.NodeSelectorOperator]selection.Operator{
		corev1.NodeSelectorOpIn: selection.In, corev1.NodeSelectorOpNotIn: selection.NotIn, corev1.NodeSelectorOpExists: selection.Exists,
		corev1.NodeSelectorOpDoesNotExist: selection.DoesNotExist, corev1.NodeSelectorOpGt: selection.GreaterThan, corev1.NodeSelectorOpLt: selection.LessThan,
	}
	operator, ok := known[o]
	return operator, ok
}

func matches(requirements []corev1.NodeSelectorRequirement, set labels.Set) bool {
	return !slices.ContainsFunc(requirements, func(one corev1.NodeSelectorRequirement) bool {
		operator, ok := operators(one.Operator)
		if !ok {
			return true
		}
		requirement, err := labels.NewRequirement(one.Key, operator, one.Values)
		return err != nil || !requirement.Matches(set)
	})
}
