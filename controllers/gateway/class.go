package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/outcome"
)

// ClassFinalizer keeps a GatewayClass while Gateways name it, as the incumbent does.
const ClassFinalizer = "gateway.k8s.aws/gatewayclass"

// lookAgain is when a class is looked at again that cannot promise all there is.
const lookAgain = 30 * time.Second

// className is the incumbent's name of the controller.
const className = "aws-lbc-gateway-class-controller"

// ClassReconciler accepts GatewayClasses, says what is served for them, and keeps those that are in use.
type ClassReconciler struct {
	client client.Client
	live   client.Reader
	voice  *outcome.Voice
	// keeps says that there is a bucket for authorities.
	keeps bool
	// latch may hold the door shut, and pause is when it is looked again.
	latch *Latch
	pause time.Duration
	tries outcome.Tries
}

// NewClass returns the reconciler of GatewayClasses.
func NewClass(mgr ctrl.Manager, set Settings) *ClassReconciler {
	return &ClassReconciler{
		client: mgr.GetClient(), live: mgr.GetAPIReader(), keeps: set.Shelf.Bucket != "", pause: set.again(),
		voice: outcome.NewVoice(mgr.GetEventRecorder(className), time.Now),
	}
}

// Behind has the reconciler leave everything as it is while a latch is shut.
func (r *ClassReconciler) Behind(l *Latch) *ClassReconciler {
	r.latch = l
	return r
}

// SetupWithManager registers the reconciler.
func (r *ClassReconciler) SetupWithManager(mgr ctrl.Manager) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	err := ctrl.NewControllerManagedBy(mgr).
		Named(className).
		For(&gwv1.GatewayClass{}).
		Watches(&gwv1.Gateway{}, handler.EnqueueRequestsFromMapFunc(classOfGateway), changed).
		Watches(&awsgwv1.LoadBalancerConfiguration{}, handler.EnqueueRequestsFromMapFunc(r.allClasses), changed).
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
	if gone, err := (usher{r.client, r.live}).out(ctx, ClassFinalizer, class); err != nil || gone {
		return reconcile.Result{}, err
	}
	if r.latch.isShut() {
		return reconcile.Result{RequeueAfter: r.pause}, nil
	}
	due := time.Duration(0)
	err := r.hold(ctx, class)
	if err == nil && class.DeletionTimestamp.IsZero() {
		err = r.accept(ctx, class)
		if !hasSets(r.client.RESTMapper()) {
			due = lookAgain
		}
	}
	if err != nil && !apierrors.IsConflict(err) {
		ctrl.LoggerFrom(ctx).Error(err, "writing to the cluster", "class", class.Name)
	}
	return reconcile.Result{RequeueAfter: r.tries.Next(req.String(), due, err)}, nil
}

// users tells whether Gateways name a class, and which of those are not being deleted.
func (r *ClassReconciler) users(ctx context.Context, class string) (used bool, staying []string, err error) {
	var list gwv1.GatewayList
	if err := r.client.List(ctx, &list); err != nil {
		return false, nil, fmt.Errorf("listing Gateways: %w", err)
	}
	for i := range list.Items {
		g := &list.Items[i]
		if string(g.Spec.GatewayClassName) != class {
			continue
		}
		used = true
		if g.DeletionTimestamp.IsZero() {
			staying = append(staying, client.ObjectKeyFromObject(g).String())
		}
	}
	slices.Sort(staying)
	return used, staying, nil
}

// hold keeps the finalizer while the class is used.
func (r *ClassReconciler) hold(ctx context.Context, class *gwv1.GatewayClass) error {
	used, staying, err := r.users(ctx, class.Name)
	if err != nil {
		return err
	}
	r.tell(class, staying)
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

// tell tells of a class that is deleted which Gateways keep it. Those that go themselves need no word.
func (r *ClassReconciler) tell(class *gwv1.GatewayClass, staying []string) {
	var remarks []outcome.Remark
	if len(staying) > 0 && !class.DeletionTimestamp.IsZero() {
		remarks = append(remarks, outcome.Remark{Reason: reasonStays, Text: "is deleted as soon as no Gateway names it. Those that do: " +
			strings.Join(staying, ", ") + ". Delete them, or give them another class."})
	}
	r.voice.Warn(className, class, remarks)
}

// accept writes the status: a class is good when its parameters can be read. Nothing is written that is there already.
func (r *ClassReconciler) accept(ctx context.Context, class *gwv1.GatewayClass) error {
	s := &Snapshot{Gateway: &gwv1.Gateway{}, Class: class, Ours: true}
	if err := s.loadConfigs(ctx, r.client); err != nil {
		return err
	}
	p := problem{}
	if s.ParameterProblem != "" {
		p = problem{string(gwv1.GatewayClassReasonInvalidParameters), s.ParameterProblem}
	}
	old := class.DeepCopy()
	set := func(kind gwv1.GatewayClassConditionType, good gwv1.GatewayClassConditionReason, p problem) {
		outcome.Set(&class.Status.Conditions, condition(string(kind), string(good), p, class.Generation))
	}
	set(gwv1.GatewayClassConditionStatusAccepted, gwv1.GatewayClassReasonAccepted, p)
	version, unread := r.version(ctx)
	if unread == nil {
		set(gwv1.GatewayClassConditionStatusSupportedVersion, gwv1.GatewayClassReasonSupportedVersion, version)
	}
	class.Status.SupportedFeatures = r.features()
	if reflect.DeepEqual(old.Status, class.Status) {
		return unread
	}
	if err := r.client.Status().Patch(ctx, class, underLock(old)); client.IgnoreNotFound(err) != nil {
		return errors.Join(unread, fmt.Errorf("writing the status of GatewayClass %s: %w", class.Name, err))
	}
	return unread
}
