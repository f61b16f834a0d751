package crash

import (
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/stack"
)

// written is what the operator left on the objects of the run, and the objects that it made, in words that are equal for equal ends.
func (p *play) written() ([]string, error) {
	var out []string
	for _, kind := range []schema.GroupVersionKind{
		{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"},
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "Gateway"},
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"},
		elbv2v1beta1.GroupVersion().WithKind("TargetGroupBinding"),
		awsgwv1.GroupVersion().WithKind(awsgwv1.KindLoadBalancerConfiguration),
		awsgwv1.GroupVersion().WithKind(awsgwv1.KindTargetGroupConfiguration),
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		if err := p.World.Client.List(p.t.Context(), list, client.InNamespace(p.Name)); err != nil {
			return nil, err
		}
		for i := range list.Items {
			out = append(out, p.look(&list.Items[i]))
		}
	}
	more, err := p.unscoped()
	out = append(out, more...)
	slices.Sort(out)
	return out, err
}

// unscoped are the objects of the run that have no namespace: its class, and of each stack what is shown and what is remembered.
func (p *play) unscoped() ([]string, error) {
	var out []string
	class := &unstructured.Unstructured{}
	class.SetGroupVersionKind(schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "GatewayClass"})
	if err := p.World.Client.Get(p.t.Context(), client.ObjectKey{Name: p.class()}, class); err == nil {
		out = append(out, p.look(class))
	} else if !apierrors.IsNotFound(err) {
		return nil, err
	}
	shown, err := p.shown()
	if err != nil {
		return nil, err
	}
	for i := range shown {
		var words []string
		for _, c := range shown[i].Status.Conditions {
			if c.Type == headgatev1alpha1.ConditionReady {
				continue // it follows what health checks say, at their pace
			}
			words = append(words, fmt.Sprintf("%s=%s %s", c.Type, c.Status, c.Reason))
		}
		slices.Sort(words)
		out = append(out, fmt.Sprintf("LoadBalancer of %d listeners, %d target groups: %v", len(shown[i].Status.Listeners), len(shown[i].Status.Targets), words))
	}
	stacks, err := stack.Count(p.t.Context(), p.World.Client, p.Name)
	return append(out, fmt.Sprintf("%d stacks are remembered", stacks)), err
}

// shown are the LoadBalancer objects of the run.
func (p *play) shown() ([]headgatev1alpha1.LoadBalancer, error) {
	var out []headgatev1alpha1.LoadBalancer
	for _, owner := range p.owners() {
		if owner.Stack == "" {
			continue // the cluster shows nothing
		}
		var list headgatev1alpha1.LoadBalancerList
		err := p.World.Client.List(p.t.Context(), &list, client.MatchingLabels{"headgate.dev/stack": stack.StateName(owner)})
		if err != nil {
			return nil, err
		}
		out = append(out, list.Items...)
	}
	return out, nil
}

// look puts into words what the operator wrote on an object: finalizers, conditions, addresses.
func (p *play) look(o *unstructured.Unstructured) string {
	name := strings.ReplaceAll(o.GetName(), p.Name, "run")
	if service, ok, _ := unstructured.NestedString(o.Object, "spec", "serviceRef", "name"); ok {
		name = "of " + service
	}
	words := []string{o.GetKind(), name}
	words = append(words, o.GetFinalizers()...)
	if status, ok := o.Object["status"].(map[string]any); ok {
		words = append(words, said(status, o.GetGeneration())...)
	}
	slices.Sort(words[2:])
	return strings.Join(words, " ")
}

// said are the conditions and the addresses in a status, wherever they stand.
func said(at any, generation int64) []string {
	var out []string
	switch v := at.(type) {
	case map[string]any:
		if kind, ok := v["type"].(string); ok && v["status"] != nil {
			seen, known := v["observedGeneration"].(int64)
			return []string{fmt.Sprintf("%s=%v %v (late: %t)", kind, v["status"], v["reason"], known && seen != generation)}
		}
		if v["hostname"] != nil || v["value"] != nil {
			return []string{"address"}
		}
		for _, value := range v {
			out = append(out, said(value, generation)...)
		}
	case []any:
		for _, value := range v {
			out = append(out, said(value, generation)...)
		}
	}
	return out
}
