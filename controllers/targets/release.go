package targets

import (
	"context"
	"errors"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// release lets a binding go. The targets of a binding that a user made are deregistered; a target group that was made for a stack
// goes with it, and nothing is deregistered from something that is about to be deleted.
func (r *Reconciler) release(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (reconcile.Result, error) {
	if controllerutil.ContainsFinalizer(b, Finalizer) && !r.made(b) && !r.outOfReach(b) {
		if err := r.deregisterAll(ctx, b); err != nil {
			return r.stuck(ctx, b, err)
		}
	}
	if err := r.openAll(ctx, client.ObjectKeyFromObject(b)); err != nil {
		return r.stuck(ctx, b, err)
	}
	old := b.DeepCopy()
	if controllerutil.RemoveFinalizer(b, Finalizer) {
		err := r.client.Patch(ctx, b, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{}))
		if client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, fmt.Errorf("removing the finalizer: %w", err)
		}
	}
	r.drop(client.ObjectKeyFromObject(b))
	return reconcile.Result{}, nil
}

// stuck tells why a binding that is deleted is still there.
func (r *Reconciler) stuck(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, err error) (reconcile.Result, error) {
	next := r.attempt(b, err)
	ctrl.LoggerFrom(ctx).Info("the targets of a binding that is deleted are not deregistered", "error", err.Error(), "again", next.RetryAfter.String())
	text := fmt.Sprintf("deleted, but its targets are not deregistered yet: %s; to leave them as they are, remove the finalizer %s",
		next.Message, Finalizer)
	return reconcile.Result{RequeueAfter: next.RetryAfter}, r.tell(ctx, b, problem{reason: "FailedCleanup", message: text})
}

// deregisterAll empties the target group of a binding, and the one that it had before. Where there is no such group, nothing can be
// registered.
func (r *Reconciler) deregisterAll(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	group, p, err := r.group(ctx, b)
	if err != nil {
		return err
	}
	if p != (problem{}) {
		group = r.file(client.ObjectKeyFromObject(b)).group // before it was written wrong
	} else {
		r.lane.use(group, r.reach(b))
	}
	return errors.Join(r.empty(ctx, b, group), r.leave(ctx, b))
}

// empty takes all targets out of a group that a binding has no more, unless another one keeps it.
func (r *Reconciler) empty(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN) error {
	if group == "" {
		return nil
	}
	others, err := r.others(ctx, b, group)
	if err != nil || len(others) > 0 && !b.Spec.MultiClusterTargetGroup {
		return err
	}
	known, _, err := r.lane.registered(ctx, group)
	if err == nil {
		known, err = r.spare(ctx, b, group, known)
	}
	if err == nil && len(known) > 0 {
		err = r.lane.apply(ctx, group, change{deregister: known})
	}
	if absent(err) {
		return nil
	}
	return err
}
