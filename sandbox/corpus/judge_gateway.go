package corpus

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// badConditions are the conditions that say that something is not as it was asked for.
func badConditions(prefix string, conditions []metav1.Condition) []string {
	var out []string
	for _, c := range conditions {
		good := metav1.ConditionTrue
		if c.Type == string(gwv1.ListenerConditionConflicted) || c.Type == string(gwv1.RouteConditionPartiallyInvalid) {
			good = metav1.ConditionFalse
		}
		if c.Status != good {
			out = append(out, fmt.Sprintf("%s%s=%s %s: %s", prefix, c.Type, c.Status, c.Reason, c.Message))
		}
	}
	return out
}

// pending tells whether some conditions say that something takes time, or failed and is tried again.
func pending(bad []string) bool {
	return slices.ContainsFunc(bad, func(s string) bool {
		return strings.Contains(s, string(gwv1.GatewayReasonPending)) || strings.Contains(s, "Waiting") || strings.Contains(s, "FailedDeployModel")
	})
}

func (t *trial) gatewayClassOf(ctx context.Context, o *unstructured.Unstructured) seen {
	c := &gwv1.GatewayClass{}
	if err := t.fetch(ctx, o, c); err != nil {
		return unclear(err.Error())
	}
	if c.Spec.ControllerName != gatewayController {
		return seen{verdict: NotForUs, detail: "class of " + string(c.Spec.ControllerName)}
	}
	bad := badConditions("", c.Status.Conditions)
	switch {
	case slices.ContainsFunc(c.Status.Conditions, func(c metav1.Condition) bool { return c.ObservedGeneration == 0 }):
		return unclear("not judged yet")
	case len(bad) > 0:
		return seen{verdict: Finding, detail: strings.Join(bad, " ")}
	}
	return seen{verdict: Serves, detail: "our class"}
}

func (t *trial) gateway(ctx context.Context, o *unstructured.Unstructured) seen {
	g := &gwv1.Gateway{}
	if err := t.fetch(ctx, o, g); err != nil {
		return unclear(err.Error())
	}
	if !t.oursByClass(ctx, g) {
		return seen{verdict: NotForUs, detail: t.classOf(ctx, g)}
	}
	bad := badConditions("", g.Status.Conditions)
	comes := pending(bad)
	for _, l := range g.Status.Listeners {
		bad = append(bad, badConditions("listener "+string(l.Name)+" ", l.Conditions)...)
	}
	said := strings.Join(bad, " ")
	switch {
	case len(g.Status.Addresses) > 0 && len(bad) == 0:
		out := seen{verdict: Serves, detail: "1 load balancer: " + strconv.Itoa(len(g.Status.Listeners)) + " listeners programmed"}
		if told := t.said(ctx, o); told != "" {
			out.detail += "; told: " + told
		}
		return out
	case len(bad) > 0 && !slices.ContainsFunc(bad, unfounded):
		return seen{verdict: Finding, detail: said, open: comes, slow: comes}
	}
	return unclear("no address and nothing said " + said)
}

// unfounded are conditions as the API server writes them, before any controller saw the object.
func unfounded(bad string) bool { return strings.Contains(bad, "Waiting for controller") }

func (t *trial) oursByClass(ctx context.Context, g *gwv1.Gateway) bool {
	class := &gwv1.GatewayClass{}
	err := t.Client.Get(ctx, client.ObjectKey{Name: string(g.Spec.GatewayClassName)}, class)
	return err == nil && class.Spec.ControllerName == gatewayController
}

// classOf says whose a Gateway is that is not ours.
func (t *trial) classOf(ctx context.Context, g *gwv1.Gateway) string {
	class := &gwv1.GatewayClass{}
	switch err := t.Client.Get(ctx, client.ObjectKey{Name: string(g.Spec.GatewayClassName)}, class); {
	case err != nil:
		return "no class of ours"
	case class.Spec.ControllerName == networkController:
		return "what its listeners ask for belongs to a network load balancer: class of " + networkController
	}
	return "class of " + string(class.Spec.ControllerName)
}

func (t *trial) listenerSet(ctx context.Context, o *unstructured.Unstructured) seen {
	s := &gwv1.ListenerSet{}
	if err := t.fetch(ctx, o, s); err != nil {
		return unclear(err.Error())
	}
	g := t.parentOf(ctx, s)
	if g == nil {
		return seen{verdict: NotForUs, detail: "no Gateway of ours is its parent"}
	}
	bad := badConditions("", s.Status.Conditions)
	comes := pending(bad)
	for _, l := range s.Status.Listeners {
		bad = append(bad, badConditions("listener "+string(l.Name)+" ", l.Conditions)...)
	}
	switch {
	case len(s.Status.Listeners) < len(s.Spec.Listeners) && !slices.ContainsFunc(bad, refusal) || slices.ContainsFunc(bad, unfounded):
		return unclear("nothing said of its listeners")
	case len(bad) > 0:
		return seen{verdict: Finding, detail: strings.Join(bad, " "), open: comes, slow: comes}
	}
	return seen{verdict: Serves, detail: strconv.Itoa(len(s.Status.Listeners)) + " listeners programmed"}
}

func refusal(bad string) bool {
	return strings.Contains(bad, string(gwv1.RouteConditionAccepted)+"=False")
}

// parentOf is the Gateway of ours that a ListenerSet adds listeners to, nil without one.
func (t *trial) parentOf(ctx context.Context, s *gwv1.ListenerSet) *gwv1.Gateway {
	g := &gwv1.Gateway{}
	key := client.ObjectKey{Namespace: string(ptr.Deref(s.Spec.ParentRef.Namespace, gwv1.Namespace(s.Namespace))), Name: string(s.Spec.ParentRef.Name)}
	if err := t.Client.Get(ctx, key, g); err != nil || !t.oursByClass(ctx, g) {
		return nil
	}
	return g
}
