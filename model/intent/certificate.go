package intent

import (
	"time"

	"github.com/headgate/headgate/model"
)

// CertificateRequest asks ACM for a certificate.
type CertificateRequest struct {
	// Hash tells apart the requests of members that ask for the same names.
	Hash string `json:"hash"`
	// Hosts are all names, sorted.
	Hosts []string `json:"hosts,omitempty"`
	// Authority is the ARN of a private authority; without, the certificate is public.
	Authority string `json:"authority,omitempty"`
	// Field is where it was written, AuthorityField where Authority was.
	Field          string `json:"field,omitempty"`
	AuthorityField string `json:"authorityField,omitempty"`
}

// Secret is a certificate in a Secret, to be imported: what everybody may see of it.
type Secret struct {
	Ref model.SecretRef `json:"ref"`
	// Problem says why it cannot be used, with Reason; empty where it can.
	Problem string `json:"problem,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// Digest is over the certificate and its chain, and no secret.
	Digest string `json:"digest,omitempty"`
	// Domains are all names, in the order of [model.OwnCertificate.Domains].
	Domains      []string `json:"domains,omitempty"`
	KeyAlgorithm string   `json:"keyAlgorithm,omitempty"`
	// NotAfter is when it expires.
	NotAfter time.Time `json:"notAfter,omitzero"`
	// RenewBy is when whoever renews it should have done so.
	RenewBy time.Time `json:"renewBy,omitzero"`
	// Field is where the Secret was named.
	Field string `json:"field,omitempty"`
}
