package ingress

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// controllerName is the incumbent's, in logs and metrics.
const controllerName = "ingress"

// Loop makes stacks what requests say.
type Loop interface {
	Run(ctx context.Context, req stack.Request) (stack.Result, error)
}

// Reconciler makes load balancers of groups of Ingresses.
type Reconciler struct {
	client client.Client
	loop   Loop
	set    Settings
	events Recorder
}

// New returns the reconciler of Ingresses.
func New(c client.Client, loop Loop, to Recorder, set Settings) *Reconciler {
	return &Reconciler{client: c, loop: loop, set: set, events: NewQuiet(to, time.Now)}
}

// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses/status,verbs=patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses/finalizers,verbs=update
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingressclasses,verbs=get;list;watch
// +kubebuilder:rbac:groups=elbv2.k8s.aws,resources=ingressclassparams,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=services;namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the reconciler with workers side by side. Its requests are groups, not Ingresses.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	changed := predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	err := ctrl.NewControllerManagedBy(mgr).
		Named(controllerName).
		Watches(&networkingv1.Ingress{}, handler.EnqueueRequestsFromMapFunc(r.ofIngress), builder.WithPredicates(changed)).
		Watches(&networkingv1.IngressClass{}, handler.EnqueueRequestsFromMapFunc(r.ofClass), builder.WithPredicates(changed)).
		Watches(&elbv2v1beta1.IngressClassParams{}, handler.EnqueueRequestsFromMapFunc(r.ofParams), builder.WithPredicates(changed)).
		Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(r.ofService), builder.WithPredicates(serviceChanged())).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.ofNamespace),
			builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("registering the controller of Ingresses: %w", err)
	}
	return nil
}

// Reconcile brings one group in line.
func (r *Reconciler) Reconcile(ctx context.Context, key reconcile.Request) (reconcile.Result, error) {
	g, err := Load(ctx, r.client, r.set, KeyOf(key.NamespacedName))
	if err != nil {
		return reconcile.Result{}, err
	}
	req := Request(g, r.set)
	owner := req.Intent.Owner
	known, err := r.known(ctx, g, owner)
	if err != nil || !known {
		return reconcile.Result{}, errors.Join(err, Report(ctx, r.client, r.events, g, ReportInput{Findings: req.Findings}))
	}
	if err := EnsureFinalizers(ctx, r.client, g); err != nil {
		r.warn(g, "FailedAddFinalizer", err)
		return reconcile.Result{}, err
	}
	// What the loop could not do is told in events and tried again when it says: the error itself would only add a second clock.
	res, runErr := r.loop.Run(ctx, req)
	err = Report(ctx, r.client, r.events, g, reportOf(req.Intent, res, runErr))
	if res.Settled {
		if releaseErr := ReleaseFinalizers(ctx, r.client, g); releaseErr != nil {
			r.warn(g, "FailedRemoveFinalizer", releaseErr)
			err = errors.Join(err, releaseErr)
		}
	}
	if runErr != nil {
		ctrl.LoggerFrom(ctx).Error(runErr, "reconciling", "stack", owner.String())
		if res.RequeueAfter == 0 {
			err = errors.Join(err, runErr)
		}
	}
	return reconcile.Result{RequeueAfter: res.RequeueAfter}, err
}

// known tells whether there may be something of the group in AWS. A group without Ingresses is remembered where a finalizer was
// taken away by hand.
func (r *Reconciler) known(ctx context.Context, g Group, owner model.Owner) (bool, error) {
	if !g.Empty() {
		return true, nil
	}
	var state headgatev1alpha1.StackState
	err := r.client.Get(ctx, client.ObjectKey{Name: stack.StateName(owner)}, &state)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("reading the state of %s: %w", owner, err)
	}
	return err == nil, nil
}

func (r *Reconciler) warn(g Group, reason string, err error) {
	for _, ing := range g.ingresses() {
		r.events.Eventf(ing, nil, corev1.EventTypeWarning, reason, "Reconcile", "%s", cut(err.Error()))
	}
}

// reportOf is what the members are told of a run.
func reportOf(in intent.Intent, res stack.Result, err error) ReportInput {
	out := ReportInput{
		Ports: map[model.ObjectRef][]int{}, Held: map[model.ObjectRef]bool{},
		Findings: res.Findings, Err: err, Settled: res.Settled, Blocked: res.Blocked,
	}
	if res.LoadBalancer != nil {
		out.DNSName = res.LoadBalancer.DNSName
	}
	for _, f := range in.Fragments {
		for _, l := range f.Listeners {
			out.Ports[bare(f.Member)] = append(out.Ports[bare(f.Member)], l.Port)
		}
	}
	for _, s := range res.Serving {
		if s.Held {
			out.Held[bare(s.Member)] = true
		}
	}
	if res.Settled && len(res.Plan.Changes) > 0 {
		out.Changes = res.Plan.Summary()
	}
	return out
}
