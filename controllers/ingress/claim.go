package ingress

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Annotations of ours that reserve host names: on IngressClassParams whether claims bind, on a Namespace which hosts it may claim.
const (
	annotationHostClaims = "headgate.dev/host-claims"
	annotationHosts      = "headgate.dev/hosts"
	claimsRequired       = "Required"
	claimsOptional       = "Optional"
)

// ReasonHost is that of hosts that a namespace may not claim.
const ReasonHost = "HostNotClaimed"

// hostClaims are the hosts that a namespace may claim.
type hostClaims struct {
	namespace string
	patterns  []string
}

// claims are those that bind the Ingresses of a namespace; nil where the class asks for none. What cannot be read takes nobody new.
func (c *catalog) claims(ing *networkingv1.Ingress, params *elbv2v1beta1.IngressClassParams) (*hostClaims, *model.Finding, error) {
	switch mode := strings.TrimSpace(params.Annotations[annotationHostClaims]); mode {
	case "", claimsOptional:
		return nil, nil, nil
	case claimsRequired:
	default:
		return nil, refusal(ing, ReasonParams, paramsKind+" "+params.Name+" "+annotationHostClaims, fmt.Sprintf(
			"is %q, and nobody new joins until it is mended: write %s or %s", mode, claimsRequired, claimsOptional)), nil
	}
	written, err := c.hosts(ing.Namespace)
	out := &hostClaims{namespace: ing.Namespace}
	for p := range strings.SplitSeq(written, ",") {
		if p = strings.ToLower(strings.TrimSpace(p)); p != "" {
			out.patterns = append(out.patterns, p)
		}
	}
	return out, nil, err
}

// fence are the parameters that name a group and bind who joins it or its hosts, nil where none do. The annotation of another class's
// Ingress would lead around them.
func (c *catalog) fence(group string) *elbv2v1beta1.IngressClassParams {
	for _, name := range slices.Sorted(maps.Keys(c.params)) {
		p := c.params[name]
		selector, mode := p.Spec.NamespaceSelector, strings.TrimSpace(p.Annotations[annotationHostClaims])
		selects := selector != nil && len(selector.MatchLabels)+len(selector.MatchExpressions) > 0
		if p.Spec.Group != nil && p.Spec.Group.Name == group && (selects || mode != "" && mode != claimsOptional) {
			return p
		}
	}
	return nil
}

// namespaceHosts is what a namespace says of the hosts that it may claim.
func namespaceHosts(ctx context.Context, r client.Reader, name string) (string, error) {
	var ns corev1.Namespace
	if err := r.Get(ctx, client.ObjectKey{Name: name}, &ns); err != nil && !apierrors.IsNotFound(err) {
		return "", fmt.Errorf("reading namespace %s: %w", name, err)
	}
	return ns.Annotations[annotationHosts], nil
}

// covers tells whether every host that a value matches may be claimed: a name, or a pattern whose end is a name. The empty one stands for
// all hosts. "*.example.com" covers what is below example.com at any depth, and "*" everything.
func (c *hostClaims) covers(host string) bool {
	return slices.ContainsFunc(c.patterns, func(p string) bool {
		rest, wild := strings.CutPrefix(p, "*")
		return p == "*" || host != "" && (p == host || wild && strings.HasPrefix(rest, ".") && strings.HasSuffix(host, rest))
	})
}

// outside is a host of a match that may not be claimed, in words; empty where there is none.
func (c *hostClaims) outside(m intent.Match) string {
	if c == nil || c.covers("") {
		return ""
	}
	if len(m.HostRegexes) > 0 {
		return "*, which the expression " + m.HostRegexes[0] + " needs"
	}
	all := slices.Concat(m.Hosts, m.HostPatterns)
	if len(all) == 0 {
		return "*, which is every host"
	}
	for _, h := range all {
		if !c.covers(strings.ToLower(h)) {
			return h
		}
	}
	return ""
}

// hostClaims of the member's namespace, nil where none bind.
func (d *draft) hostClaims() *hostClaims {
	if d.member.Class == nil {
		return nil
	}
	return d.member.Class.claims
}

// checkClaims finds hosts that the member's namespace may not claim.
func (d *draft) checkClaims(routes []intent.Route) {
	c := d.hostClaims()
	if c == nil {
		return
	}
	for _, r := range routes {
		d.unclaimed(r.Field, c.outside(r.Match))
	}
	if d.member.Ingress.Spec.DefaultBackend != nil {
		d.unclaimed(defaultBackend, c.outside(intent.Match{}))
	}
	d.checkClaimsOfCertificates(c)
}

// checkClaimsOfCertificates finds hosts for which certificates would be shown: those of TLS entries, what the certificates in their Secrets
// are good for, and those of rules without paths, which are looked for among certificates too.
func (d *draft) checkClaimsOfCertificates(c *hostClaims) {
	for i, rule := range d.member.Ingress.Spec.Rules {
		if rule.Host != "" && (rule.HTTP == nil || len(rule.HTTP.Paths) == 0) {
			d.unclaimed(fmt.Sprintf("spec.rules[%d].host", i), c.outside(intent.Match{Hosts: []string{rule.Host}}))
		}
	}
	for i, t := range d.member.Ingress.Spec.TLS {
		for _, h := range t.Hosts {
			d.unclaimed(fmt.Sprintf("spec.tls[%d].hosts", i), c.outside(intent.Match{Hosts: []string{h}}))
		}
	}
	for _, s := range d.secrets() {
		for _, h := range s.Domains {
			d.unclaimed(s.Field, c.outside(intent.Match{Hosts: []string{h}}))
		}
	}
}

func (d *draft) unclaimed(field, host string) {
	if host != "" {
		d.wrong(ReasonHost, field, fmt.Sprintf("namespace %s may not claim %s: have it added to annotation %s of the Namespace, or use another host",
			d.member.Ingress.Namespace, host, annotationHosts))
	}
}

// claimed are the routes whose hosts the member's namespace may still claim.
func (d *draft) claimed(routes []intent.Route) []intent.Route {
	return slices.DeleteFunc(slices.Clone(routes), func(r intent.Route) bool { return d.hostClaims().outside(r.Match) != "" })
}
