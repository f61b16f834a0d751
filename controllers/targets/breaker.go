package targets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
)

// ApprovedDeregistration is the annotation of a binding with which somebody says that targets that the breaker holds shall go. Its value
// is the hash that the condition of the binding has.
const ApprovedDeregistration = "headgate.dev/approved-deregistration"

// heldRetry is how soon held targets are looked at again: nobody tells when a pod ends whose endpoint is gone already.
const heldRetry = 15 * time.Second

// breaker is what is known of a binding's targets that went although nothing said that their pods end, or that their nodes do. Endpoints that
// terminate or are not ready are no part of it, nor are nodes that are gone, not ready or excluded: rollouts and scale-ins are never held.
type breaker struct {
	// lost are those that were deregistered of late, and when; came how many were registered, and when.
	lost map[model.Target]time.Time
	came []arrival
	// held are those that stay for now, hash what approves them.
	held record
	hash string
}

// arrival is a number of targets that were registered at once.
type arrival struct {
	at      time.Time
	targets int
}

// after are the events of the last while only.
func (k *breaker) after(start time.Time) {
	for one, at := range k.lost {
		if !at.After(start) {
			delete(k.lost, one)
		}
	}
	k.came = slices.DeleteFunc(k.came, func(a arrival) bool { return !a.at.After(start) })
}

// arrived are those of so many targets that came of late.
func (k *breaker) arrived(of int) int {
	n := 0
	for _, a := range k.came {
		n += a.targets
	}
	return min(n, of)
}

// step is what a binding would change: its targets as wanted with all endpoints behind them, as known, and the difference.
type step struct {
	wish  wish
	known []model.Target
	delta change
	// gone are the targets to deregister whose endpoints are gone.
	gone []model.Target
}

// vanished are the targets to deregister whose endpoints are gone, not just ending or not ready; of nodes those that are wanted no more.
func (s step) vanished(nodes bool) []model.Target {
	if nodes {
		return diff(s.delta.deregister, s.wish.targets).register
	}
	return slices.DeleteFunc(slices.Clone(s.delta.deregister), func(t model.Target) bool {
		return slices.ContainsFunc(s.wish.all, func(e endpoint) bool { return e.target.ID == t.ID && e.target.Port == t.Port })
	})
}

// hold gives the targets that shall stay registered although their endpoints are gone, and says why: so many of them have pods that run
// on that somebody shall look first. What stays goes when its pod ends, or when somebody says so.
func (r *Reconciler) hold(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, s step) ([]model.Target, problem, error) {
	key, now := client.ObjectKeyFromObject(b), r.opts.Now()
	k := r.file(key).breaker
	k.after(now.Add(-r.opts.Breaker.WithDefaults().Window))
	var stay []model.Target
	if s.gone = s.vanished(ofNodes(b)); len(s.gone) > 0 {
		var err error
		if stay, err = r.running(ctx, b, k, s); err != nil {
			return nil, problem{}, err
		}
	}
	before := len(k.held)
	k.keep(stay)
	if len(stay) > 0 && b.Annotations[ApprovedDeregistration] == k.hash {
		stay, k.held = nil, nil
	}
	k.note(s, now)
	r.edit(key, func(f *file) { f.breaker = k })
	if len(stay) != before {
		r.paused(key, len(stay))
	}
	if len(stay) == 0 {
		return nil, problem{}, nil
	}
	return stay, k.problem(b), nil
}

// running are those of the targets to go that have pods that run, or are nodes that are ready, where that is too many. These are read only
// where it may be.
func (r *Reconciler) running(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, k breaker, s step) ([]model.Target, error) {
	limits := r.opts.Breaker.WithDefaults()
	of := len(s.known) + len(k.lost)
	// What came in their place is no loss: a Service that is switched from one set of pods to another one is not held.
	fresh := len(s.delta.register)
	fresh += k.arrived(len(s.wish.targets) - fresh)
	if len(k.held) == 0 && !limits.Trips(len(s.gone)+len(k.lost)-fresh, of) {
		return nil, nil
	}
	alive, err := r.alive(ctx, b)
	if err != nil {
		return nil, err
	}
	stay := slices.DeleteFunc(slices.Clone(s.gone), func(t model.Target) bool { return !alive[t.ID] })
	ran := 0
	for t := range k.lost {
		if alive[t.ID] {
			ran++
		}
	}
	if len(k.held) == 0 && !limits.Trips(len(stay)+ran-fresh, of) {
		return nil, nil
	}
	return stay, nil
}

// keep takes what stays. What was held before keeps its hash while nothing is added: pods that end meanwhile are no other question.
func (k *breaker) keep(stay []model.Target) {
	if len(stay) == 0 {
		k.held = nil
		return
	}
	now := recordOf(stay)
	for one := range now {
		if !k.held[one] {
			sum := sha256.Sum256([]byte(now.String()))
			k.hash = hex.EncodeToString(sum[:6])
			break
		}
	}
	k.held = now
}

// note takes what comes, and what goes of those whose endpoints are gone.
func (k *breaker) note(s step, now time.Time) {
	for _, t := range s.gone {
		if k.held[entry(t)] {
			continue
		}
		if k.lost == nil {
			k.lost = map[model.Target]time.Time{}
		}
		k.lost[t] = now
	}
	if n := len(s.delta.register); n > 0 {
		k.came = append(k.came, arrival{now, n})
	}
}

// problem tells the owner of a binding what is held, and how to let it go.
func (k *breaker) problem(b *elbv2v1beta1.TargetGroupBinding) problem {
	first, _, _ := strings.Cut(k.held.String(), ",")
	service := b.Namespace + "/" + b.Spec.ServiceRef.Name
	why := "Service " + service + " has no endpoints for them any more, and their pods run and are ready. Is that meant? " +
		"If not, mend the Service's selector or its EndpointSlices"
	if ofNodes(b) {
		why = "the Service " + service + " is gone, or spec.nodeSelector selects them no more, and they are nodes that are ready and not excluded. " +
			"Is that meant? If not, mend the Service, the selector or the labels of the nodes"
	}
	return problem{reason: outcome.ReasonPaused, again: heldRetry, message: fmt.Sprintf(
		"%d targets stay registered, %s among them: %s; if it is: kubectl -n %s annotate --overwrite targetgroupbinding %s %s=%s",
		len(k.held), first, why, b.Namespace, b.Name, ApprovedDeregistration, k.hash)}
}

// paused tells how many targets of a binding are held.
func (r *Reconciler) paused(key types.NamespacedName, targets int) {
	if r.opts.Paused != nil {
		r.opts.Paused(key.String(), targets)
	}
}

// spend takes the approval away once it was used, or was for nothing: it is for what was asked then. One that somebody wrote meanwhile stays.
func (r *Reconciler) spend(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, p problem) error {
	approval := b.Annotations[ApprovedDeregistration]
	if p.reason == outcome.ReasonPaused || approval == "" {
		return nil
	}
	path := "/metadata/annotations/" + strings.ReplaceAll(ApprovedDeregistration, "/", "~1") // RFC 6901
	body, err := json.Marshal([]map[string]string{{"op": "test", "path": path, "value": approval}, {"op": "remove", "path": path}})
	if err != nil {
		return fmt.Errorf("taking the approval away: %w", err)
	}
	err = r.client.Patch(ctx, b.DeepCopy(), client.RawPatch(types.JSONPatchType, body))
	if apierrors.IsNotFound(err) || apierrors.IsInvalid(err) { // the test failed
		return nil
	}
	if err != nil {
		return fmt.Errorf("taking the approval away: %w", err)
	}
	return nil
}

// alive are the IDs of targets that run on: of pods, or of nodes, past the cache.
func (r *Reconciler) alive(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) (map[string]bool, error) {
	if ofNodes(b) {
		return r.aliveNodes(ctx)
	}
	return r.alivePods(ctx, b.Namespace)
}

// aliveNodes are the instances of nodes that are there, are ready, and that nobody excludes or is about to delete.
func (r *Reconciler) aliveNodes(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	list := corev1.NodeList{}
	for {
		if err := r.live.List(ctx, &list, client.Limit(podPage), client.Continue(list.Continue)); err != nil {
			return nil, fmt.Errorf("listing nodes: %w", err)
		}
		for i := range list.Items {
			n := &list.Items[i]
			if id := instanceOf(n); id != "" && n.DeletionTimestamp == nil && !excluded(n) && readiness(n) == corev1.ConditionTrue {
				out[id] = true
			}
		}
		if list.Continue == "" {
			return out, nil
		}
	}
}

// alivePods are the addresses of the pods of a namespace that run, are ready and do not end.
func (r *Reconciler) alivePods(ctx context.Context, namespace string) (map[string]bool, error) {
	out := map[string]bool{}
	list := corev1.PodList{}
	for {
		if err := r.live.List(ctx, &list, client.InNamespace(namespace), client.Limit(podPage), client.Continue(list.Continue)); err != nil {
			return nil, fmt.Errorf("listing the pods of namespace %s: %w", namespace, err)
		}
		for i := range list.Items {
			// Pods on the network of their node share its address: which of them it was is not known.
			pod := &list.Items[i]
			if pod.DeletionTimestamp != nil || pod.Spec.HostNetwork || pod.Status.Phase != corev1.PodRunning || !holds(pod, corev1.ContainersReady) {
				continue
			}
			for _, ip := range pod.Status.PodIPs {
				out[ip.IP] = true
			}
		}
		if list.Continue == "" {
			return out, nil
		}
	}
}

// approvals are changes of the annotation that lets held targets go.
func approvals() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetAnnotations()[ApprovedDeregistration] != e.ObjectNew.GetAnnotations()[ApprovedDeregistration]
		},
	}
}
