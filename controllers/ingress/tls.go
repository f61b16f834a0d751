package ingress

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// requestHash is the length of what tells apart the requested certificates of Ingresses, in the incumbent's form.
const requestHash = 8

// secretNames are the Secrets that a member has its certificates from, in its order; none where certificates are named or requested.
func secretNames(m Member) []string {
	read := annotations.Ingress().Reader(m.Ingress.Annotations)
	if read.Has(annotations.CertificateARN) || m.Class != nil && m.Class.Params != nil && len(m.Class.Params.Spec.CertificateArn) > 0 {
		return nil
	}
	var out []string
	for _, tls := range m.Ingress.Spec.TLS {
		if tls.SecretName != "" && !slices.Contains(out, tls.SecretName) {
			out = append(out, tls.SecretName)
		}
	}
	return out
}

// loadSecrets reads what a member names.
func (g Group) loadSecrets(ctx context.Context, r client.Reader, set Settings, m Member) error {
	for _, name := range secretNames(m) {
		ref := model.SecretRef{Namespace: m.Ingress.Namespace, Name: name}
		if _, ok := g.Secrets[ref]; ok || set.creates(m.Ingress) {
			continue
		}
		found, err := set.Secrets.Certificate(ctx, r, ref)
		if err != nil {
			return fmt.Errorf("of Ingress %s/%s: %w", m.Ingress.Namespace, m.Ingress.Name, err)
		}
		g.Secrets[ref] = found
	}
	return nil
}

// creates tells whether an Ingress has a certificate made for it.
func (s Settings) creates(ing *networkingv1.Ingress) bool {
	asked, _ := annotations.Ingress().Reader(ing.Annotations).Bool(annotations.CreateCertificate)
	return asked && s.CertificateManagement
}

func (d *draft) creates() bool { return d.set.creates(d.member.Ingress) }

// checkCertificates finds what has no effect.
func (d *draft) checkCertificates() {
	asked, _ := d.read.Bool(annotations.CreateCertificate)
	named, field := d.certificates()
	switch {
	case asked && !d.set.CertificateManagement:
		d.note(model.Warning, annotations.ReasonUnserved, d.read.Field(annotations.CreateCertificate),
			"no certificate is created: the operator runs without --feature-gates=EnableCertificateManagement=true; certificates are found in ACM by host name")
	case asked && len(named) > 0:
		d.note(model.Warning, ReasonUnused, d.read.Field(annotations.CreateCertificate), "no certificate is created, for "+field+" names some")
	case !asked && d.read.Has(annotations.CertificateAuthority):
		d.note(model.Warning, ReasonUnused, d.read.Field(annotations.CertificateAuthority),
			"has no effect without create-acm-cert: \"true\"")
	}
}

// request is the certificate that is made for the Ingress.
func (d *draft) request() *intent.CertificateRequest {
	sum := sha256.Sum256([]byte(d.member.Ingress.Namespace + "/" + d.member.Ingress.Name))
	out := &intent.CertificateRequest{
		Hash: hex.EncodeToString(sum[:])[:requestHash], Hosts: d.hosts(), Authority: d.set.DefaultAuthority,
		Field: d.read.Field(annotations.CreateCertificate), AuthorityField: "--default-pca-arn",
	}
	if own, ok := d.read.String(annotations.CertificateAuthority); ok && own != "" {
		out.Authority, out.AuthorityField = own, d.read.Field(annotations.CertificateAuthority)
	}
	return out
}

// secrets are what the member's TLS entries name.
func (d *draft) secrets() []intent.Secret {
	var out []intent.Secret
	for _, name := range secretNames(d.member) {
		found, ok := d.known[model.SecretRef{Namespace: d.member.Ingress.Namespace, Name: name}]
		if !ok {
			continue
		}
		i := slices.IndexFunc(d.member.Ingress.Spec.TLS, func(t networkingv1.IngressTLS) bool { return t.SecretName == name })
		found.Field = fmt.Sprintf("spec.tls[%d].secretName", i)
		out = append(out, found)
	}
	return out
}

// keepSecrets says which Secrets the group needs from now on.
func (r *Reconciler) keepSecrets(key reconcile.Request, g Group) {
	if r.book == nil {
		return
	}
	var keys []types.NamespacedName
	for ref := range g.Secrets {
		keys = append(keys, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name})
	}
	for ref := range g.Clients {
		keys = append(keys, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name})
	}
	r.book.Keep(controllerName+" "+key.String(), keys)
}

// ofSecret are the groups whose members, or the Services behind them, name a Secret.
func (r *Reconciler) ofSecret(ctx context.Context, o client.Object) []reconcile.Request {
	of := model.SecretRef{Namespace: o.GetNamespace(), Name: o.GetName()}
	services := r.servicesIn(ctx, of.Namespace)
	return r.requests(ctx, func(ing *networkingv1.Ingress) bool {
		return ing.Namespace == of.Namespace && (slices.Contains(clientsOf(ing, services), of) ||
			slices.ContainsFunc(ing.Spec.TLS, func(t networkingv1.IngressTLS) bool { return t.SecretName == of.Name }))
	})
}

func (r *Reconciler) servicesIn(ctx context.Context, namespace string) map[types.NamespacedName]*corev1.Service {
	var list corev1.ServiceList
	if err := r.client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing Services")
		return nil
	}
	out := make(map[types.NamespacedName]*corev1.Service, len(list.Items))
	for i := range list.Items {
		out[client.ObjectKeyFromObject(&list.Items[i])] = &list.Items[i]
	}
	return out
}
