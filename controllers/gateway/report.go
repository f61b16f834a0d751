package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
)

// Finalizer of Gateways, the incumbent's.
const Finalizer = "gateway.k8s.aws/alb"

// claim adds the finalizer before the first create.
func claim(ctx context.Context, c client.Client, g *gwv1.Gateway) error {
	old := g.DeepCopy()
	if !controllerutil.AddFinalizer(g, Finalizer) {
		return nil
	}
	if err := c.Patch(ctx, g, client.MergeFrom(old)); err != nil {
		return fmt.Errorf("adding the finalizer to Gateway %s/%s: %w", g.Namespace, g.Name, err)
	}
	return nil
}

// release removes the finalizer when nothing is left.
func release(ctx context.Context, c client.Client, g *gwv1.Gateway) error {
	old := g.DeepCopy()
	if !controllerutil.RemoveFinalizer(g, Finalizer) {
		return nil
	}
	if err := c.Patch(ctx, g, client.MergeFrom(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing the finalizer from Gateway %s/%s: %w", g.Namespace, g.Name, err)
	}
	return nil
}

// report writes what was reached into the status of the Gateway and its routes, where it changed, and events.
func (r *Reconciler) report(ctx context.Context, v *Verdict, got reached) error {
	gateway := v.snapshot.Gateway
	errs := []error{r.reportGateway(ctx, v, got)}
	for _, j := range v.routes {
		errs = append(errs, r.reportRoute(ctx, v, j, got))
	}
	for _, f := range got.Findings {
		r.event(v, f)
	}
	if next := outcome.Of(got.err, got.Outputs.Waiting); got.err != nil {
		r.events.Eventf(gateway, nil, corev1.EventTypeWarning, next.Reason, "Reconcile", "%s", next.Message)
	} else if got.Settled && len(got.Plan.Changes) > 0 {
		r.events.Eventf(gateway, nil, corev1.EventTypeNormal, outcome.ReasonDone, "Reconcile", "AWS holds what was asked for: %s",
			got.Plan.Summary())
	}
	return errors.Join(errs...)
}

// event tells the owner of an object about a finding, on the object itself.
func (r *Reconciler) event(v *Verdict, f model.Finding) {
	text := f.Message
	if f.Field != "" {
		text = f.Field + ": " + text
	}
	for _, j := range v.routes {
		if f.Object.Same(j.fragment.Member) {
			r.events.Eventf(j.route, nil, corev1.EventTypeWarning, f.Reason, "Reconcile", "%s", text)
			return
		}
	}
	if !f.Object.Same(gatewayRef(v.snapshot.Gateway)) {
		text = f.Object.String() + " " + text
	}
	r.events.Eventf(v.snapshot.Gateway, nil, corev1.EventTypeWarning, f.Reason, "Reconcile", "%s", text)
}

func (r *Reconciler) reportGateway(ctx context.Context, v *Verdict, got reached) error {
	gateway := v.snapshot.Gateway
	old := gateway.DeepCopy()
	v.gatewayStatus(gateway, got)
	if reflect.DeepEqual(old.Status, gateway.Status) {
		return nil
	}
	if err := r.client.Status().Patch(ctx, gateway, client.MergeFrom(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status of Gateway %s/%s: %w", gateway.Namespace, gateway.Name, err)
	}
	return nil
}

// reportRoute patches with a lock: a route may have several Gateways, and each writes its own parents.
func (r *Reconciler) reportRoute(ctx context.Context, v *Verdict, j *judged, got reached) error {
	route := j.route.DeepCopy()
	first := true
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if !first {
			if err := r.live.Get(ctx, client.ObjectKeyFromObject(route), route); err != nil {
				return err //nolint:wrapcheck // RetryOnConflict reads the error itself
			}
		}
		first = false
		old := route.DeepCopy()
		v.routeStatus(j, route, got)
		if reflect.DeepEqual(old.Status, route.Status) {
			return nil
		}
		return r.client.Status().Patch(ctx, route, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{}))
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("writing the status of HTTPRoute %s/%s: %w", route.Namespace, route.Name, err)
	}
	return nil
}
