package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/outcome"
)

// reasonStays is the reason of the events on what is deleted while it is in use: the incumbent's.
const reasonStays = "FailedRemoveFinalizer"

// keeper keeps the configurations of one kind while Gateways use them, by the incumbent's finalizer, and says in their status what became
// of them, or that nothing uses them. It writes nothing else. It reconciles one at a time.
type keeper struct {
	client client.Client
	live   client.Reader
	uses   *ledger
	voice  *outcome.Voice
	latch  *Latch
	pause  time.Duration

	kind, finalizer, name string
	// blank is an object of the kind.
	blank func() client.Object
	// refused is what was said and not taken: definitions of the incumbent have no conditions. It is not said again.
	refused map[types.NamespacedName]string
	tries   outcome.Tries
}

// keepers are the reconcilers of configurations, with the incumbent's names and finalizers.
func (r *Reconciler) keepers() []*keeper {
	of := func(kind, plural string, blank func() client.Object) *keeper {
		return &keeper{
			client: r.client, live: r.live, uses: r.uses, voice: r.voice, latch: r.latch, pause: r.set.again(),
			kind: kind, finalizer: awsgwv1.Group + "/" + plural,
			name: "aws-lbc-" + strings.ToLower(kind) + "-controller", blank: blank, refused: map[types.NamespacedName]string{},
		}
	}
	return []*keeper{
		of(awsgwv1.KindLoadBalancerConfiguration, "loadbalancerconfigurations", func() client.Object { return &awsgwv1.LoadBalancerConfiguration{} }),
		of(awsgwv1.KindTargetGroupConfiguration, "targetgroupconfigurations", func() client.Object { return &awsgwv1.TargetGroupConfiguration{} }),
		of(awsgwv1.KindListenerRuleConfiguration, "listenerruleconfigurations", func() client.Object { return &awsgwv1.ListenerRuleConfiguration{} }),
	}
}

// setup registers the keeper of a kind that is installed.
func (k *keeper) setup(mgr ctrl.Manager) error {
	woken := source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		k.uses.onWake(k.kind, func(name types.NamespacedName) { queue.Add(reconcile.Request{NamespacedName: name}) })
		return nil
	})
	if err := ctrl.NewControllerManagedBy(mgr).Named(k.name).For(k.blank()).WatchesRawSource(woken).Complete(k); err != nil {
		return fmt.Errorf("registering the controller of %ss: %w", k.kind, err)
	}
	return nil
}

// Reconcile brings one configuration in line. What cannot be written is tried again, though nobody tells of it: at once where somebody else
// was faster, and within half a minute else.
func (k *keeper) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	due, err := k.keep(ctx, req)
	if err != nil && !apierrors.IsConflict(err) {
		ctrl.LoggerFrom(ctx).Error(err, "writing to the cluster", "kind", k.kind, "name", req.String())
	}
	return reconcile.Result{RequeueAfter: k.tries.Next(req.String(), due, err)}, nil
}

// keep sets the finalizer of one configuration while a Gateway uses it, and removes it when none does. Due is when to look again, zero for
// never.
func (k *keeper) keep(ctx context.Context, req reconcile.Request) (due time.Duration, err error) {
	o, name := k.blank(), configName{req.NamespacedName, k.kind}
	if err := k.client.Get(ctx, req.NamespacedName, o); err != nil {
		return 0, client.IgnoreNotFound(err)
	}
	if gone, err := (usher{k.client, k.live}).out(ctx, k.finalizer, o); err != nil || gone {
		return 0, err
	}
	if k.latch.isShut() {
		return k.pause, nil
	}
	users := k.uses.users(name)
	if len(users) > 0 {
		return 0, k.serve(ctx, o, users)
	}
	all, err := k.gateways(ctx)
	if err != nil || !k.uses.unused(name, all) {
		return 0, err
	}
	k.voice.Warn(k.finalizer, o, nil)
	return 0, k.release(ctx, o)
}

// release lets a configuration go that nothing uses, and says so in its status where it stays.
func (k *keeper) release(ctx context.Context, o client.Object) error {
	if err := k.change(ctx, o, controllerutil.RemoveFinalizer); err != nil || !o.GetDeletionTimestamp().IsZero() {
		return err
	}
	return k.describe(ctx, o, nil)
}

// serve keeps a configuration that is used, and says what became of it.
func (k *keeper) serve(ctx context.Context, o client.Object, users []types.NamespacedName) error {
	hold := func() error { return k.change(ctx, o, controllerutil.AddFinalizer) }
	if !o.GetDeletionTimestamp().IsZero() {
		hold = func() error { return k.tell(ctx, o, users) }
	}
	if err := hold(); err != nil {
		return err
	}
	all := k.uses.standings(configName{client.ObjectKeyFromObject(o), k.kind})
	stale := func(s standing) bool { return s.judged != o.GetGeneration() }
	if len(all) == 0 || slices.ContainsFunc(all, stale) { // nothing is said before every Gateway that uses it has looked at what it says now
		return nil
	}
	return k.describe(ctx, o, all)
}

// change patches the finalizers, where that changes them.
func (k *keeper) change(ctx context.Context, o client.Object, how func(client.Object, string) bool) error {
	old, ok := o.DeepCopyObject().(client.Object)
	if !ok || !how(o, k.finalizer) {
		return nil
	}
	err := k.client.Patch(ctx, o, underLock(old))
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("changing the finalizer of %s %s: %w", k.kind, client.ObjectKeyFromObject(o), err)
}

// gateways are all Gateways there are.
func (k *keeper) gateways(ctx context.Context) ([]types.NamespacedName, error) {
	var list gwv1.GatewayList
	if err := k.client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing Gateways: %w", err)
	}
	out := make([]types.NamespacedName, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return out, nil
}

// tell tells of a configuration that is deleted which Gateways still use it. Those that go themselves need no word, nor does a
// namespace that goes with everything in it: it takes no events.
func (k *keeper) tell(ctx context.Context, o client.Object, users []types.NamespacedName) error {
	namespace := &corev1.Namespace{}
	if err := k.client.Get(ctx, client.ObjectKey{Name: o.GetNamespace()}, namespace); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading Namespace %s: %w", o.GetNamespace(), err)
	}
	if !namespace.DeletionTimestamp.IsZero() {
		return nil
	}
	var staying []string
	for _, name := range users {
		g := &gwv1.Gateway{}
		if err := k.client.Get(ctx, name, g); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("reading Gateway %s: %w", name, err)
		}
		if g.Name != "" && g.DeletionTimestamp.IsZero() {
			staying = append(staying, name.String())
		}
	}
	var remarks []outcome.Remark
	if len(staying) > 0 {
		remarks = append(remarks, outcome.Remark{Reason: reasonStays, Text: "is deleted as soon as nothing uses it. Gateways that do, themselves or " +
			"by their class or routes: " + strings.Join(staying, ", ") + ". Delete them, or remove what refers to it."})
	}
	k.voice.Warn(k.finalizer, o, remarks)
	return nil
}
