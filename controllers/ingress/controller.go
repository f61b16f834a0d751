package ingress

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// controllerName is the incumbent's, in logs and metrics.
const controllerName = "ingress"

// Loop makes stacks what requests say.
type Loop interface {
	Run(ctx context.Context, req stack.Request) (stack.Result, error)
	// Newer tells that something else is asked for than a run over a stack knows of; Asked is for requests.
	Newer(owner model.Owner)
	Asked(owner model.Owner) uint64
}

// Reconciler makes load balancers of groups of Ingresses.
type Reconciler struct {
	client client.Client
	loop   Loop
	set    Settings
	voice  *outcome.Voice
	// objects are what groups are read from: the client's, with Secrets by the book.
	objects client.Reader
	book    *secret.Book
	tries   outcome.Tries
	// hosts are the host names of load balancers that members leave, by owner: they are known until AWS deletes them.
	hosts sync.Map
}

// New returns the reconciler of Ingresses.
func New(c client.Client, loop Loop, to outcome.Recorder, set Settings) *Reconciler {
	return &Reconciler{client: c, objects: c, loop: loop, set: set, voice: outcome.NewVoice(to, time.Now)}
}

// WithSecrets has the reconciler read Secrets from a book, and hear of their changes.
func (r *Reconciler) WithSecrets(book *secret.Book) *Reconciler {
	r.book, r.objects = book, secret.Reader{Reader: r.client, Book: book}
	return r
}

// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses/status,verbs=patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses/finalizers,verbs=update
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingressclasses,verbs=get;list;watch
// +kubebuilder:rbac:groups=elbv2.k8s.aws,resources=ingressclassparams,verbs=get;list;watch
// +kubebuilder:rbac:groups=elbv2.k8s.aws,resources=targetgroupbindings,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=services;namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the reconciler with workers side by side. Its requests are groups, not Ingresses.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	changed := predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	all := ctrl.NewControllerManagedBy(mgr)
	if r.book != nil {
		all = all.WatchesRawSource(source.Channel(r.book.Changes(), r.heard(r.ofSecret)))
	}
	err := all.
		Named(controllerName).
		Watches(&networkingv1.Ingress{}, r.heard(r.ofIngress), builder.WithPredicates(changed)).
		Watches(&networkingv1.IngressClass{}, r.heard(r.ofClass), builder.WithPredicates(changed)).
		Watches(&elbv2v1beta1.IngressClassParams{}, r.heard(r.ofParams), builder.WithPredicates(changed)).
		Watches(&corev1.Service{}, r.heard(r.ofService), builder.WithPredicates(serviceChanged())).
		Watches(&corev1.Namespace{}, r.heard(r.ofNamespace),
			builder.WithPredicates(predicate.Or[client.Object](predicate.LabelChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&elbv2v1beta1.TargetGroupBinding{}, handler.EnqueueRequestsFromMapFunc(r.ofBinding), builder.WithPredicates(deleted())).
		Watches(&headgatev1alpha1.LoadBalancer{}, handler.EnqueueRequestsFromMapFunc(r.ofLoadBalancer), builder.WithPredicates(written())).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("registering the controller of Ingresses: %w", err)
	}
	return nil
}

// heard asks for runs over the groups that a change of what users write concerns. A plan of theirs that is carried out makes room for them.
func (r *Reconciler) heard(whom handler.MapFunc) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		groups := whom(ctx, o)
		for _, g := range groups {
			r.loop.Newer(KeyOf(g.NamespacedName).Owner(r.set.ClusterName))
		}
		return groups
	})
}

// claims are how often in a row a finalizer that could not be written for a moment is waited for, before the group goes on without that
// member: a load balancer that is made without it may be another one, of another scheme.
const claims = 3

// Reconcile brings one group in line.
func (r *Reconciler) Reconcile(ctx context.Context, key reconcile.Request) (reconcile.Result, error) {
	asked := r.loop.Asked(KeyOf(key.NamespacedName).Owner(r.set.ClusterName))
	g, err := Load(ctx, r.objects, r.set, KeyOf(key.NamespacedName))
	if err != nil {
		return reconcile.Result{}, err
	}
	r.keepSecrets(key, g)
	req := Request(g, r.set)
	owner := req.Intent.Owner
	known, err := r.known(ctx, g, owner)
	if err != nil || !known {
		return reconcile.Result{}, errors.Join(err, r.report(ctx, g, news{findings: req.Findings}))
	}
	all := len(g.Members)
	g, claimErr := r.ensureFinalizers(ctx, g)
	if len(g.Members) < all {
		req = Request(g, r.set)
	}
	if claimErr != nil && len(g.Members) == 0 {
		// A load balancer is not taken down for what could not be written.
		return reconcile.Result{}, claimErr
	}
	if outcome.Passes(claimErr) && r.tries.Failures(key.String()) < claims {
		return r.again(ctx, key, 0, claimErr), nil
	}
	// What the loop could not do is told in events and tried again when it says: the error itself would only add a second clock.
	host, unknown := r.left(ctx, g, owner)
	if unknown != nil {
		return reconcile.Result{}, unknown
	}
	req.Reached = func(ctx context.Context, res stack.Result) {
		if err := r.publishAll(ctx, g, newsOf(req.Intent, res, nil)); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "writing addresses, which is tried again", "group", g.Key.String())
		}
	}
	req.Asked = asked
	res, runErr := r.loop.Run(ctx, req)
	err = errors.Join(claimErr, r.report(ctx, g, newsOf(req.Intent, res, runErr)), r.releaseFinalizers(ctx, g, res.Free, host))
	if runErr != nil {
		ctrl.LoggerFrom(ctx).Error(runErr, "reconciling", "stack", owner.String())
		if res.RequeueAfter == 0 {
			err = errors.Join(err, runErr)
		}
	}
	return r.again(ctx, key, res.RequeueAfter, err), nil
}

// again is the result of a run that is due again, and of what could not be written to the cluster.
func (r *Reconciler) again(ctx context.Context, key reconcile.Request, due time.Duration, err error) reconcile.Result {
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "writing to the cluster", "group", KeyOf(key.NamespacedName).String())
	}
	return reconcile.Result{RequeueAfter: r.tries.Next(key.String(), due, err)}
}

// known tells whether there may be something of the group in AWS. A group without Ingresses is remembered where a finalizer was
// taken away by hand.
func (r *Reconciler) known(ctx context.Context, g Group, owner model.Owner) (bool, error) {
	if !g.Empty() {
		return true, nil
	}
	state, err := r.state(ctx, owner)
	return state != nil, err
}

// state is what is remembered of a stack, nil for nothing.
func (r *Reconciler) state(ctx context.Context, owner model.Owner) (*headgatev1alpha1.StackState, error) {
	state := &headgatev1alpha1.StackState{}
	err := r.client.Get(ctx, client.ObjectKey{Name: stack.StateName(owner)}, state)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the state of %s: %w", owner, err)
	}
	return state, nil
}
