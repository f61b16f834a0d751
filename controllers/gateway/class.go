package gateway

import (
	"context"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// ClassFinalizer keeps a GatewayClass while Gateways name it, as the incumbent does.
const ClassFinalizer = "gateway.k8s.aws/gatewayclass"

// ClassReconciler accepts GatewayClasses and keeps those that are in use.
type ClassReconciler struct{ client client.Client }

// NewClass returns the reconciler of GatewayClasses.
func NewClass(mgr ctrl.Manager) *ClassReconciler { return &ClassReconciler{client: mgr.GetClient()} }

// SetupWithManager registers the reconciler.
func (r *ClassReconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("aws-lbc-gateway-class-controller").
		For(&gwv1.GatewayClass{}).
		Watches(&gwv1.Gateway{}, handler.EnqueueRequestsFromMapFunc(classOfGateway)).
		Watches(&awsgwv1.LoadBalancerConfiguration{}, handler.EnqueueRequestsFromMapFunc(r.allClasses)).
		Complete(r)
	if err != nil {
		return fmt.Errorf("registering the controller of GatewayClasses: %w", err)
	}
	return nil
}

func classOfGateway(_ context.Context, o client.Object) []reconcile.Request {
	g, ok := o.(*gwv1.Gateway)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: string(g.Spec.GatewayClassName)}}}
}

func (r *ClassReconciler) allClasses(ctx context.Context, _ client.Object) []reconcile.Request {
	var list gwv1.GatewayClassList
	if err := r.client.List(ctx, &list); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing GatewayClasses")
	}
	var out []reconcile.Request
	for i := range list.Items {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return out
}

// Reconcile judges one GatewayClass.
func (r *ClassReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	class := &gwv1.GatewayClass{}
	if err := r.client.Get(ctx, req.NamespacedName, class); client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("reading GatewayClass %s: %w", req.Name, err)
	}
	if class.Spec.ControllerName != ControllerName { // another's, or gone
		return reconcile.Result{}, nil
	}
	if err := r.hold(ctx, class); err != nil || !class.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, r.accept(ctx, class)
}

func (r *ClassReconciler) used(ctx context.Context, name string) (bool, error) {
	var list gwv1.GatewayList
	if err := r.client.List(ctx, &list); err != nil {
		return false, fmt.Errorf("listing Gateways: %w", err)
	}
	for i := range list.Items {
		if string(list.Items[i].Spec.GatewayClassName) == name {
			return true, nil
		}
	}
	return false, nil
}

// hold keeps the finalizer while the class is used.
func (r *ClassReconciler) hold(ctx context.Context, class *gwv1.GatewayClass) error {
	used, err := r.used(ctx, class.Name)
	if err != nil {
		return err
	}
	old := class.DeepCopy()
	changed := false
	switch {
	case used && class.DeletionTimestamp.IsZero():
		changed = controllerutil.AddFinalizer(class, ClassFinalizer)
	case !used:
		changed = controllerutil.RemoveFinalizer(class, ClassFinalizer)
	}
	if !changed {
		return nil
	}
	if err := r.client.Patch(ctx, class, underLock(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("changing the finalizer of GatewayClass %s: %w", class.Name, err)
	}
	return nil
}

// accept sets the condition Accepted: a class is good when its parameters can be read.
func (r *ClassReconciler) accept(ctx context.Context, class *gwv1.GatewayClass) error {
	s := &Snapshot{Gateway: &gwv1.Gateway{}}
	s.Gateway.Spec.GatewayClassName = gwv1.ObjectName(class.Name)
	s.Class, s.Ours = class, true
	if err := s.loadConfigs(ctx, r.client); err != nil {
		return err
	}
	p := problem{}
	if s.ParameterProblem != "" {
		p = problem{string(gwv1.GatewayClassReasonInvalidParameters), s.ParameterProblem}
	}
	old := class.DeepCopy()
	meta.SetStatusCondition(&class.Status.Conditions, condition(
		string(gwv1.GatewayClassConditionStatusAccepted), string(gwv1.GatewayClassReasonAccepted), p, class.Generation))
	if reflect.DeepEqual(old.Status, class.Status) {
		return nil
	}
	if err := r.client.Status().Patch(ctx, class, underLock(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status of GatewayClass %s: %w", class.Name, err)
	}
	return nil
}
