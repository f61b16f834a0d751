package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// Reconciler makes load balancers of Gateways.
type Reconciler struct {
	client client.Client
	live   client.Reader
	// objects are what Gateways are read from: the client's, with Secrets and ConfigMaps by their books.
	objects client.Reader
	book    *secret.Book
	maps    *secret.ConfigMaps
	loop    Loop
	set     Settings
	voice   *outcome.Voice
	uses    *ledger
	tries   outcome.Tries
	// memories are what is remembered of each Gateway, by its name; one Gateway is reconciled by one worker at a time.
	memories sync.Map
	// latch may hold the door shut; roll is what Gateways were made of.
	latch *Latch
	roll  roll
}

// Loop makes stacks what requests say.
type Loop interface {
	Run(ctx context.Context, req stack.Request) (stack.Result, error)
	// Newer tells that something else is asked for than a run over a stack knows of; Asked is for requests.
	Newer(owner model.Owner)
	Asked(owner model.Owner) uint64
}

// New returns the reconciler of Gateways.
func New(mgr ctrl.Manager, loop Loop, set Settings) *Reconciler {
	return &Reconciler{
		client: mgr.GetClient(), objects: mgr.GetClient(), live: mgr.GetAPIReader(), loop: loop, set: set, uses: newLedger(),
		voice: outcome.NewVoice(mgr.GetEventRecorder("gateway.k8s.aws-alb"), time.Now),
	}
}

// WithBooks has the reconciler read Secrets and ConfigMaps from books, and hear of their changes.
func (r *Reconciler) WithBooks(book *secret.Book, maps *secret.ConfigMaps) *Reconciler {
	r.book, r.maps, r.objects = book, maps, secret.Reader{Reader: r.client, Book: book, ConfigMaps: maps}
	return r
}

// Behind has the reconciler leave everything as it is while a latch is shut.
func (r *Reconciler) Behind(l *Latch) *Reconciler {
	r.latch = l
	return r
}

// SetupWithManager registers the reconciler with workers side by side, and those of the configurations that Gateways use. Kinds that are not
// installed follow when they are.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	annotated := builder.WithPredicates(predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))
	all := r.heard(r.allGateways)
	builders := ctrl.NewControllerManagedBy(mgr)
	if r.book != nil {
		builders = builders.WatchesRawSource(source.Channel(r.book.Changes(), r.heard(r.gatewaysOfSecret)))
	}
	if r.maps != nil {
		builders = builders.WatchesRawSource(source.Channel(r.maps.Changes(), r.heard(r.gatewaysOfConfigMap)))
	}
	c, err := builders.
		Named("gateway.k8s.aws-alb").
		For(&gwv1.Gateway{}, annotated).
		Watches(&gwv1.Gateway{}, r.heard(itself), annotated).
		Owns(&corev1.ServiceAccount{}, builder.OnlyMetadata).
		Watches(&gwv1.HTTPRoute{}, r.heard(r.gatewaysOfRoute), changed).
		Watches(&gwv1.GatewayClass{}, all, annotated).
		Watches(&awsgwv1.LoadBalancerConfiguration{}, all, changed).
		Watches(&awsgwv1.TargetGroupConfiguration{}, all, changed).
		Watches(&corev1.Service{}, r.heard(r.gatewaysOfService), builder.WithPredicates(serviceChanged())).
		Watches(&corev1.Namespace{}, all, builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&elbv2v1beta1.TargetGroupBinding{}, handler.EnqueueRequestsFromMapFunc(gatewayOfBinding), builder.WithPredicates(deleted())).
		Watches(&headgatev1alpha1.LoadBalancer{}, handler.EnqueueRequestsFromMapFunc(gatewaysOfLoadBalancer), builder.WithPredicates(edited())).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Build(r)
	if err != nil {
		return fmt.Errorf("registering the controller of Gateways: %w", err)
	}
	return r.await(mgr, c)
}

// heard asks for runs over the Gateways that a change of what users write concerns. A plan of theirs that is carried out makes room for them.
func (r *Reconciler) heard(whom handler.MapFunc) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		gateways := whom(ctx, o)
		for _, g := range gateways {
			r.loop.Newer(Owner(r.set.ClusterName, g.NamespacedName))
		}
		return gateways
	})
}

func itself(_ context.Context, o client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(o)}}
}

// gatewaysWhere are the Gateways with a listener, of their own or of a ListenerSet, of which ask says so; it is told the namespace that the
// listener is written in.
func (r *Reconciler) gatewaysWhere(ctx context.Context, ask func(namespace string, l gwv1.Listener) bool) []reconcile.Request {
	var list gwv1.GatewayList
	var sets gwv1.ListenerSetList
	if err := errors.Join(listKind(ctx, r.client, &list), listKind(ctx, r.client, &sets)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "looking for listeners")
		return nil
	}
	var out []reconcile.Request
	for i := range sets.Items {
		set := &sets.Items[i]
		if slices.ContainsFunc(set.Spec.Listeners, func(l gwv1.ListenerEntry) bool { return ask(set.Namespace, gwv1.Listener(l)) }) {
			out = append(out, gatewaysOfSet(ctx, set)...)
		}
	}
	for i := range list.Items {
		g := &list.Items[i]
		if slices.ContainsFunc(g.Spec.Listeners, func(l gwv1.Listener) bool { return ask(g.Namespace, l) }) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(g)})
		}
	}
	return out
}

func (r *Reconciler) allGateways(ctx context.Context, _ client.Object) []reconcile.Request {
	keys, err := Gateways(ctx, r.client)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing Gateways")
	}
	out := make([]reconcile.Request, 0, len(keys))
	for _, k := range keys {
		out = append(out, reconcile.Request{NamespacedName: k})
	}
	return out
}

// gatewaysOfRoute are the Gateways that a route names, itself or by a ListenerSet, and those that its status names: it may just have left
// one.
func (r *Reconciler) gatewaysOfRoute(ctx context.Context, o client.Object) []reconcile.Request {
	route, ok := routeOf(o)
	if !ok {
		return nil
	}
	seen := map[types.NamespacedName]bool{}
	var out []reconcile.Request
	add := func(p gwv1.ParentReference) {
		kind, key := named(p, route.Namespace)
		if kind == kindListenerSet {
			key = r.gatewayOf(ctx, key)
		}
		if !seen[key] && key.Name != "" {
			seen[key] = true
			out = append(out, reconcile.Request{NamespacedName: key})
		}
	}
	for _, p := range route.Spec.ParentRefs {
		add(p)
	}
	for _, p := range route.Status.Parents {
		if p.ControllerName == ControllerName {
			add(p.ParentRef)
		}
	}
	return out
}

// gatewayOf is the Gateway of a ListenerSet, without a name where there is none.
func (r *Reconciler) gatewayOf(ctx context.Context, key types.NamespacedName) types.NamespacedName {
	set := &gwv1.ListenerSet{}
	if err := r.client.Get(ctx, key, set); err != nil {
		if !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
			ctrl.LoggerFrom(ctx).Error(err, "reading a ListenerSet", "name", key.String())
		}
		return types.NamespacedName{}
	}
	return gatewayOfSet(set)
}

func gatewaysOfSet(_ context.Context, o client.Object) []reconcile.Request {
	set, ok := o.(*gwv1.ListenerSet)
	if !ok || gatewayOfSet(set).Name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: gatewayOfSet(set)}}
}

func (r *Reconciler) gatewaysOfService(ctx context.Context, o client.Object) []reconcile.Request {
	routes, err := listRoutes(ctx, r.client, client.UnsafeDisableDeepCopy) // they are only looked at
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing routes")
		return nil
	}
	key := client.ObjectKeyFromObject(o)
	var out []reconcile.Request
	for _, route := range routes {
		if refersToService(route, key) {
			out = append(out, r.gatewaysOfRoute(ctx, route.object)...)
		}
	}
	return out
}

// gatewayOfBinding is the Gateway that a binding was made for: one that somebody deletes is made again.
func gatewayOfBinding(_ context.Context, o client.Object) []reconcile.Request {
	prefix, name, ok := stack.OwnerOf(o)
	if !ok || prefix != model.PrefixGatewayALB {
		return nil
	}
	namespace, name, _ := strings.Cut(name, "/")
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
}

// gatewaysOfLoadBalancer are the Gateways that are shown on the object: one that somebody deletes is made again.
func gatewaysOfLoadBalancer(_ context.Context, o client.Object) []reconcile.Request {
	lb, ok := o.(*headgatev1alpha1.LoadBalancer)
	if !ok {
		return nil
	}
	var out []reconcile.Request
	for _, s := range lb.Status.Sources {
		if s.Kind == "Gateway" {
			out = append(out, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: s.Namespace, Name: s.Name}})
		}
	}
	return out
}

// edited lets through deletions, changes of what users write, and targets that are waited for.
func edited() predicate.Predicate {
	gone := deleted()
	return predicate.Funcs{CreateFunc: gone.Create, UpdateFunc: stack.Concerns, DeleteFunc: gone.Delete, GenericFunc: gone.Generic}
}

// deleted lets only deletions through.
func deleted() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// serviceChanged lets through what of a Service Gateways depend on: not who balances it, nor what others note on it.
func serviceChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*corev1.Service)
		after, ok2 := e.ObjectNew.(*corev1.Service)
		return !ok || !ok2 || before.UID != after.UID || !reflect.DeepEqual(before.Spec, after.Spec) || !maps.Equal(before.Annotations, after.Annotations)
	}}
}

func refersToService(route route, key types.NamespacedName) bool {
	for _, rule := range route.Spec.Rules {
		for _, b := range rule.BackendRefs {
			if backendKey(route.Namespace, b.BackendRef) == key {
				return true
			}
		}
	}
	return false
}

// Reconcile brings one Gateway in line.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if r.set.WatchNamespace != "" && req.Namespace != r.set.WatchNamespace {
		return reconcile.Result{}, nil
	}
	if r.latch.isShut() {
		return reconcile.Result{RequeueAfter: r.set.again()}, r.goesUnread(ctx, req.NamespacedName)
	}
	asked := r.loop.Asked(Owner(r.set.ClusterName, req.NamespacedName))
	s, err := Load(ctx, r.objects, r.set, req.NamespacedName)
	if err != nil {
		return reconcile.Result{}, err
	}
	if wait, err := r.waits(ctx, s); err != nil || wait {
		return reconcile.Result{RequeueAfter: r.set.again()}, err
	}
	r.keepSecrets(req.NamespacedName, s)
	if s.Gateway == nil {
		r.uses.forget(req.NamespacedName)
		r.roll.call(req.NamespacedName, nil)
		r.memories.Delete(req.NamespacedName)
		r.tries.Next(req.String(), 0, nil)
		return reconcile.Result{}, nil
	}
	v := r.remembered(req.NamespacedName).Judge(s, r.set, Owner(r.set.ClusterName, req.NamespacedName))
	uses := v.uses()
	r.uses.note(req.NamespacedName, uses)
	if concerned, err := r.concerned(ctx, s); err != nil || !concerned {
		return reconcile.Result{}, err
	}
	wanted := v.Request()
	wanted.Asked = asked
	res, err := r.loop.Run(ctx, wanted)
	r.uses.hear(req.NamespacedName, v.standings(uses, reached{Result: res, err: err}))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "reconciling", "gateway", req.String(), "again", res.RequeueAfter.String())
	}
	if res.Gone {
		return reconcile.Result{}, r.depart(ctx, v)
	}
	if err = r.report(ctx, v, reached{Result: res, err: err}); err != nil {
		// The loop's clock goes on whatever the API server says.
		ctrl.LoggerFrom(ctx).Error(err, "writing to the cluster", "gateway", req.String())
	}
	return reconcile.Result{RequeueAfter: r.tries.Next(req.String(), res.RequeueAfter, err)}, nil
}

// remembered is what is remembered of a Gateway.
func (r *Reconciler) remembered(gateway types.NamespacedName) *Memory {
	known, _ := r.memories.LoadOrStore(gateway, new(Memory))
	m, ok := known.(*Memory)
	if !ok {
		return new(Memory)
	}
	return m
}

// concerned tells whether there is something to do for a Gateway: it is ours, or was. Whose class is missing keeps what it has:
// a class that comes again must not cost a load balancer.
func (r *Reconciler) concerned(ctx context.Context, s *Snapshot) (bool, error) {
	mine := slices.Contains(s.Gateway.Finalizers, Finalizer)
	switch {
	case !s.Gateway.DeletionTimestamp.IsZero():
		return mine, nil
	case s.Class == nil:
		return false, nil
	case s.Ours:
		return true, claim(ctx, r.client, s.Gateway)
	}
	return mine, nil
}
