package ingress

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/headgate/headgate/model"
)

// ensureFinalizers gives every member the group's finalizer. It comes before the first create, so that nothing is orphaned: a member
// that cannot have it is not in the group that it gives, and told, unless it is served already. The others are not held up.
func (r *Reconciler) ensureFinalizers(ctx context.Context, g Group) (Group, error) {
	var errs []error
	members := make([]Member, 0, len(g.Members))
	for _, m := range g.Members {
		err := r.claim(ctx, m.Ingress, g.Key.Finalizer())
		r.fail(m.Ingress, "FailedAddFinalizer", err)
		errs = append(errs, err)
		if err != nil {
			served, unknown := r.served(ctx, g.Key, m.Ingress)
			if unknown != nil {
				return Group{}, errors.Join(append(errs, unknown)...)
			}
			if !served {
				continue
			}
		}
		members = append(members, m)
	}
	g.Members = members
	return g, errors.Join(errs...)
}

// served tells whether rules of a member are remembered. Somebody took its finalizer away then.
func (r *Reconciler) served(ctx context.Context, key GroupKey, ing *networkingv1.Ingress) (bool, error) {
	state, err := r.state(ctx, key.Owner(r.set.ClusterName))
	if state == nil {
		return false, err
	}
	return len(state.Spec.Fragments[ingressKind+"/"+ing.Namespace+"/"+ing.Name]) > 0, nil
}

func (r *Reconciler) claim(ctx context.Context, ing *networkingv1.Ingress, finalizer string) error {
	if controllerutil.ContainsFinalizer(ing, finalizer) {
		return nil
	}
	after := ing.DeepCopy()
	controllerutil.AddFinalizer(after, finalizer)
	if err := patchMeta(ctx, r.client, ing, after); err != nil {
		return fmt.Errorf("adding the finalizer to %s: %w", refOf(ing), err)
	}
	return nil
}

// left is the host name of the load balancer that some of the group's members leave behind and stay themselves, as it was known last.
func (r *Reconciler) left(ctx context.Context, g Group, owner model.Owner) (string, error) {
	if !slices.ContainsFunc(g.Leaving, Leaver.stays) {
		r.hosts.Delete(owner)
		return "", nil
	}
	state, err := r.state(ctx, owner)
	if err != nil {
		return "", err
	}
	if state != nil && state.Spec.LoadBalancer != nil && state.Spec.LoadBalancer.DNSName != "" {
		r.hosts.Store(owner, state.Spec.LoadBalancer.DNSName)
	}
	known, _ := r.hosts.Load(owner)
	host, _ := known.(string)
	return host, nil
}

// stays tells whether the Ingress goes on without a group of ours.
func (l Leaver) stays() bool { return l.Ingress.DeletionTimestamp.IsZero() && !l.Elsewhere }

// releaseFinalizers lets those of the leavers go who are free: of whom nothing is left in AWS. An Ingress that stays and has no other
// group loses the address, which does not serve it any more.
func (r *Reconciler) releaseFinalizers(ctx context.Context, g Group, free []model.ObjectRef, host string) error {
	var errs []error
	for _, l := range g.Leaving {
		if !slices.ContainsFunc(free, refOf(l.Ingress).Same) {
			continue
		}
		err := r.release(ctx, g.Key, l, host)
		r.fail(l.Ingress, "FailedRemoveFinalizer", err)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (r *Reconciler) release(ctx context.Context, key GroupKey, l Leaver, host string) error {
	before := l.Ingress
	if l.stays() {
		var err error
		if before, err = patchStatus(ctx, r.client, before, ofOthers(before.Status.LoadBalancer.Ingress, host)); err != nil {
			return err
		}
	}
	after := before.DeepCopy()
	if !controllerutil.RemoveFinalizer(after, key.Finalizer()) {
		return nil
	}
	if err := patchMeta(ctx, r.client, before, after); err != nil {
		return fmt.Errorf("removing the finalizer from %s: %w", refOf(before), err)
	}
	return nil
}

// ofOthers are the addresses that somebody else published. Where the host name of the load balancer is not known, those that look as we
// write them are taken for ours.
func ofOthers(have []networkingv1.IngressLoadBalancerIngress, host string) []networkingv1.IngressLoadBalancerIngress {
	return slices.DeleteFunc(slices.Clone(have), func(a networkingv1.IngressLoadBalancerIngress) bool {
		if host != "" {
			return strings.EqualFold(a.Hostname, host)
		}
		return a.IP == "" && a.Hostname != "" && len(a.Ports) > 0
	})
}

// patchMeta writes the finalizers under a lock: a merge patch replaces the whole list.
func patchMeta(ctx context.Context, c client.Client, before, after *networkingv1.Ingress) error {
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	return client.IgnoreNotFound(c.Patch(ctx, after, patch))
}
