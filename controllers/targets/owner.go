package targets

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// takenRetry is how soon a binding whose target group another one has is looked at again.
const takenRetry = 30 * time.Second

// take gives the target group to the binding, unless another one comes before it: two would take each other's targets out. Who that is
// does not depend on who is looked at first, so that a restart changes nothing.
func (r *Reconciler) take(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN) (problem, error) {
	rival, err := r.rival(ctx, b, group)
	if err != nil {
		return problem{}, err
	}
	if rival.Name != "" {
		return problem{reason: "TargetGroupTaken", again: takenRetry, message: fmt.Sprintf(
			"target group %s has the targets of binding %s already: a target group takes one binding, "+
				"unless all of them set multiClusterTargetGroup; delete one of them", group, rival)}, nil
	}
	key := client.ObjectKeyFromObject(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.files[key]
	if f.group != "" && f.group != group {
		f.former = f.group
	}
	f.group = group
	r.files[key], r.owners[group] = f, key
	return problem{}, nil
}

// rival is another binding that names the same target group and comes before this one, empty where there is none.
func (r *Reconciler) rival(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN) (types.NamespacedName, error) {
	others, err := r.others(ctx, b, group)
	others = slices.DeleteFunc(others, func(o elbv2v1beta1.TargetGroupBinding) bool {
		return r.refused(&o) != "" || o.Spec.MultiClusterTargetGroup && b.Spec.MultiClusterTargetGroup
	})
	if err != nil || len(others) == 0 {
		return types.NamespacedName{}, err
	}
	if first := slices.MinFunc(others, r.order); r.order(first, *b) < 0 {
		return client.ObjectKeyFromObject(&first), nil
	}
	return types.NamespacedName{}, nil
}

// others are the bindings beside one that name a target group and stay.
func (r *Reconciler) others(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN) ([]elbv2v1beta1.TargetGroupBinding, error) {
	var list elbv2v1beta1.TargetGroupBindingList
	if err := r.client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing bindings: %w", err)
	}
	at, _ := placeOf(group)
	var out []elbv2v1beta1.TargetGroupBinding
	for _, o := range list.Items {
		named := model.ARN(o.Spec.TargetGroupARN) == group || o.Spec.TargetGroupARN == "" && o.Spec.TargetGroupName == at.name
		if named && o.UID != b.UID && o.DeletionTimestamp.IsZero() {
			out = append(out, o)
		}
	}
	return out, nil
}

// made tells whether a binding was made for a stack: has its labels, and the name and the namespace that the stack gives it. The
// namespace is known once the stack ran; until then the oldest of those with the name comes first.
func (r *Reconciler) made(b *elbv2v1beta1.TargetGroupBinding) bool {
	home := r.board.Home(model.ARN(b.Spec.TargetGroupARN))
	return stack.Made(b) && (home == "" || home == b.Namespace)
}

// order sorts bindings of one target group: those of a stack first, then the oldest.
func (r *Reconciler) order(a, b elbv2v1beta1.TargetGroupBinding) int {
	if made := r.made(&a); made != r.made(&b) {
		if made {
			return -1
		}
		return 1
	}
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// leave takes the targets out of the group that a binding named before, now that they are in the one that it names.
func (r *Reconciler) leave(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	key := client.ObjectKeyFromObject(b)
	former := r.file(key).former
	if former == "" {
		return nil
	}
	if err := r.unsettle(ctx, b); err != nil {
		return err
	}
	if err := r.empty(ctx, b, former); err != nil {
		return err
	}
	r.disown(key, former)
	r.edit(key, func(f *file) { f.former = "" })
	return nil
}

// disown forgets a target group that a binding has no more.
func (r *Reconciler) disown(key types.NamespacedName, group model.ARN) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if group != "" && r.owners[group] == key {
		delete(r.owners, group)
		r.lane.leave(group)
		r.board.Drop(group)
	}
}
