package corpus

import (
	"context"
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
)

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
	return err == nil && class.Spec.Controller == ingressController
}

func (t *trial) ingress(ctx context.Context, o *unstructured.Unstructured) seen {
	in := &networkingv1.Ingress{}
	if err := t.fetch(ctx, o, in); err != nil {
		return unclear(err.Error())
	}
	if !t.ours(ctx, in) {
		return seen{verdict: NotForUs, detail: "no class of ours"}
	}
	lb, told := t.member(ctx, o)
	switch {
	case lb == nil || lb.Status.DNSName == "":
		if said := t.said(ctx, o); said != "" {
			return seen{verdict: Finding, detail: said, open: lb != nil}
		}
		return unclear("no load balancer and nothing said")
	case len(in.Status.LoadBalancer.Ingress) == 0:
		return seen{verdict: verdictOf(told), detail: "no address; " + told, open: true}
	}
	address := in.Status.LoadBalancer.Ingress[0]
	var requests []Request
	calls := strings.EqualFold(in.Annotations["alb.ingress.kubernetes.io/backend-protocol-version"], "GRPC")
	for _, p := range address.Ports {
		for _, r := range in.Spec.Rules {
			requests = append(requests, requestsOf(address.Hostname, int(p.Port), r)...)
		}
		if len(in.Spec.Rules) == 0 {
			requests = append(requests, Request{DNSName: address.Hostname, Port: int(p.Port), Path: "/"})
		}
	}
	for i := range requests {
		requests[i].GRPC = calls && requests[i].Port == securePort
	}
	out := t.outcome(ctx, requests, told)
	out.open = out.open || out.verdict == Finding && !settled(lb)
	return out
}

// securePort is the port that is asked by HTTPS.
const securePort = 443

// verdictOf is the verdict on what does not serve.
func verdictOf(told string) Verdict {
	if told != "" {
		return Finding
	}
	return Unclear
}

// member is the load balancer that an object has a share in, nil before it has one, and what the object is told now beside that all
// is well.
func (t *trial) member(ctx context.Context, o *unstructured.Unstructured) (*headgatev1alpha1.LoadBalancer, string) {
	var list headgatev1alpha1.LoadBalancerList
	if err := t.Client.List(ctx, &list); err != nil {
		return nil, ""
	}
	for i := range list.Items {
		lb := &list.Items[i]
		for _, m := range lb.Status.Members {
			if m.Kind != o.GetKind() || m.Namespace != o.GetNamespace() || m.Name != o.GetName() {
				continue
			}
			told := ""
			if c := meta.FindStatusCondition(m.Conditions, headgatev1alpha1.ConditionReady); c != nil && c.Message != "served as written" {
				told = c.Reason + ": " + c.Message
			}
			if c := meta.FindStatusCondition(lb.Status.Conditions, headgatev1alpha1.ConditionProgrammed); c != nil &&
				c.Status == metav1.ConditionFalse && c.Reason != "Waiting" {
				told = strings.TrimPrefix(told+"; "+c.Reason+": "+c.Message, "; ")
			}
			return lb, told
		}
	}
	return nil, ""
}

// settled tells whether a load balancer is what it will be: it is active, and every target group has targets that are healthy.
func settled(lb *headgatev1alpha1.LoadBalancer) bool {
	return lb.Status.State == "active" && meta.IsStatusConditionTrue(lb.Status.Conditions, headgatev1alpha1.ConditionProgrammed) &&
		!slices.ContainsFunc(lb.Status.Targets, func(g headgatev1alpha1.TargetGroupStatus) bool { return g.Total == 0 || g.Healthy < g.Total })
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
func (t *trial) outcome(ctx context.Context, requests []Request, told string) seen {
	through, last := 0, "no requests to send"
	for _, r := range requests {
		if r.Scheme == "" {
			r.Scheme = "http"
			if r.Port == securePort {
				r.Scheme = "https"
			}
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
		if told != "" {
			detail += "; told: " + told
		}
		return seen{verdict: Serves, detail: detail}
	case told != "":
		return seen{verdict: Finding, detail: told + "; " + detail + "; " + last}
	}
	return unclear(detail + "; " + last)
}
