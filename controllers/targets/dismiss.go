package targets

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// A binding is reconciled by one worker at a time, and while AWS throttles that worker may wait long for its registrations, as may all
// workers. Targets that terminate lose requests meanwhile: workers of their own deregister them where the others have not.

// dismissAfter is how long the workers of all bindings have for it. dismissWorkers may wait for AWS side by side.
const (
	dismissAfter   = 100 * time.Millisecond
	dismissWorkers = 8
)

// setUpDismissals registers the workers for targets that terminate.
func (r *Reconciler) setUpDismissals(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("terminatingTargets").
		Watches(&discoveryv1.EndpointSlice{}, r.onTermination()).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: dismissWorkers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, pollPending),
		}).
		Complete(reconcile.Func(r.dismiss))
	if err != nil {
		return fmt.Errorf("registering the controller of targets that terminate: %w", err)
	}
	return nil
}

// onTermination asks for the bindings of a slice in which something terminates, a little later.
func (r *Reconciler) onTermination() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	enqueue := func(ctx context.Context, o client.Object, q queue) {
		slice, ok := o.(*discoveryv1.EndpointSlice)
		if !ok || !slices.ContainsFunc(slice.Endpoints, terminates) {
			return
		}
		for _, req := range r.bindingsOfSlice(ctx, slice) {
			q.AddAfter(req, dismissAfter)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { enqueue(ctx, e.Object, q) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) { enqueue(ctx, e.ObjectNew, q) },
	}
}

func terminates(e discoveryv1.Endpoint) bool { return ptr.Deref(e.Conditions.Terminating, false) }

// dismiss deregisters the targets of a binding that terminate, where others are registered that are ready. All else is left to [Reconciler.Reconcile],
// which tells of errors too.
func (r *Reconciler) dismiss(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	b := &elbv2v1beta1.TargetGroupBinding{}
	if err := r.client.Get(ctx, req.NamespacedName, b); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !b.DeletionTimestamp.IsZero() || b.Spec.MultiClusterTargetGroup || ofNodes(b) || r.refused(b) != "" {
		return reconcile.Result{}, nil
	}
	group := r.file(req.NamespacedName).group
	going, err := r.terminating(ctx, b, r.lane.standing(group))
	if err != nil || len(going) == 0 {
		return reconcile.Result{}, err
	}
	if err := r.unsettle(ctx, b); err != nil {
		return reconcile.Result{}, err
	}
	if err := r.lane.dismiss(ctx, group, going); !absent(err) {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, nil
}

// terminating are those of the registered targets that terminate, none where no other is ready.
func (r *Reconciler) terminating(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, registered []model.Target) ([]model.Target, error) {
	if len(registered) == 0 {
		return nil, nil
	}
	service := &corev1.Service{}
	if err := r.client.Get(ctx, client.ObjectKey{Namespace: b.Namespace, Name: b.Spec.ServiceRef.Name}, service); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	p, ok := servicePort(service, b)
	if !ok {
		return nil, nil
	}
	all, err := listed(ctx, r.client, b, port{name: p.Name, family: familyOf(b)})
	if err != nil {
		return nil, err
	}
	var going []model.Target
	serves := false
	for _, e := range all {
		switch {
		case !contains(registered, e.target):
		case e.terminating:
			going = append(going, e.target)
		case e.ready:
			serves = true
		}
	}
	if !serves {
		return nil, nil
	}
	return going, nil
}
