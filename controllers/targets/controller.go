package targets

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// Finalizer of bindings, the incumbent's.
const Finalizer = "elbv2.k8s.aws/resources"

// Names resolves the names of target groups to ARNs.
type Names interface {
	Facts(ctx context.Context, need model.Needs) (model.Facts, error)
}

// Options of a [Reconciler].
type Options struct {
	FailOpen FailOpen
	// Workers that reconcile bindings side by side. Default 16.
	Workers int
}

// Reconciler keeps the targets of target groups equal to the endpoints of the bindings' Services.
type Reconciler struct {
	client client.Client
	// live reads past the cache, to confirm an endpoint list that is suddenly empty.
	live    client.Reader
	lane    *lane
	names   Names
	board   *stack.Board
	network *Network
	events  events.EventRecorder
	opts    Options

	mu    sync.Mutex
	polls map[types.NamespacedName]poll
}

// poll is when the health of a binding's group is looked at.
type poll struct {
	every time.Duration
	at    time.Time
	state string
}

// New returns the reconciler of bindings.
func New(mgr ctrl.Manager, cloud interface {
	Cloud
	Names
}, board *stack.Board, network *Network, opts Options) *Reconciler {
	if opts.Workers == 0 {
		opts.Workers = 16
	}
	return &Reconciler{
		client: mgr.GetClient(), live: mgr.GetAPIReader(), lane: newLane(cloud), names: cloud, board: board, network: network,
		events: mgr.GetEventRecorder("targetGroupBinding"), opts: opts, polls: map[types.NamespacedName]poll{},
	}
}

// SetupWithManager registers the reconciler.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("targetGroupBinding").
		For(&elbv2v1beta1.TargetGroupBinding{}).
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(r.bindingsOfSlice)).
		Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(r.bindingsOfService)).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.opts.Workers}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("registering the controller of bindings: %w", err)
	}
	return nil
}

func (r *Reconciler) bindingsOfSlice(ctx context.Context, o client.Object) []reconcile.Request {
	return r.bindings(ctx, o.GetNamespace(), o.GetLabels()[discoveryv1.LabelServiceName])
}

func (r *Reconciler) bindingsOfService(ctx context.Context, o client.Object) []reconcile.Request {
	return r.bindings(ctx, o.GetNamespace(), o.GetName())
}

func (r *Reconciler) bindings(ctx context.Context, namespace, service string) []reconcile.Request {
	var list elbv2v1beta1.TargetGroupBindingList
	if err := r.client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if list.Items[i].Spec.ServiceRef.Name == service {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return out
}

// Reconcile brings the targets of one binding in line.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	b := &elbv2v1beta1.TargetGroupBinding{}
	if err := r.client.Get(ctx, req.NamespacedName, b); err != nil {
		r.network.drop(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !b.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, r.release(ctx, b)
	}
	if problem := notServed(b); problem != "" {
		r.warn(b, "NotServed", problem)
		return reconcile.Result{}, nil
	}
	if err := r.claim(ctx, b); err != nil {
		return reconcile.Result{}, err
	}
	after, err := r.sync(ctx, b)
	if err != nil {
		o := outcome.Of(err, nil)
		r.warn(b, o.Reason, o.Message)
		return reconcile.Result{RequeueAfter: o.RetryAfter}, nil
	}
	return reconcile.Result{RequeueAfter: after}, r.observed(ctx, b)
}

func (r *Reconciler) warn(b *elbv2v1beta1.TargetGroupBinding, reason, message string) {
	r.events.Eventf(b, nil, corev1.EventTypeWarning, reason, "Reconcile", "%s", message)
}

// notServed names what a binding asks for that this version does not do; registering anything then would be half the job.
func notServed(b *elbv2v1beta1.TargetGroupBinding) string {
	switch {
	case b.Spec.TargetType != nil && *b.Spec.TargetType == "instance":
		return "spec.targetType instance is not served yet: no target is registered; use ip"
	case b.Spec.IamRoleArnToAssume != "":
		return "spec.iamRoleArnToAssume is not served yet: no target is registered"
	case b.Spec.MultiClusterTargetGroup:
		return "spec.multiClusterTargetGroup is not served yet: no target is registered"
	case b.Spec.TargetGroupARN == "" && b.Spec.TargetGroupName == "":
		return "spec.targetGroupARN or spec.targetGroupName is needed: set one"
	}
	return ""
}

// claim adds the finalizer.
func (r *Reconciler) claim(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	old := b.DeepCopy()
	if !controllerutil.AddFinalizer(b, Finalizer) {
		return nil
	}
	if err := r.client.Patch(ctx, b, client.MergeFrom(old)); err != nil {
		return fmt.Errorf("adding the finalizer: %w", err)
	}
	return nil
}

// sync registers and deregisters, tells the network, and looks at the health. It returns when to look again.
func (r *Reconciler) sync(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (time.Duration, error) {
	group, err := r.arn(ctx, b)
	if err != nil {
		return 0, err
	}
	want, err := r.want(ctx, r.client, b)
	if err != nil {
		return 0, err
	}
	known, err := r.lane.registered(ctx, group)
	if err != nil {
		return 0, err
	}
	if len(want) == 0 && len(known) > 0 {
		if want, err = r.want(ctx, r.live, b); err != nil {
			return 0, err
		}
	}
	r.network.set(b, want)
	delta := diff(want, known)
	if !delta.empty() {
		if err := r.lane.apply(ctx, group, delta); err != nil {
			return 0, err
		}
	}
	return r.look(ctx, b, group, !delta.empty())
}

func (r *Reconciler) arn(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (model.ARN, error) {
	if b.Spec.TargetGroupARN != "" {
		return model.ARN(b.Spec.TargetGroupARN), nil
	}
	name := b.Spec.TargetGroupName
	facts, err := r.names.Facts(ctx, model.Needs{TargetGroupNames: []string{name}})
	if err != nil {
		return "", fmt.Errorf("finding target group %s: %w", name, err)
	}
	if arn := facts.TargetGroups[name]; arn != "" {
		return arn, nil
	}
	return "", &fault.Error{
		Class: fault.NotFound, Code: "TargetGroupNotFound", Action: "elasticloadbalancing:DescribeTargetGroups",
		Err: fmt.Errorf("spec.targetGroupName: there is no target group %q", name),
	}
}

// want is what shall be registered, as reader knows the endpoints.
func (r *Reconciler) want(ctx context.Context, reader client.Reader, b *elbv2v1beta1.TargetGroupBinding) ([]model.Target, error) {
	service := &corev1.Service{}
	key := client.ObjectKey{Namespace: b.Namespace, Name: b.Spec.ServiceRef.Name}
	if err := reader.Get(ctx, key, service); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	p, ok := servicePort(service, b)
	if !ok {
		return nil, nil
	}
	var list discoveryv1.EndpointSliceList
	err := reader.List(ctx, &list, client.InNamespace(b.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: service.Name})
	if err != nil {
		return nil, fmt.Errorf("listing the endpoints of Service %s: %w", key, err)
	}
	return desired(endpoints(list.Items, p), noGates, r.opts.FailOpen), nil
}

// noGates: readiness gates are not injected yet, so no pod waits for one of ours.
func noGates(string) bool { return false }

// servicePort finds the Service port that the binding names.
func servicePort(s *corev1.Service, b *elbv2v1beta1.TargetGroupBinding) (port, bool) {
	family := discoveryv1.AddressTypeIPv4
	if t := b.Spec.IPAddressType; t != nil && *t == elbv2v1beta1.TargetGroupIPAddressTypeIPv6 {
		family = discoveryv1.AddressTypeIPv6
	}
	want := b.Spec.ServiceRef.Port
	for _, p := range s.Spec.Ports {
		if want.StrVal != "" && p.Name == want.StrVal || want.StrVal == "" && p.Port == want.IntVal {
			return port{name: p.Name, family: family}, true
		}
	}
	return port{}, false
}

// look reads the health of the group where it is due, and shows it.
func (r *Reconciler) look(
	ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, group model.ARN, changed bool,
) (time.Duration, error) {
	key := client.ObjectKeyFromObject(b)
	r.mu.Lock()
	p := r.polls[key]
	r.mu.Unlock()
	now := time.Now()
	if !changed && now.Before(p.at) {
		return p.at.Sub(now), nil
	}
	health, err := r.lane.cloud.Health(ctx, group)
	if fault.Is(err, fault.NotFound) {
		r.lane.forget(group)
	}
	if err != nil {
		return 0, fmt.Errorf("reading the health of %s: %w", group, err)
	}
	state := fmt.Sprint(health)
	p.every = nextPoll(p.every, health, changed || state != p.state)
	p.state, p.at = state, now.Add(p.every)
	r.mu.Lock()
	r.polls[key] = p
	r.mu.Unlock()
	return p.every, r.board.Health(ctx, group, health)
}

func (r *Reconciler) observed(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	if g := b.Status.ObservedGeneration; g != nil && *g == b.Generation {
		return nil
	}
	old := b.DeepCopy()
	b.Status.ObservedGeneration = &b.Generation
	if err := r.client.Status().Patch(ctx, b, client.MergeFrom(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	return nil
}

// release lets a binding go. The targets of a binding that a user made are deregistered; a target group that was made for a stack
// goes with it, and nothing is deregistered from something that is about to be deleted.
func (r *Reconciler) release(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	if controllerutil.ContainsFinalizer(b, Finalizer) && !stack.Made(b) && notServed(b) == "" {
		if err := r.deregisterAll(ctx, b); err != nil {
			r.warn(b, "FailedCleanup", err.Error())
			return err
		}
	}
	r.network.drop(client.ObjectKeyFromObject(b))
	group := model.ARN(b.Spec.TargetGroupARN)
	r.lane.forget(group)
	r.board.Drop(group)
	r.mu.Lock()
	delete(r.polls, client.ObjectKeyFromObject(b))
	r.mu.Unlock()
	old := b.DeepCopy()
	if !controllerutil.RemoveFinalizer(b, Finalizer) {
		return nil
	}
	return client.IgnoreNotFound(r.client.Patch(ctx, b, client.MergeFrom(old)))
}

func (r *Reconciler) deregisterAll(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	group, err := r.arn(ctx, b)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	mine, err := r.want(ctx, r.client, b)
	if err != nil {
		return err
	}
	known, err := r.lane.registered(ctx, group)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	// Only what the Service's endpoints explain is ours to remove.
	theirs := diff(known, mine).register
	ours := diff(theirs, known).deregister
	if len(ours) == 0 {
		return nil
	}
	err = r.lane.apply(ctx, group, change{deregister: ours})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return errors.Join(err)
}

// Heard waits until every binding that exists was reconciled once, as far as the network is concerned.
func (r *Reconciler) Heard(ctx context.Context) (bool, error) {
	var list elbv2v1beta1.TargetGroupBindingList
	if err := r.client.List(ctx, &list); err != nil {
		return false, fmt.Errorf("listing bindings: %w", err)
	}
	for i := range list.Items {
		b := &list.Items[i]
		if b.DeletionTimestamp.IsZero() && notServed(b) == "" && !r.network.has(client.ObjectKeyFromObject(b)) {
			return false, nil
		}
	}
	return true, nil
}
