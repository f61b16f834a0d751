package model

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// KindCertificate is a certificate in ACM that a stack owns, or that the stacks of a cluster share. Its ID is "<type>/<first host>-<hash>"
// of one that was requested, as the incumbent forms it, and "imported/<namespace>/<secret>" of one that came from a Secret.
const KindCertificate Kind = "Certificate"

// The types of certificates (ACM API, CertificateType).
const (
	CertificateImported  = "IMPORTED"
	CertificateRequested = "AMAZON_ISSUED"
	CertificatePrivate   = "PRIVATE"
)

// CertificateUsable is the status of a certificate that listeners take (ACM API, CertificateStatus).
const CertificateUsable = "ISSUED"

// SecretRef names a Secret. What is in it never is part of an intent, a stack or a plan.
type SecretRef struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String is "namespace/name".
func (r SecretRef) String() string { return r.Namespace + "/" + r.Name }

// OwnCertificate is a certificate in ACM that we keep: requested for a stack, or imported from a Secret for all stacks that ask for its
// content.
type OwnCertificate struct {
	ID  string `json:"id"`
	ARN ARN    `json:"arn,omitempty"`
	// Type is IMPORTED, AMAZON_ISSUED or PRIVATE.
	Type string `json:"type"`
	// Domains are all names in lower case: the domain name first, the others sorted.
	Domains []string `json:"domains"`
	// Authority is the ARN of the private authority, of PRIVATE.
	Authority ARN `json:"authority,omitempty"`
	// KeyAlgorithm is ACM's name of the kind of key, of IMPORTED: AWS takes no other at the same ARN.
	KeyAlgorithm string `json:"keyAlgorithm,omitempty"`
	// Digest is over the certificate and its chain, of IMPORTED. Nothing of the key is in it.
	Digest string            `json:"digest,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`

	// Secret has the material of an imported one: desired only, no part of a comparison.
	Secret SecretRef `json:"secret,omitzero"`

	// NotAfter is when it expires, no part of a comparison; zero while it is not known.
	NotAfter time.Time `json:"notAfter,omitzero"`

	// Observed only.

	// Status is ISSUED, PENDING_VALIDATION, FAILED, …
	Status string `json:"status,omitempty"`
	// Failure is why ACM does not issue it: CAA_ERROR, NO_AVAILABLE_CONTACTS, … (ACM API, FailureReason).
	Failure string `json:"failure,omitempty"`
	// Proofs are DNS records that show to whom its names belong, as far as they are still to be published.
	Proofs []DNSRecord `json:"proofs,omitempty"`
	// Spent says that it will never be issued, or not again: only another one helps.
	Spent bool `json:"spent,omitempty"`
}

// DNSRecord is a CNAME record.
type DNSRecord struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Key is the key of the certificate.
func (c OwnCertificate) Key() Key { return Key{Kind: KindCertificate, ID: c.ID} }

// importedPrefix begins the ID of a certificate of a Secret.
const importedPrefix = "imported/"

// ImportedTags are the ownership tags of an imported certificate: of its cluster, for all stacks share it.
func ImportedTags(cluster, id string) map[string]string {
	return map[string]string{TagCluster: cluster, TagResource: id}
}

// ImportedBy tells whether tags are those of a certificate that a cluster imported from a Secret, and gives its ID. Those of a stack count:
// earlier versions imported for each stack.
func ImportedBy(cluster string, tags map[string]string) (id string, ok bool) {
	if tags[TagCluster] != cluster {
		return "", false
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if strings.HasSuffix(key, "/resource") && strings.HasPrefix(tags[key], importedPrefix) {
			return tags[key], true
		}
	}
	return "", false
}

// Reference is how a wanted listener names a certificate of its own stack, beside the ARNs of others.
func (c OwnCertificate) Reference() ARN { return ARN(c.Key().String()) }

// OwnCertificateKey is the key behind an [OwnCertificate.Reference]; ok is false for an ARN.
func OwnCertificateKey(reference ARN) (Key, bool) {
	id, ok := strings.CutPrefix(string(reference), string(KindCertificate)+"/")
	return Key{Kind: KindCertificate, ID: id}, ok
}

// SortDomains puts names in the order of [OwnCertificate.Domains]: lower case, the given first one first.
func SortDomains(first string, more []string) []string {
	first = strings.ToLower(first)
	out := make([]string, 0, len(more)+1)
	for _, n := range more {
		if n = strings.ToLower(n); n != first && n != "" {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if first == "" {
		return out
	}
	return slices.Insert(out, 0, first)
}

func normalizeCertificate(c OwnCertificate) OwnCertificate {
	if len(c.Domains) > 0 {
		c.Domains = SortDomains(c.Domains[0], c.Domains[1:])
	}
	c.Proofs = set(c.Proofs, func(a, b DNSRecord) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
	return c
}

func bareCertificate(c OwnCertificate) OwnCertificate {
	c.ARN, c.Secret, c.Status, c.NotAfter, c.Failure, c.Proofs, c.Spent = "", SecretRef{}, "", time.Time{}, "", nil, false
	return c
}

func compareCertificates(a, b OwnCertificate) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN))
}
