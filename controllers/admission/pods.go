package admission

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/targets"
)

// PodPath is where the API server asks about pods, as the incumbent has it.
const PodPath = "/mutate-v1-pod"

// legacyGate begins the gates of the incumbent's first version, which nobody opens.
const legacyGate = "target-health.alb.ingress.k8s.aws/"

// Pods injects readiness gates.
type Pods struct {
	client  client.Reader
	decoder admission.Decoder
}

// NewPods returns the injector, which reads bindings and Services with reader.
func NewPods(reader client.Reader, decoder admission.Decoder) *Pods {
	return &Pods{client: reader, decoder: decoder}
}

// Handle gives a pod one gate for each binding that it will be a target of.
func (p *Pods) Handle(ctx context.Context, req admission.Request) admission.Response {
	pod := &corev1.Pod{}
	if err := p.decoder.Decode(req, pod); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	gates, err := p.gates(ctx, cmp.Or(pod.Namespace, req.Namespace), pod)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	if slices.Equal(gates, pod.Spec.ReadinessGates) {
		return admission.Allowed("")
	}
	pod.Spec.ReadinessGates = gates
	changed, err := json.Marshal(pod)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(req.Object.Raw, changed)
}

// gates are those that the pod shall have.
func (p *Pods) gates(ctx context.Context, namespace string, pod *corev1.Pod) ([]corev1.PodReadinessGate, error) {
	out := slices.DeleteFunc(slices.Clone(pod.Spec.ReadinessGates), func(g corev1.PodReadinessGate) bool {
		return strings.HasPrefix(string(g.ConditionType), legacyGate)
	})
	var bindings elbv2v1beta1.TargetGroupBindingList
	if err := p.client.List(ctx, &bindings, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing the bindings of namespace %s: %w", namespace, err)
	}
	slices.SortFunc(bindings.Items, func(a, b elbv2v1beta1.TargetGroupBinding) int { return cmp.Compare(a.Name, b.Name) })
	for i := range bindings.Items {
		b := &bindings.Items[i]
		gate := corev1.PodReadinessGate{ConditionType: corev1.PodConditionType(targets.GatePrefix + b.Name)}
		if !registersPods(b) || slices.Contains(out, gate) {
			continue
		}
		ours, err := p.selects(ctx, b, pod)
		if err != nil {
			return nil, err
		}
		if ours {
			out = append(out, gate)
		}
	}
	return out, nil
}

// registersPods tells whether the targets of a binding are pods, as it says itself, and it stays.
func registersPods(b *elbv2v1beta1.TargetGroupBinding) bool {
	return b.DeletionTimestamp.IsZero() && b.Spec.TargetType != nil && *b.Spec.TargetType == elbv2v1beta1.TargetTypeIP
}

// selects tells whether the Service of a binding selects the pod.
func (p *Pods) selects(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding, pod *corev1.Pod) (bool, error) {
	var service corev1.Service
	key := client.ObjectKey{Namespace: b.Namespace, Name: b.Spec.ServiceRef.Name}
	if err := p.client.Get(ctx, key, &service); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return false, nil
		}
		return false, fmt.Errorf("reading Service %s: %w", key, err)
	}
	selector := service.Spec.Selector
	return len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)), nil
}
