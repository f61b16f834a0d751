package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
)

// Finalizer of Gateways, the incumbent's.
const Finalizer = "gateway.k8s.aws/alb"

// arnPrefix begins the message of a condition Programmed that is ours, and true.
const arnPrefix = "arn:"

// underLock makes a merge patch fail where the object changed meanwhile: it replaces lists as a whole.
func underLock(old client.Object) client.Patch {
	return client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{})
}

// claim adds the finalizer before the first create.
func claim(ctx context.Context, c client.Client, g *gwv1.Gateway) error {
	old := g.DeepCopy()
	if !controllerutil.AddFinalizer(g, Finalizer) {
		return nil
	}
	if err := c.Patch(ctx, g, underLock(old)); err != nil {
		return fmt.Errorf("adding the finalizer to Gateway %s/%s: %w", g.Namespace, g.Name, err)
	}
	return nil
}

// depart takes a Gateway of which nothing is left out of the status of routes, as far as they can be written, and lets it go.
func (r *Reconciler) depart(ctx context.Context, v *Verdict) error {
	errs := r.releaseSets(ctx, v)
	for i := range v.snapshot.Routes {
		errs = append(errs, r.reportRoute(ctx, v, &judged{route: &v.snapshot.Routes[i]}, reached{}))
	}
	errs = append(errs, r.leave(ctx, v))
	if err := errors.Join(errs...); err != nil {
		// Whoever keeps a route from being written does not hold the Gateway of somebody else.
		ctrl.LoggerFrom(ctx).Error(err, "leaving routes", "gateway", client.ObjectKeyFromObject(v.snapshot.Gateway).String())
	}
	if err := r.retract(ctx, v); err != nil {
		return err
	}
	if _, err := r.accompany(ctx, v); err != nil {
		return err
	}
	g := v.snapshot.Gateway
	old := g.DeepCopy()
	if !controllerutil.RemoveFinalizer(g, Finalizer) {
		return nil
	}
	if err := r.client.Patch(ctx, g, underLock(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing the finalizer from Gateway %s/%s: %w", g.Namespace, g.Name, err)
	}
	return nil
}

// retract takes back what the status of a Gateway that stays says of the load balancer, unless who serves it now wrote it anew.
func (r *Reconciler) retract(ctx context.Context, v *Verdict) error {
	if !v.snapshot.Gateway.DeletionTimestamp.IsZero() {
		return nil
	}
	g := v.snapshot.Gateway
	return r.update(ctx, g, func() bool {
		c := meta.FindStatusCondition(g.Status.Conditions, string(gwv1.GatewayConditionProgrammed))
		if c == nil || !strings.HasPrefix(c.Message, arnPrefix) {
			return false
		}
		outcome.Set(&g.Status.Conditions, v.programmed(reached{}))
		g.Status.Addresses = slices.DeleteFunc(g.Status.Addresses, func(a gwv1.GatewayStatusAddress) bool {
			return a.Type != nil && *a.Type == gwv1.HostnameAddressType
		})
		return true
	})
}

// leave takes the Gateway out of the status of routes that do not name it any more.
func (r *Reconciler) leave(ctx context.Context, v *Verdict) error {
	errs := make([]error, 0, len(v.snapshot.Left))
	for i := range v.snapshot.Left {
		errs = append(errs, r.reportRoute(ctx, v, &judged{route: &v.snapshot.Left[i]}, reached{}))
	}
	return errors.Join(errs...)
}

// report writes what was reached into the status of the Gateway and its routes, where it changed, and events.
func (r *Reconciler) report(ctx context.Context, v *Verdict, got reached) error {
	told, err := r.accompany(ctx, v)
	got.Findings = slices.Concat(got.Findings, told)
	errs := []error{err, r.leave(ctx, v)}
	if v.snapshot.Ours {
		errs = append(errs, r.reportGateway(ctx, v, got))
		errs = append(errs, r.reportSets(ctx, v, got)...)
	}
	for _, j := range v.routes {
		errs = append(errs, r.reportRoute(ctx, v, j, got))
	}
	r.tell(v, got)
	return errors.Join(errs...)
}

// tell tells the owners of the Gateway and its routes what is wrong, each on its own object, and what was done.
func (r *Reconciler) tell(v *Verdict, got reached) {
	gateway := v.snapshot.Gateway
	speaker := gatewayRef(gateway).String()
	remarks := map[*judged][]outcome.Remark{}
	ofSets := map[*parent][]outcome.Remark{}
	var general []outcome.Remark
	for _, f := range got.Findings {
		if j := v.routeOf(f.Object); j != nil {
			remarks[j] = append(remarks[j], remark(f))
		} else if p := v.parentOf(f.Object); p != nil && f.Object.Kind == kindListenerSet {
			ofSets[p] = append(ofSets[p], remark(f))
		} else {
			one := remark(f)
			if !f.Object.Same(gatewayRef(gateway)) {
				one.Text = f.Object.String() + " " + one.Text
			}
			general = append(general, one)
		}
	}
	if next := outcome.Of(got.err, nil); got.err != nil {
		general = append(general, outcome.Remark{Reason: next.Reason, Text: next.Message})
	} else if got.Blocked != "" {
		general = append(general, outcome.Remark{Reason: outcome.ReasonBlocked, Text: got.Blocked})
	} else if got.Held != nil {
		general = append(general, outcome.Remark{Reason: got.Held.Reason, Text: got.Held.Message})
	}
	r.voice.Warn(speaker, gateway, general)
	for _, j := range v.routes {
		r.voice.Warn(speaker, j.route.object, remarks[j])
	}
	for i := range v.snapshot.Sets {
		set := &v.snapshot.Sets[i]
		r.voice.Warn(speaker, set, ofSets[v.parentOf(setRef(set))])
	}
	if got.Settled && len(got.Plan.Changes) > 0 {
		text := outcome.AppliedPlan(got.Plan)
		if got.Drift {
			text = "AWS did not hold any more what was asked for. " + text
		}
		r.voice.Tell(gateway, outcome.Remark{Reason: outcome.ReasonDone, Text: text})
	}
}

func remark(f model.Finding) outcome.Remark {
	return outcome.Remark{Reason: f.Reason, Text: f.Text()}
}

// routeOf is the route that an object is, nil for none.
func (v *Verdict) routeOf(object model.ObjectRef) *judged {
	for _, j := range v.routes {
		if object.Same(j.fragment.Member) {
			return j
		}
	}
	return nil
}

func (r *Reconciler) reportGateway(ctx context.Context, v *Verdict, got reached) error {
	g := v.snapshot.Gateway.DeepCopy()
	return r.update(ctx, g, func() bool {
		old := g.Status.DeepCopy()
		v.gatewayStatus(g, got)
		return !reflect.DeepEqual(*old, g.Status)
	})
}

func (r *Reconciler) reportRoute(ctx context.Context, v *Verdict, j *judged, got reached) error {
	now := statusOf(j.route.object).DeepCopy()
	if v.routeStatus(j, now, got); reflect.DeepEqual(now, statusOf(j.route.object)) {
		return nil
	}
	object, ok := j.route.object.DeepCopyObject().(client.Object)
	if !ok {
		return nil
	}
	return r.update(ctx, object, func() bool {
		status := statusOf(object)
		old := status.DeepCopy()
		v.routeStatus(j, status, got)
		return !reflect.DeepEqual(old, status)
	})
}

// update writes the status of an object that change edits, where it says that it changed. It reads the object again where it is out
// of date: a route may have several Gateways, and each writes its own parents.
func (r *Reconciler) update(ctx context.Context, object client.Object, change func() bool) error {
	stale := false
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if stale {
			if err := r.live.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
				return fmt.Errorf("reading it again: %w", err)
			}
		}
		stale = true
		old, ok := object.DeepCopyObject().(client.Object)
		if !change() || !ok {
			return nil
		}
		if err := r.client.Status().Patch(ctx, object, underLock(old)); err != nil {
			return fmt.Errorf("patching: %w", err)
		}
		return nil
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("writing the status of %T %s: %w", object, client.ObjectKeyFromObject(object), err)
	}
	return nil
}
