package corpus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

// seen is what a look at an object shows. Open says that it may still become something else: it counts when patience is over, a
// finding after a quarter of it, unless it is slow.
type seen struct {
	verdict    Verdict
	detail     string
	open, slow bool
}

// unclear is an object that neither serves nor has been told of anything, yet.
func unclear(detail string) seen { return seen{verdict: Unclear, detail: detail, open: true} }

// judge waits for what becomes of an object: a request that gets through, or something that is said about it.
func (t *trial) judge(ctx context.Context, o *unstructured.Unstructured, file []*unstructured.Unstructured) verdict {
	look := map[string]func(context.Context, *unstructured.Unstructured) seen{
		"Ingress": t.ingress, "Gateway": t.gateway, "HTTPRoute": t.route, "GRPCRoute": t.route, "ListenerSet": t.listenerSet,
		"GatewayClass": t.gatewayClassOf, "IngressClass": ingressClass, "TargetGroupBinding": t.binding,
	}[o.GetKind()]
	if user := t.userOf(o); user != nil {
		look, o = t.route, user
	}
	if look == nil {
		return configuration(file)
	}
	start := time.Now()
	for {
		s, patience := look(ctx, o), t.Patience
		if s.verdict == Finding && !s.slow {
			patience /= 4
		}
		if !s.open || time.Since(start) > patience || ctx.Err() != nil {
			return verdict{s.verdict, oneLine(s.detail)}
		}
		pause(ctx)
	}
}

// configuration is the verdict on parameters and configurations: they are judged by what uses them.
func configuration(file []*unstructured.Unstructured) verdict {
	if used(file) {
		return verdict{Serves, "accepted; used by reference"}
	}
	return verdict{NotForUs, "accepted; nothing in the file uses it"}
}

// used tells whether a file has anything that may refer to a configuration.
func used(file []*unstructured.Unstructured) bool {
	return slices.ContainsFunc(file, func(o *unstructured.Unstructured) bool {
		return slices.Contains([]string{"Ingress", "IngressClass", "Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute"}, o.GetKind())
	})
}

// userOf is the route that stands in for what uses a TargetGroupConfiguration, nil where none does.
func (t *trial) userOf(o *unstructured.Unstructured) *unstructured.Unstructured {
	if o.GetKind() != "TargetGroupConfiguration" {
		return nil
	}
	return t.users[o.GetNamespace()+"/"+o.GetName()]
}

// fetch reads the object as it is now.
func (t *trial) fetch(ctx context.Context, o *unstructured.Unstructured, into any) error {
	now := &unstructured.Unstructured{}
	now.SetGroupVersionKind(o.GroupVersionKind())
	if err := t.Client.Get(ctx, client.ObjectKeyFromObject(o), now); err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(now.Object, into); err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	return nil
}

// said are the warning events about an object, each once.
func (t *trial) said(ctx context.Context, o client.Object) string {
	var list corev1.EventList
	if err := t.Client.List(ctx, &list, client.InNamespace(o.GetNamespace())); err != nil {
		return ""
	}
	var out []string
	for _, e := range list.Items {
		if e.Type == corev1.EventTypeWarning && e.InvolvedObject.Kind == kindOf(o) && e.InvolvedObject.Name == o.GetName() {
			out = append(out, e.Reason+": "+e.Message)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " · ")
}

func ingressClass(_ context.Context, o *unstructured.Unstructured) seen {
	controller, _, _ := unstructured.NestedString(o.Object, "spec", "controller")
	if controller == ingressController {
		return seen{verdict: Serves, detail: "our class"}
	}
	return seen{verdict: NotForUs, detail: "class of " + controller}
}

func (t *trial) binding(ctx context.Context, o *unstructured.Unstructured) seen {
	b := &elbv2v1beta1.TargetGroupBinding{}
	// Not in the version that it was written in: v1alpha1 has no conditions.
	if err := t.Client.Get(ctx, client.ObjectKeyFromObject(o), b); err != nil {
		return unclear(err.Error())
	}
	if bad := badConditions("", b.Status.Conditions); len(bad) > 0 {
		return seen{verdict: Finding, detail: strings.Join(bad, " ")}
	}
	if g := b.Status.ObservedGeneration; g != nil && *g == b.Generation {
		return seen{verdict: Serves, detail: "targets follow the Service"}
	}
	return unclear("no status and nothing said")
}
