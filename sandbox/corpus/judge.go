package corpus

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// judge waits for what becomes of an object: a request that gets through, or something that is said about it.
func (t *trial) judge(ctx context.Context, o *unstructured.Unstructured) (Verdict, string) {
	look := map[string]func(context.Context, *unstructured.Unstructured) (Verdict, string){
		"Ingress": t.ingress, "Gateway": t.gateway, "HTTPRoute": t.route, "GatewayClass": t.class, "IngressClass": ingressClass,
		"TargetGroupBinding": t.binding,
	}[o.GetKind()]
	if look == nil {
		// Parameters and configurations are judged by what uses them.
		return Serves, "accepted; used by reference"
	}
	deadline := time.Now().Add(t.Patience)
	for {
		verdict, detail := look(ctx, o)
		if verdict != Unclear || time.Now().After(deadline) || ctx.Err() != nil {
			return verdict, oneLine(detail)
		}
		pause(ctx)
	}
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
func (t *trial) said(ctx context.Context, o *unstructured.Unstructured) string {
	var list corev1.EventList
	if err := t.Client.List(ctx, &list, client.InNamespace(o.GetNamespace())); err != nil {
		return ""
	}
	var out []string
	for _, e := range list.Items {
		if e.Type == corev1.EventTypeWarning && e.InvolvedObject.Kind == o.GetKind() && e.InvolvedObject.Name == o.GetName() {
			out = append(out, e.Reason+": "+e.Message)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " · ")
}

func ingressClass(_ context.Context, o *unstructured.Unstructured) (Verdict, string) {
	controller, _, _ := unstructured.NestedString(o.Object, "spec", "controller")
	if controller == "ingress.k8s.aws/alb" {
		return Serves, "our class"
	}
	return NotForUs, "class of " + controller
}

// ours tells whether an Ingress asks for one of our classes.
func (t *trial) ours(ctx context.Context, in *networkingv1.Ingress) bool {
	if c, ok := in.Annotations["kubernetes.io/ingress.class"]; ok {
		return c == "alb"
	}
	if in.Spec.IngressClassName == nil {
		return false
	}
	class := &networkingv1.IngressClass{}
	err := t.Client.Get(ctx, client.ObjectKey{Name: *in.Spec.IngressClassName}, class)
	return err == nil && class.Spec.Controller == "ingress.k8s.aws/alb"
}

func (t *trial) ingress(ctx context.Context, o *unstructured.Unstructured) (Verdict, string) {
	in := &networkingv1.Ingress{}
	if err := t.fetch(ctx, o, in); err != nil {
		return Unclear, err.Error()
	}
	if !t.ours(ctx, in) {
		return NotForUs, "no class of ours"
	}
	said := t.said(ctx, o)
	if len(in.Status.LoadBalancer.Ingress) == 0 {
		if said != "" {
			return Finding, said
		}
		return Unclear, "no address and nothing said"
	}
	address := in.Status.LoadBalancer.Ingress[0]
	var requests []Request
	for _, p := range address.Ports {
		for _, r := range in.Spec.Rules {
			requests = append(requests, requestsOf(address.Hostname, int(p.Port), r)...)
		}
		if len(in.Spec.Rules) == 0 {
			requests = append(requests, Request{DNSName: address.Hostname, Port: int(p.Port), Path: "/"})
		}
	}
	return t.outcome(ctx, requests, said)
}

func requestsOf(dns string, port int, r networkingv1.IngressRule) []Request {
	base := Request{DNSName: dns, Port: port, Host: strings.Replace(r.Host, "*", "any", 1), Path: "/"}
	if r.HTTP == nil {
		return []Request{base}
	}
	var out []Request
	for _, p := range r.HTTP.Paths {
		one := base
		if path := strings.TrimSuffix(p.Path, "*"); strings.HasPrefix(path, "/") {
			one.Path = path
		}
		out = append(out, one)
	}
	return out
}

// outcome sends the requests. An answer from a pod or a redirect got through.
func (t *trial) outcome(ctx context.Context, requests []Request, said string) (Verdict, string) {
	through, last := 0, "no requests to send"
	for _, r := range requests {
		r.Scheme = "http"
		if r.Port == 443 {
			r.Scheme = "https"
		}
		status, err := t.Get(ctx, r)
		switch {
		case err != nil:
			last = err.Error()
		case status < 400:
			through++
		default:
			last = fmt.Sprintf("%s:%d%s is answered %d", r.Host, r.Port, r.Path, status)
		}
	}
	detail := fmt.Sprintf("1 load balancer, %d of %d requests got through", through, len(requests))
	switch {
	case through == len(requests) && through > 0:
		if said != "" {
			detail += "; told: " + said
		}
		return Serves, detail
	case said != "":
		return Finding, said + "; " + detail
	}
	return Unclear, detail + "; " + last
}

func (t *trial) gateway(ctx context.Context, o *unstructured.Unstructured) (Verdict, string) {
	g := &gwv1.Gateway{}
	if err := t.fetch(ctx, o, g); err != nil {
		return Unclear, err.Error()
	}
	class := &gwv1.GatewayClass{}
	if err := t.Client.Get(ctx, client.ObjectKey{Name: string(g.Spec.GatewayClassName)}, class); err != nil ||
		class.Spec.ControllerName != "gateway.k8s.aws/alb" {
		return NotForUs, "no class of ours"
	}
	bad := badConditions("", g.Status.Conditions)
	for _, l := range g.Status.Listeners {
		bad = append(bad, badConditions(string(l.Name)+" ", l.Conditions)...)
	}
	said := strings.Join(append(bad, strings.Fields(t.said(ctx, o))...), " ")
	switch {
	case len(g.Status.Addresses) > 0 && len(bad) == 0:
		return Serves, "1 load balancer: " + strconv.Itoa(len(g.Status.Listeners)) + " listeners programmed"
	case len(bad) > 0 && !pending(bad):
		return Finding, said
	}
	return Unclear, "no address and nothing said " + said
}
