package targets

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// Finalizer of bindings, the incumbent's.
const Finalizer = "elbv2.k8s.aws/resources"

// Names resolves the names of target groups to ARNs, and knows the ranges of the VPC.
type Names interface {
	Facts(ctx context.Context, need model.Needs) (model.Facts, error)
}

// Options of a [Reconciler]. Board and Network are needed.
type Options struct {
	// Board shows the health of targets, Network admits their traffic.
	Board    *stack.Board
	Network  *Network
	FailOpen FailOpen
	// Pods are watched for readiness gates; nil where there are none.
	Pods *Pods
	// As is another account, which a role of it lets the operator into; nil for none.
	As func(model.Role) Account
	// MaxTargets bounds the targets that this cluster has in a target group; zero is no bound.
	MaxTargets int
	// Poll bounds the time between two looks at targets that are not all healthy. Default 15 s.
	Poll time.Duration
	// MaxBackoff bounds the time between two tries of what fails; zero leaves it to package outcome.
	MaxBackoff time.Duration
	// InService is told how long the targets of a group took to be healthy after a change. It may be nil.
	InService func(time.Duration)
	// Breaker says when so many targets go whose pods run that somebody shall look first.
	Breaker stack.BreakerOptions
	// Paused is told how many targets of a binding (namespace/name) it holds. It may be nil.
	Paused func(binding string, targets int)
	// Workers that reconcile bindings side by side. Default 16.
	Workers int
	// Now is the clock. Default: the system's.
	Now func() time.Time
}

// Reconciler keeps the targets of target groups equal to the endpoints of the bindings' Services.
type Reconciler struct {
	client client.Client
	// home is the operator's own account.
	home Account
	// live reads past the cache, to confirm an endpoint list that is suddenly empty.
	live    client.Reader
	lane    *lane
	looks   looks
	names   Names
	board   *stack.Board
	network *Network
	pods    *Pods
	voice   *outcome.Voice
	opts    Options

	mu sync.Mutex
	// files are what is known of each binding, owners which binding has a target group.
	files  map[types.NamespacedName]file
	owners map[model.ARN]types.NamespacedName
	// account is the cluster's, empty while no target group has shown it.
	account string
}

// file is what is known of a binding from the reconciles before.
type file struct {
	// idle says that it had no targets when it was looked at last.
	idle bool
	// failures in a row.
	failures int
	// group is the target group that it has, empty before it has one.
	group model.ARN
	// former is the one that it had before, until its targets are out of that.
	former model.ARN
	// shape is the target group as AWS describes it, record what this cluster registered in a shared one; zero while not read.
	shape  model.TargetGroup
	record record
	// waiting are the pods whose gate is not open, gateless those that are not ready and have none.
	waiting  []waiter
	gateless map[types.UID]bool
	// cautions are what is told of how the pods end.
	cautions []outcome.Remark
	// breaker knows what went and what is held.
	breaker breaker
	poll    poll
	// checkpoint is what was written last, nil for nothing.
	checkpoint *string
}

// New returns the reconciler of bindings.
func New(mgr ctrl.Manager, cloud interface {
	Account
	Names
}, opts Options) *Reconciler {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Workers == 0 {
		opts.Workers = 16
	}
	if opts.Poll == 0 {
		opts.Poll = pollPending
	}
	return &Reconciler{
		client: mgr.GetClient(), live: mgr.GetAPIReader(), lane: newLane(cloud), looks: newLooks(), home: cloud, names: cloud, board: opts.Board,
		network: opts.Network, pods: opts.Pods,
		voice: outcome.NewVoice(mgr.GetEventRecorder("targetGroupBinding"), opts.Now), opts: opts,
		files: map[types.NamespacedName]file{}, owners: map[model.ARN]types.NamespacedName{},
	}
}

// SetupWithManager registers the reconciler.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	work := ctrl.NewControllerManagedBy(mgr).
		Named("targetGroupBinding").
		For(&elbv2v1beta1.TargetGroupBinding{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, approvals()))).
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(r.bindingsOfSlice)).
		Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(r.bindingsOfNode), builder.WithPredicates(matters())).
		Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(r.bindingsOfService)).
		WatchesRawSource(source.Channel(r.network.news, &handler.EnqueueRequestForObject{})).
		WatchesRawSource(source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			r.heed(queue.Add)
			return nil
		})).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.opts.Workers})
	if r.pods != nil {
		work = work.WatchesRawSource(source.Channel(r.pods.news, &handler.EnqueueRequestForObject{}))
		if err := mgr.Add(r.pods); err != nil {
			return fmt.Errorf("registering the watch of pods: %w", err)
		}
	}
	if err := work.Complete(r); err != nil {
		return fmt.Errorf("registering the controller of bindings: %w", err)
	}
	return r.setUpDismissals(mgr)
}

func (r *Reconciler) bindingsOfSlice(ctx context.Context, o client.Object) []reconcile.Request {
	return r.bindings(ctx, o.GetNamespace(), o.GetLabels()[discoveryv1.LabelServiceName])
}

func (r *Reconciler) bindingsOfService(ctx context.Context, o client.Object) []reconcile.Request {
	return r.bindings(ctx, o.GetNamespace(), o.GetName())
}

func (r *Reconciler) bindings(ctx context.Context, namespace, service string) []reconcile.Request {
	var list elbv2v1beta1.TargetGroupBindingList
	if err := r.client.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing bindings", "namespace", namespace)
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
		if client.IgnoreNotFound(err) == nil {
			r.drop(req.NamespacedName)
			return reconcile.Result{}, r.openWatched(ctx, req.NamespacedName)
		}
		return reconcile.Result{}, fmt.Errorf("reading binding %s: %w", req.NamespacedName, err)
	}
	if !b.DeletionTimestamp.IsZero() {
		return r.release(ctx, b)
	}
	if text := r.refused(b); text != "" {
		return reconcile.Result{}, r.tell(ctx, b, problem{reason: "InvalidBinding", message: text})
	}
	after, p, err := r.sync(ctx, b)
	if err != nil {
		return r.failed(ctx, b, err)
	}
	r.edit(req.NamespacedName, func(f *file) { f.failures = 0 })
	return reconcile.Result{RequeueAfter: sooner(after, p.again)}, r.tell(ctx, b, p)
}

// attempt counts a failure and says what it means.
func (r *Reconciler) attempt(b *elbv2v1beta1.TargetGroupBinding, err error) outcome.Outcome {
	failures := 0
	r.edit(client.ObjectKeyFromObject(b), func(f *file) {
		f.failures++
		failures = f.failures
	})
	out := outcome.Attempt{Err: err, Failures: failures}.Outcome()
	if limit := r.opts.MaxBackoff; limit > 0 {
		out.RetryAfter = min(out.RetryAfter, limit)
	}
	return out
}

// vanishing is how many reads in a row may find no target group of a stack before that is told: a stack deletes its target group
// first and then the binding.
const vanishing = 4

// failed tells of an error and says when it is tried again.
func (r *Reconciler) failed(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, err error) (reconcile.Result, error) {
	next := r.attempt(b, err)
	again := reconcile.Result{RequeueAfter: next.RetryAfter}
	key := client.ObjectKeyFromObject(b)
	if r.made(b) && absent(err) {
		if r.file(key).failures <= vanishing {
			return again, nil
		}
		err = errors.Join(err, r.giveUp(ctx, key))
	}
	ctrl.LoggerFrom(ctx).Error(err, "reconciling", "binding", key.String(), "again", next.RetryAfter.String())
	return again, r.tell(ctx, b, problem{reason: next.Reason, message: next.Message})
}

// tell shows what is wrong with a binding, or that nothing is any more: an event, and the condition Ready.
func (r *Reconciler) tell(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, p problem) error {
	var remarks []outcome.Remark
	var findings []model.Finding
	// The graver comes last: its reason is the condition's.
	for _, one := range []problem{r.network.problem(client.ObjectKeyFromObject(b)), p} {
		if one == (problem{}) {
			continue
		}
		remarks = append(remarks, outcome.Remark{Reason: one.reason, Text: one.message})
		findings = append(findings, model.Finding{Severity: model.Wrong, Reason: one.reason, Message: one.message})
	}
	r.voice.Warn("", b, remarks)
	cautions := r.caution(b)
	old := b.DeepCopy()
	if p == (problem{}) {
		b.Status.ObservedGeneration = &b.Generation
	}
	// A binding that was done before, by the incumbent maybe, gets no word that says only that all is as it was.
	if len(findings) > 0 || len(b.Status.Conditions) > 0 || !reflect.DeepEqual(old.Status, b.Status) {
		ready := outcome.Member(outcome.AsWritten, append(cautions, findings...))
		ready.ObservedGeneration = b.Generation
		meta.SetStatusCondition(&b.Status.Conditions, ready)
	}
	if reflect.DeepEqual(old.Status, b.Status) {
		return nil
	}
	if err := r.client.Status().Patch(ctx, b, client.MergeFrom(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	return nil
}

// caution tells the Service of a binding how its pods end, which is not the binding's fault, and gives what to show on the binding.
func (r *Reconciler) caution(b *elbv2v1beta1.TargetGroupBinding) []model.Finding {
	remarks := r.file(client.ObjectKeyFromObject(b)).cautions
	var findings []model.Finding
	for _, one := range remarks {
		findings = append(findings, model.Finding{Severity: model.Warning, Reason: one.Reason, Message: one.Text})
	}
	r.voice.Warn(b.Name, &corev1.ObjectReference{
		APIVersion: "v1", Kind: "Service", Namespace: b.Namespace, Name: b.Spec.ServiceRef.Name,
	}, remarks)
	return findings
}

// edit changes what is known of a binding.
func (r *Reconciler) edit(key types.NamespacedName, change func(*file)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.files[key]
	change(&f)
	r.files[key] = f
}

func (r *Reconciler) file(key types.NamespacedName) file {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.files[key]
}

// drop forgets a binding that is gone.
func (r *Reconciler) drop(key types.NamespacedName) {
	r.network.drop(key)
	f := r.file(key)
	r.disown(key, f.group)
	r.disown(key, f.former)
	r.paused(key, 0)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.files, key)
}

// outOfReach tells whether the targets of a binding that is deleted must stay: whose they are is not known, or their account is not reached.
func (r *Reconciler) outOfReach(b *elbv2v1beta1.TargetGroupBinding) bool {
	return roleOf(b).ARN != "" && r.opts.As == nil || b.Spec.TargetGroupARN == "" && b.Spec.TargetGroupName == ""
}

// claim adds the finalizer, under a lock: a merge patch replaces the whole list.
func (r *Reconciler) claim(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	claimed := b.DeepCopy()
	if !controllerutil.AddFinalizer(claimed, Finalizer) {
		return nil
	}
	if err := r.client.Patch(ctx, claimed, client.MergeFromWithOptions(b, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("adding the finalizer: %w", err)
	}
	// The answer has not what was filled in.
	b.Finalizers, b.ResourceVersion = claimed.Finalizers, claimed.ResourceVersion
	return nil
}

// Heard tells whether every binding was reconciled once, as far as the network is concerned. What bindings need that are not served
// yet is not known: while there are such, that is no.
func (r *Reconciler) Heard(ctx context.Context) (bool, error) {
	var list elbv2v1beta1.TargetGroupBindingList
	if err := r.client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("listing bindings: %w", err)
	}
	for i := range list.Items {
		b := &list.Items[i]
		if b.DeletionTimestamp.IsZero() && b.Spec.Networking != nil && !r.network.has(client.ObjectKeyFromObject(b)) {
			return false, nil
		}
	}
	return true, nil
}
