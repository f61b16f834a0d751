package gateway

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// What a Gateway says of the certificates of its clients (Gateway API, FrontendTLSConfig). AllowInsecureFallback lets everybody in: the load
// balancer asks for a certificate and passes it on. AllowValidOnly needs a trust store of the authorities, which nobody makes yet: such a port
// answers 503.

const (
	kindConfigMap = "ConfigMap"
	// authorityKey holds the certificates of authorities in a ConfigMap.
	authorityKey = "ca.crt"
	// freshness is how often authorities are looked at again: nobody tells of ConfigMaps that change.
	freshness = time.Minute
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

// passesOn is how a listener asks for certificates that it does not check; nil where it does not.
func (t *translator) passesOn(l *listener) *intent.MutualAuth {
	if !fallsBack(validation(t.snapshot.Gateway, l)) {
		return nil
	}
	return &intent.MutualAuth{Mode: model.MutualPassthrough, Whole: true, Field: "spec.tls.frontend"}
}

// authorityOf is the ConfigMap that a reference leads to, or why it leads to none.
func (s *Snapshot) authorityOf(ref gwv1.ObjectReference) (types.NamespacedName, problem) {
	out := types.NamespacedName{Namespace: s.Gateway.Namespace, Name: string(ref.Name)}
	if ref.Namespace != nil {
		out.Namespace = string(*ref.Namespace)
	}
	if ref.Group != "" || ref.Kind != kindConfigMap {
		return out, problem{string(gwv1.ListenerReasonInvalidCACertificateKind), fmt.Sprintf(
			"kind %s/%s holds no authorities that are served: name a ConfigMap with %s", ref.Group, ref.Kind, authorityKey)}
	}
	if !s.permits(gatewayRef(s.Gateway), target{kindConfigMap, out.Namespace, out.Name}) {
		return out, problem{string(gwv1.ListenerReasonRefNotPermitted), fmt.Sprintf(
			"no ReferenceGrant in namespace %s lets Gateways of namespace %s refer to ConfigMap %s: its owner can create one", out.Namespace,
			s.Gateway.Namespace, out.Name)}
	}
	return out, problem{}
}

// loadAuthorities reads the ConfigMaps that listeners verify clients by, and no others.
func (s *Snapshot) loadAuthorities(ctx context.Context, r client.Reader) error {
	s.Authorities = map[types.NamespacedName]string{}
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
				if err := s.loadAuthority(ctx, r, key); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Snapshot) loadAuthority(ctx context.Context, r client.Reader, key types.NamespacedName) error {
	held := &corev1.ConfigMap{}
	err := r.Get(ctx, key, held)
	switch {
	case apierrors.IsNotFound(err):
		s.Authorities[key] = fmt.Sprintf("there is no ConfigMap %s; make it, with %s", key, authorityKey)
	case err != nil:
		return fmt.Errorf("reading ConfigMap %s: %w", key, err)
	case !x509.NewCertPool().AppendCertsFromPEM([]byte(held.Data[authorityKey])):
		s.Authorities[key] = fmt.Sprintf("ConfigMap %s has no certificate in PEM under %s", key, authorityKey)
	default:
		s.Authorities[key] = ""
	}
	return nil
}

// judgeClients resolves the authorities that clients of a listener are verified by. Without any it takes no traffic.
func (l *listener) judgeClients(s *Snapshot) {
	v := validation(s.Gateway, l)
	if v == nil || l.unsupported.any() {
		return
	}
	good, first := 0, ""
	for i, ref := range v.CACertificateRefs {
		key, p := s.authorityOf(ref)
		if why, read := s.Authorities[key]; !p.any() && why != "" {
			p = problem{string(gwv1.ListenerReasonInvalidCACertificateRef), why}
		} else if !p.any() && !read {
			p = problem{string(gwv1.ListenerReasonInvalidCACertificateRef), fmt.Sprintf("ConfigMap %s was not read", key)}
		}
		if !p.any() {
			good++
			continue
		}
		field := fmt.Sprintf("spec.tls.frontend caCertificateRefs[%d]", i)
		l.unresolved(field, p)
		if first == "" {
			first = field + ": " + p.message
		}
	}
	if good == 0 {
		l.unsupported = problem{string(gwv1.ListenerReasonNoValidCACertificate), "no authority is known for certificates of clients: " + first}
	}
}

// unverified says why requests to a listener answer 503 for want of a trust store; empty where they do not.
func (v *Verdict) unverified(l *listener) problem {
	if !verifies(v.snapshot.Gateway, l) {
		return problem{}
	}
	return problem{string(gwv1.ListenerReasonInvalid), "clients cannot be verified by a ConfigMap yet, so every request answers 503: remove " +
		"spec.tls.frontend and name a trust store in mutualAuthentication of a LoadBalancerConfiguration"}
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

// dueAgain is when a Gateway is looked at again whose authorities nobody tells changes of.
func (s *Snapshot) dueAgain(due time.Duration) time.Duration {
	if len(s.Authorities) > 0 && (due == 0 || due > freshness) {
		return freshness
	}
	return due
}
