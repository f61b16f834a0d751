package ingress

import (
	"context"
	"errors"
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// EnsureFinalizers gives every member the group's finalizer. It comes before the first create, so that nothing is orphaned.
func EnsureFinalizers(ctx context.Context, c client.Client, g Group) error {
	var errs []error
	for _, m := range g.Members {
		if slices.Contains(m.Ingress.Finalizers, g.Key.Finalizer()) {
			continue
		}
		after := m.Ingress.DeepCopy()
		controllerutil.AddFinalizer(after, g.Key.Finalizer())
		if err := patchMeta(ctx, c, m.Ingress, after); err != nil {
			errs = append(errs, fmt.Errorf("adding the finalizer to %s: %w", refOf(m.Ingress), err))
		}
	}
	return errors.Join(errs...)
}

// ReleaseFinalizers lets the leavers go, whose rules are gone. An Ingress that stays and has no other group loses the address,
// which does not serve it any more.
func ReleaseFinalizers(ctx context.Context, c client.Client, g Group) error {
	var errs []error
	for _, l := range g.Leaving {
		if err := release(ctx, c, g.Key, l); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func release(ctx context.Context, c client.Client, key GroupKey, l Leaver) error {
	before := l.Ingress
	if before.DeletionTimestamp.IsZero() && !l.Elsewhere {
		var err error
		if before, err = patchStatus(ctx, c, before, nil); err != nil {
			return err
		}
	}
	after := before.DeepCopy()
	if !controllerutil.RemoveFinalizer(after, key.Finalizer()) {
		return nil
	}
	if err := patchMeta(ctx, c, before, after); err != nil {
		return fmt.Errorf("removing the finalizer from %s: %w", refOf(before), err)
	}
	return nil
}

// patchMeta writes the finalizers under a lock: a merge patch replaces the whole list.
func patchMeta(ctx context.Context, c client.Client, before, after *networkingv1.Ingress) error {
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	return client.IgnoreNotFound(c.Patch(ctx, after, patch))
}
