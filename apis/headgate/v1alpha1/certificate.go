package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CertificateStatus is a certificate that Headgate keeps in ACM for a load balancer.
type CertificateStatus struct {
	// Name is imported/namespace/secret of one that came from a Secret, and type/host-hash of one that was requested.
	Name string `json:"name"`

	// ARN of the certificate.
	// +optional
	ARN string `json:"arn,omitempty"`

	// Domains are the names that it is for.
	// +optional
	// +listType=atomic
	Domains []string `json:"domains,omitempty"`

	// State in ACM: ISSUED, PENDING_VALIDATION, FAILED and others.
	// +optional
	State string `json:"state,omitempty"`

	// NotAfter is when it expires. Absent: it is not known, as before it is issued.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`
}
