package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Which certificate an HTTPS listener gets: those that a LoadBalancerConfiguration names for its port, for they are what the incumbent
// serves; else those of certificateRefs, and no other while there are such; else those of ACM for its host names.

const kindSecret = "Secret"

// certificateRefs are the references of a listener that terminates TLS.
func (l *listener) certificateRefs() []gwv1.SecretObjectReference {
	if l.Protocol != gwv1.HTTPSProtocolType || l.TLS == nil || l.unsupported.any() {
		return nil
	}
	return l.TLS.CertificateRefs
}

// secretOf is the Secret that a reference leads to, or why it leads nowhere (Gateway API, ListenerTLSConfig.certificateRefs).
func (s *Snapshot) secretOf(from model.ObjectRef, ref gwv1.SecretObjectReference) (model.SecretRef, problem) {
	out := model.SecretRef{Namespace: from.Namespace, Name: string(ref.Name)}
	if ref.Namespace != nil {
		out.Namespace = string(*ref.Namespace)
	}
	if group, kind := deref(ref.Group), deref(ref.Kind); group != "" || kind != "" && kind != kindSecret {
		return out, problem{string(gwv1.ListenerReasonInvalidCertificateRef), fmt.Sprintf(
			"kind %s/%s holds no certificate that is served: name a Secret with tls.crt and tls.key", group, kind)}
	}
	if !s.permits(from, target{kindSecret, out.Namespace, out.Name}) {
		return out, problem{string(gwv1.ListenerReasonRefNotPermitted), fmt.Sprintf(
			"no ReferenceGrant in namespace %s lets %ss of namespace %s refer to Secret %s: its owner can create one", out.Namespace, from.Kind,
			from.Namespace, out.Name)}
	}
	return out, problem{}
}

// certificateReader is what Secrets are read by.
type certificateReader func(ctx context.Context, from client.Reader, ref model.SecretRef) (intent.Secret, error)

// loadSecrets reads the Secrets that listeners name and may name, and no others.
func (s *Snapshot) loadSecrets(ctx context.Context, r client.Reader, read certificateReader) error {
	s.Secrets = map[model.SecretRef]intent.Secret{}
	if !s.Ours || !s.Gateway.DeletionTimestamp.IsZero() {
		return nil
	}
	for _, l := range judge(s, s.parents()) {
		for _, ref := range l.certificateRefs() {
			key, p := s.secretOf(l.of.ref, ref)
			if _, known := s.Secrets[key]; known || p.any() {
				continue
			}
			found, err := read(ctx, r, key)
			if err != nil {
				return fmt.Errorf("of Gateway %s/%s: %w", s.Gateway.Namespace, s.Gateway.Name, err)
			}
			s.Secrets[key] = found
		}
	}
	return nil
}

// judgeCertificates resolves a listener's references. The condition has room for the first one that leads nowhere.
func (l *listener) judgeCertificates(s *Snapshot) {
	for i, ref := range l.certificateRefs() {
		field := fmt.Sprintf("%s.tls.certificateRefs[%d]", l.field(), i)
		key, p := s.secretOf(l.of.ref, ref)
		found, ok := s.Secrets[key]
		switch {
		case p.reason == string(gwv1.ListenerReasonRefNotPermitted):
			l.forbidden = append(l.forbidden, model.Finding{
				Object: l.of.ref, Severity: model.Answered, Reason: p.reason, Field: field, Message: p.message,
			})
			l.unresolved(field, p)
			continue
		case p.any():
			found, ok = intent.Secret{Ref: key, Reason: p.reason, Problem: p.message}, true
		}
		if !ok {
			continue // it is only now that it is going to be read
		}
		found.Field = field
		if found.Problem != "" {
			l.unresolved(field, problem{string(gwv1.ListenerReasonInvalidCertificateRef), found.Problem})
		}
		l.secrets = append(l.secrets, found)
	}
}

// uncertified tells whether a listener takes no traffic because it may refer to none of its certificates.
func (t *translator) uncertified(l *listener) bool {
	return len(l.certificateRefs()) > 0 && len(t.certificates(l)) == 0 && len(l.secrets) == 0
}

// serves tells whether a listener takes traffic.
func (t *translator) serves(l *listener) bool { return l.usable() && !t.uncertified(l) }

// brokenRefs tells whether none of a listener's references leads to a certificate.
func (l *listener) brokenRefs() bool {
	return len(l.secrets) > 0 && !slices.ContainsFunc(l.secrets, func(s intent.Secret) bool { return s.Problem == "" })
}

func (l *listener) unresolved(field string, p problem) {
	if !l.refs.any() {
		l.refs = problem{p.reason, field + ": " + p.message}
	}
}

// certificateFindings are the findings on a listener's certificateRefs, but for what is wrong with Secrets: that is told where they are
// imported. It is a mistake, which keeps what was good; what nobody permits is not kept.
func (t *translator) certificateFindings(l *listener) []model.Finding {
	object := l.of.ref
	if len(l.certificateRefs()) > 0 && len(t.certificates(l)) > 0 {
		return []model.Finding{unused(object, l.field()+".tls.certificateRefs", fmt.Sprintf(
			"a LoadBalancerConfiguration names the certificates of %s: remove one of the two", protocolPort(l)))}
	}
	return l.forbidden
}

// stillPermitted leaves those of the certificates of a good state that their Secrets' owners still permit. A listener without any is
// none.
func (s *Snapshot) stillPermitted(from model.ObjectRef, all []intent.Listener) []intent.Listener {
	var out []intent.Listener
	for _, l := range all {
		had := len(l.Secrets) > 0
		l.Secrets = slices.DeleteFunc(slices.Clone(l.Secrets), func(c intent.Secret) bool {
			return !s.permits(from, target{kindSecret, c.Ref.Namespace, c.Ref.Name})
		})
		if !had || len(l.Secrets)+len(l.Certificates) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// keepSecrets says which Secrets and ConfigMaps a Gateway needs from now on.
func (r *Reconciler) keepSecrets(gateway types.NamespacedName, s *Snapshot) {
	if r.maps != nil {
		r.maps.Keep(gateway.String(), slices.Collect(maps.Keys(s.Authorities)))
	}
	if r.book == nil {
		return
	}
	var keys []types.NamespacedName
	for ref := range s.Secrets {
		keys = append(keys, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name})
	}
	for ref := range s.Clients {
		keys = append(keys, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name})
	}
	r.book.Keep("Gateway "+gateway.String(), keys)
}

// gatewaysOfSecret are the Gateways that name a Secret.
func (r *Reconciler) gatewaysOfSecret(ctx context.Context, o client.Object) []reconcile.Request {
	return append(r.gatewaysOfClient(ctx, o), r.gatewaysWhere(ctx, func(from string, l gwv1.Listener) bool {
		return l.TLS != nil && slices.ContainsFunc(l.TLS.CertificateRefs, func(ref gwv1.SecretObjectReference) bool {
			namespace := from
			if ref.Namespace != nil {
				namespace = string(*ref.Namespace)
			}
			return namespace == o.GetNamespace() && string(ref.Name) == o.GetName()
		})
	})...)
}
