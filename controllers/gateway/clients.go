package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/material"
)

// What a Gateway says of the certificates of its clients (Gateway API, FrontendTLSConfig). AllowInsecureFallback lets everybody in: the load
// balancer asks for a certificate and passes it on. AllowValidOnly verifies clients by a trust store of the stack's own, which is made of the
// ConfigMaps; where none can be made, because there is no bucket for it, the port answers 503.

const (
	kindConfigMap = "ConfigMap"
	// AuthorityKey holds the certificates of authorities in a ConfigMap.
	AuthorityKey = "ca.crt"
)

// validation is what a Gateway asks of clients of a listener; nil where it asks for nothing. What is said for the port itself stands in place
// of the default.
func validation(g *gwv1.Gateway, l *listener) *gwv1.FrontendTLSValidation {
	if l.Protocol != gwv1.HTTPSProtocolType || g.Spec.TLS == nil || g.Spec.TLS.Frontend == nil {
		return nil
	}
	for _, p := range g.Spec.TLS.Frontend.PerPort {
		if p.Port == l.Port {
			return p.TLS.Validation
		}
	}
	return g.Spec.TLS.Frontend.Default.Validation
}

func fallsBack(v *gwv1.FrontendTLSValidation) bool {
	return v != nil && v.Mode == gwv1.AllowInsecureFallback
}

// verifies tells whether clients of a listener are let in with a valid certificate only.
func verifies(g *gwv1.Gateway, l *listener) bool {
	v := validation(g, l)
	return v != nil && !fallsBack(v)
}

// validationField is where it is written what is asked of clients of a listener.
func validationField(g *gwv1.Gateway, l *listener) string {
	field := "spec.tls.frontend.default.validation"
	for i, p := range g.Spec.TLS.Frontend.PerPort {
		if p.Port == l.Port {
			field = fmt.Sprintf("spec.tls.frontend.perPort[%d].tls.validation", i)
		}
	}
	if l.of.ref.Kind != kindGateway {
		field = gatewayRef(g).String() + " " + field
	}
	return field
}

// byConfigMaps is how a listener asks for certificates for what the Gateway says; nil where that says nothing.
func (t *translator) byConfigMaps(l *listener) *intent.MutualAuth {
	g := t.snapshot.Gateway
	switch v := validation(g, l); {
	case v == nil:
		return nil
	case fallsBack(v):
		return &intent.MutualAuth{Mode: model.MutualPassthrough, Whole: true, Field: validationField(g, l)}
	default:
		return &intent.MutualAuth{
			Mode: model.MutualVerify, Authorities: l.authorities, Unserved: t.unverified(l).any(), Whole: true, Field: validationField(g, l),
		}
	}
}

// authorityOf is the ConfigMap that a reference leads to, or why it leads to none.
func (s *Snapshot) authorityOf(ref gwv1.ObjectReference) (types.NamespacedName, problem) {
	out := types.NamespacedName{Namespace: s.Gateway.Namespace, Name: string(ref.Name)}
	if ref.Namespace != nil {
		out.Namespace = string(*ref.Namespace)
	}
	if ref.Group != "" || ref.Kind != kindConfigMap {
		return out, problem{string(gwv1.ListenerReasonInvalidCACertificateKind), fmt.Sprintf(
			"kind %s/%s holds no authorities that are served: name a ConfigMap with %s", ref.Group, ref.Kind, AuthorityKey)}
	}
	if !s.permits(gatewayRef(s.Gateway), target{kindConfigMap, out.Namespace, out.Name}) {
		return out, problem{string(gwv1.ListenerReasonRefNotPermitted), fmt.Sprintf(
			"no ReferenceGrant in namespace %s lets Gateways of namespace %s refer to ConfigMap %s: its owner can create one", out.Namespace,
			s.Gateway.Namespace, out.Name)}
	}
	return out, problem{}
}

// authorities are what a ConfigMap holds of them in PEM, or what is wrong with it.
type authorities struct{ pem, problem string }

// loadAuthorities reads the ConfigMaps that listeners verify clients by, and no others.
func (s *Snapshot) loadAuthorities(ctx context.Context, r client.Reader) error {
	s.Authorities = map[types.NamespacedName]authorities{}
	for _, p := range s.parents() {
		for _, l := range s.listenersOf(p) {
			v := validation(s.Gateway, l)
			if v == nil || !s.Ours {
				continue
			}
			for _, ref := range v.CACertificateRefs {
				key, p := s.authorityOf(ref)
				if _, known := s.Authorities[key]; known || p.any() {
					continue
				}
				found, err := readAuthorities(ctx, r, key)
				if err != nil {
					return err
				}
				s.Authorities[key] = found
			}
		}
	}
	return nil
}

func readAuthorities(ctx context.Context, r client.Reader, key types.NamespacedName) (authorities, error) {
	held := &corev1.ConfigMap{}
	err := r.Get(ctx, key, held)
	if apierrors.IsNotFound(err) {
		return authorities{problem: fmt.Sprintf("there is no ConfigMap %s; make it, with %s", key, AuthorityKey)}, nil
	}
	if err != nil {
		return authorities{}, fmt.Errorf("reading ConfigMap %s: %w", key, err)
	}
	text := held.Data[AuthorityKey]
	if _, err := material.Authorities(text); err != nil {
		return authorities{problem: fmt.Sprintf("ConfigMap %s, %s: %v", key, AuthorityKey, err)}, nil
	}
	return authorities{pem: text}, nil
}

// judgeClients resolves the authorities that clients of a listener are verified by. Without any it is not valid: where somebody withdrew leave
// it takes no traffic; where it is a mistake, what was good before may stay.
func (l *listener) judgeClients(s *Snapshot) {
	v := validation(s.Gateway, l)
	if v == nil || l.unsupported.any() {
		return
	}
	out := &intent.Authorities{}
	var written []model.ConfigMapRef
	var texts []string
	var first problem
	forbidden := false
	for i, ref := range v.CACertificateRefs {
		key, p := s.authorityOf(ref)
		found, read := s.Authorities[key]
		switch {
		case p.any():
		case !read:
			p = problem{string(gwv1.ListenerReasonInvalidCACertificateRef), fmt.Sprintf("ConfigMap %s was not read", key)}
		case found.problem != "":
			p = problem{string(gwv1.ListenerReasonInvalidCACertificateRef), found.problem}
		}
		at := model.ConfigMapRef{Namespace: key.Namespace, Name: key.Name}
		written = append(written, at)
		if !p.any() {
			out.ConfigMaps, texts = append(out.ConfigMaps, at), append(texts, found.pem)
			continue
		}
		forbidden = forbidden || p.reason == string(gwv1.ListenerReasonRefNotPermitted)
		field := fmt.Sprintf("spec.tls.frontend caCertificateRefs[%d]", i)
		l.unresolved(field, p)
		if !first.any() {
			first = problem{p.reason, field + ": " + p.message}
		}
	}
	l.authorities, out.ID = out, model.TrustStoreID(written)
	if len(texts) > 0 {
		// Each was read before: together they are as good.
		if found, err := material.Authorities(texts...); err == nil {
			out.Digest = found.Digest
		}
		return
	}
	none := problem{string(gwv1.ListenerReasonNoValidCACertificate), "no authority is known for certificates of clients: " + first.message}
	if forbidden || fallsBack(v) {
		l.unsupported = none
		return
	}
	l.doubtful, out.Reason, out.Problem = none, first.reason, first.message
}

// unverified says why requests to a listener answer 503 although their clients could be verified; empty where they do not.
func (t *translator) unverified(l *listener) problem {
	invalid := string(gwv1.ListenerReasonInvalid)
	switch {
	case !verifies(t.snapshot.Gateway, l):
		return problem{}
	case t.config.listenerConfig(l).MutualAuthentication != nil:
		return problem{invalid, "both spec.tls.frontend and mutualAuthentication of a LoadBalancerConfiguration say how clients are verified, so every " +
			"request answers 503: remove one of the two"}
	case !t.keeps:
		return problem{invalid, "the operator has no bucket to keep authorities in, so every request answers 503: start it with --trust-store-bucket, or " +
			"remove spec.tls.frontend and name a trust store in mutualAuthentication of a LoadBalancerConfiguration"}
	}
	return problem{}
}

// unverifiedFindings tell of listeners that answer 503 because clients cannot be verified.
func (t *translator) unverifiedFindings() []model.Finding {
	var out []model.Finding
	for _, l := range t.listeners {
		if p := t.unverified(l); l.valid() && p.any() {
			out = append(out, model.Finding{
				Object: l.of.ref, Severity: model.Closed, Reason: reasonNotServed, Field: validationField(t.snapshot.Gateway, l), Message: p.message,
			})
		}
	}
	return slices.Compact(out)
}

// lasting is how clients showed certificates when a fragment was good, nil where their authorities may not be referred to any more.
func (s *Snapshot) lasting(good *intent.MutualAuth) *intent.MutualAuth {
	if good == nil || good.Authorities == nil {
		return good
	}
	for _, ref := range good.Authorities.ConfigMaps {
		if !s.permits(gatewayRef(s.Gateway), target{kindConfigMap, ref.Namespace, ref.Name}) {
			return nil
		}
	}
	return good
}

// tellFallback sets the condition InsecureFrontendValidationMode, which is never False but absent.
func (v *Verdict) tellFallback(conditions *[]metav1.Condition) {
	kind, g := string(gwv1.GatewayConditionInsecureFrontendValidationMode), v.snapshot.Gateway
	if !slices.ContainsFunc(v.listeners, func(l *listener) bool { return fallsBack(validation(g, l)) }) {
		meta.RemoveStatusCondition(conditions, kind)
		return
	}
	c := condition(kind, string(gwv1.GatewayReasonConfigurationChanged), problem{}, v.generation())
	c.Message = "clients without a valid certificate are let in: certificates are passed on to backends and not checked"
	outcome.Set(conditions, c)
}

// gatewaysOfConfigMap are the Gateways that verify clients by a ConfigMap.
func (r *Reconciler) gatewaysOfConfigMap(ctx context.Context, o client.Object) []reconcile.Request {
	var list gwv1.GatewayList
	if err := listKind(ctx, r.client, &list); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "looking for who names a ConfigMap")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		g := &list.Items[i]
		if slices.ContainsFunc(authorityRefs(g), func(ref gwv1.ObjectReference) bool {
			return string(ref.Name) == o.GetName() && cmp.Or(string(deref(ref.Namespace)), g.Namespace) == o.GetNamespace()
		}) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(g)})
		}
	}
	return out
}

// authorityRefs are all references of a Gateway to authorities.
func authorityRefs(g *gwv1.Gateway) []gwv1.ObjectReference {
	if g.Spec.TLS == nil || g.Spec.TLS.Frontend == nil {
		return nil
	}
	var out []gwv1.ObjectReference
	add := func(v *gwv1.FrontendTLSValidation) {
		if v != nil {
			out = append(out, v.CACertificateRefs...)
		}
	}
	add(g.Spec.TLS.Frontend.Default.Validation)
	for _, p := range g.Spec.TLS.Frontend.PerPort {
		add(p.TLS.Validation)
	}
	return out
}
