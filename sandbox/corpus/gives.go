package corpus

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// gives is what came of an object without the wording of messages. Of what has a load balancer it is that.
func (t *trial) gives(ctx context.Context, o *unstructured.Unstructured, v verdict) string {
	if v.verdict != Serves && v.verdict != Finding || t.Shape == nil || !hasBalancer(o) && t.userOf(o) == nil {
		return gist(v.detail)
	}
	address := t.addressOf(ctx, o)
	switch {
	case o.GetKind() == "Ingress" && address == "":
		return "told: " + gist(t.steady(ctx, func() (string, bool) { return t.said(ctx, o), true }))
	case address == "", o.GetKind() != "Ingress" && refusal(v.detail):
		return "told: " + gist(v.detail)
	}
	shape := t.steady(ctx, func() (string, bool) {
		text, err := t.Shape(ctx, address)
		return text, err == nil && t.staffed(ctx)
	})
	return shape + t.beside(ctx, o, v)
}

// beside is what the owner of an object is told beside what it gives. Of findings on listeners it is their wording: not all name a field.
func (t *trial) beside(ctx context.Context, o *unstructured.Unstructured, v verdict) string {
	entrance := o.GetKind() == "Gateway" || o.GetKind() == "ListenerSet"
	if o.GetKind() == "Gateway" && v.verdict == Serves {
		v.detail = t.steady(ctx, func() (string, bool) { return t.said(ctx, o), true })
	}
	if told.MatchString(v.detail) || entrance && v.verdict == Finding {
		return "; told: " + gist(v.detail)
	}
	return ""
}

func hasBalancer(o *unstructured.Unstructured) bool {
	switch o.GetKind() {
	case "Ingress", "Gateway", "ListenerSet", "HTTPRoute", "GRPCRoute":
		return true
	}
	return false
}

// addressOf is the DNS name of the load balancer that an object has a share in, empty without one.
func (t *trial) addressOf(ctx context.Context, o *unstructured.Unstructured) string {
	var gateways []*gwv1.Gateway
	switch o.GetKind() {
	case "Ingress":
		in := &networkingv1.Ingress{}
		if err := t.fetch(ctx, o, in); err != nil || len(in.Status.LoadBalancer.Ingress) == 0 {
			return ""
		}
		return in.Status.LoadBalancer.Ingress[0].Hostname
	case "Gateway":
		g := &gwv1.Gateway{}
		if t.fetch(ctx, o, g) == nil {
			gateways = append(gateways, g)
		}
	case "ListenerSet":
		s := &gwv1.ListenerSet{}
		if t.fetch(ctx, o, s) == nil {
			if g := t.parentOf(ctx, s); g != nil {
				gateways = append(gateways, g)
			}
		}
	case "TargetGroupConfiguration":
		return t.addressOf(ctx, t.userOf(o))
	default:
		r := &routeForm{}
		if t.fetch(ctx, o, r) == nil {
			gateways = t.gatewaysOf(ctx, r)
		}
	}
	for _, g := range gateways {
		if len(g.Status.Addresses) > 0 {
			return g.Status.Addresses[0].Value
		}
	}
	return ""
}

// steady looks until two looks, a second apart, show the same and the latter is complete.
func (t *trial) steady(ctx context.Context, look func() (text string, complete bool)) string {
	last, start := "", time.Now()
	for {
		now, complete := look()
		if complete && now == last || time.Since(start) > t.Patience || ctx.Err() != nil {
			return now
		}
		last = now
		for range 10 {
			pause(ctx)
		}
	}
}

// staffed tells whether all pods of the file's Deployments, and of those that stand in, are ready.
func (t *trial) staffed(ctx context.Context) bool {
	for _, o := range t.made {
		if kindOf(o) != "Deployment" {
			continue
		}
		d := &appsv1.Deployment{}
		if err := t.Client.Get(ctx, client.ObjectKeyFromObject(o), d); err != nil || d.Status.ReadyReplicas < ptr.Deref(d.Spec.Replicas, 1) {
			return false
		}
	}
	return true
}
