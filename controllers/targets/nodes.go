package targets

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

// Labels and taints that keep a node from being a target, as Kubernetes' own service controller and the incumbent have it.
const (
	labelControlPlane = "node-role.kubernetes.io/master"
	labelExclude      = "node.kubernetes.io/exclude-from-external-load-balancers"
	labelExcludeAlpha = "alpha.service-controller.kubernetes.io/exclude-balancer"
	labelCompute      = "eks.amazonaws.com/compute-type"
	computeFargate    = "fargate"
	taintAutoscaler   = "ToBeDeletedByClusterAutoscaler"
	taintKarpenter    = "karpenter.sh/disrupted"
)

// ofNodes tells whether a binding's targets are nodes.
func ofNodes(b *elbv2v1beta1.TargetGroupBinding) bool {
	return b.Spec.TargetType != nil && *b.Spec.TargetType == elbv2v1beta1.TargetTypeInstance
}

// nodes are the instances that shall be registered with a node port: those that are ready; where none is, and fail-open says so,
// those of which it is not known.
func (r *Reconciler) nodes(ctx context.Context, reader client.Reader, b *elbv2v1beta1.TargetGroupBinding, port int) ([]model.Target, problem, error) {
	selector := labels.Everything()
	if s := b.Spec.NodeSelector; s != nil {
		var err error
		if selector, err = metav1.LabelSelectorAsSelector(s); err != nil {
			return nil, problem{reason: "InvalidNodeSelector", message: fmt.Sprintf(
				"spec.nodeSelector: %s; the targets stay as they are: mend it", err)}, nil
		}
	}
	var list corev1.NodeList
	if err := reader.List(ctx, &list, client.MatchingLabelsSelector{Selector: selector}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, problem{}, fmt.Errorf("listing nodes: %w", err)
	}
	choices := []corev1.ConditionStatus{corev1.ConditionTrue}
	if r.opts.FailOpen == RegisterUnready {
		choices = append(choices, corev1.ConditionUnknown)
	}
	for _, state := range choices {
		if out := instances(list.Items, state, port); len(out) > 0 {
			return out, problem{}, nil
		}
	}
	return nil, problem{}, nil
}

// instances are the nodes with a state that may be targets, sorted.
func instances(nodes []corev1.Node, state corev1.ConditionStatus, port int) []model.Target {
	var out []model.Target
	for i := range nodes {
		if id := instanceOf(&nodes[i]); id != "" && !excluded(&nodes[i]) && readiness(&nodes[i]) == state {
			out = append(out, model.Target{ID: id, Port: port})
		}
	}
	slices.SortFunc(out, func(a, b model.Target) int { return cmp.Compare(a.ID, b.ID) })
	return slices.Compact(out)
}

// instanceOf is the ID of the EC2 instance of a node, empty where it is none: aws:///<zone>/i-….
func instanceOf(n *corev1.Node) string {
	rest, ok := strings.CutPrefix(n.Spec.ProviderID, "aws://")
	id := rest[strings.LastIndexByte(rest, '/')+1:]
	if !ok || !strings.HasPrefix(id, "i-") {
		return ""
	}
	return id
}

// excluded tells whether a node may be no target.
func excluded(n *corev1.Node) bool {
	for _, label := range []string{labelControlPlane, labelExclude, labelExcludeAlpha} {
		if _, ok := n.Labels[label]; ok {
			return true
		}
	}
	if n.Labels[labelCompute] == computeFargate {
		return true
	}
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == taintAutoscaler || t.Key == taintKarpenter })
}

// readiness is the condition Ready of a node, Unknown without.
func readiness(n *corev1.Node) corev1.ConditionStatus {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

// addresses are those of the targets that are in the VPC: no security group of ours admits traffic to others. Where the VPC's ranges
// are not known, or nothing is to be admitted, that is all. A node has its own addresses.
func (r *Reconciler) addresses(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, targets []model.Target) []string {
	out := make([]string, 0, len(targets))
	ids := sets.New[string]()
	for _, t := range targets {
		if _, err := netip.ParseAddr(t.ID); err != nil {
			ids.Insert(t.ID)
			continue
		}
		out = append(out, t.ID)
	}
	out = append(out, r.addressesOf(ctx, ids)...)
	if b.Spec.Networking == nil {
		return out
	}
	facts, err := r.names.Facts(ctx, model.Needs{})
	if err != nil {
		return out
	}
	return slices.DeleteFunc(out, func(a string) bool { return !within(a, facts.VPC.CIDRs) })
}

// addressesOf are the first internal addresses of the nodes that are those instances: all addresses of an interface have its groups.
func (r *Reconciler) addressesOf(ctx context.Context, ids sets.Set[string]) []string {
	var list corev1.NodeList
	if len(ids) == 0 || r.client.List(ctx, &list, client.UnsafeDisableDeepCopy) != nil {
		return nil
	}
	var out []string
	for i := range list.Items {
		if n := &list.Items[i]; ids.Has(instanceOf(n)) {
			if a := internal(n); a != "" {
				out = append(out, a)
			}
		}
	}
	return out
}

func internal(n *corev1.Node) string {
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}

// bindingsOfNode are all bindings whose targets are nodes.
func (r *Reconciler) bindingsOfNode(ctx context.Context, _ client.Object) []reconcile.Request {
	var list elbv2v1beta1.TargetGroupBindingList
	if err := r.client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing bindings")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if ofNodes(&list.Items[i]) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return out
}

// matters passes changes of nodes that change targets: heartbeats do not.
func matters() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*corev1.Node)
		after, also := e.ObjectNew.(*corev1.Node)
		return !ok || !also || instanceOf(before) != instanceOf(after) || excluded(before) != excluded(after) ||
			readiness(before) != readiness(after) || internal(before) != internal(after) || !labels.Equals(before.Labels, after.Labels)
	}}
}

// Slim is the transform of the cache for nodes: it drops what this package does not read.
func Slim(object any) (any, error) {
	n, ok := object.(*corev1.Node)
	if !ok {
		return object, nil
	}
	slim := &corev1.Node{}
	slim.Name, slim.UID, slim.ResourceVersion, slim.Labels = n.Name, n.UID, n.ResourceVersion, n.Labels
	slim.Spec.ProviderID, slim.Spec.Taints = n.Spec.ProviderID, n.Spec.Taints
	slim.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: readiness(n)}}
	slim.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: internal(n)}}
	return slim, nil
}
