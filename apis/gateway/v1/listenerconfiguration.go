package v1

// ProtocolPort names a listener as PROTOCOL:PORT, such as HTTPS:443.
//
// +kubebuilder:validation:Pattern=`^(HTTP|HTTPS|TLS|TCP|UDP|TCP_UDP)?:(6553[0-5]|655[0-2]\d|65[0-4]\d{2}|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})?$`
type ProtocolPort string

// ALPNPolicy of a TLS listener.
//
// +kubebuilder:validation:Enum=HTTP1Only;HTTP2Only;HTTP2Optional;HTTP2Preferred;None
type ALPNPolicy string

// ALPNPolicyNone is the default.
const ALPNPolicyNone ALPNPolicy = "None"

// MutualAuthenticationMode says what a listener does with client certificates.
//
// +kubebuilder:validation:Enum=off;passthrough;verify
type MutualAuthenticationMode string

// The modes of mutual authentication.
const (
	MutualAuthenticationOff         MutualAuthenticationMode = "off"
	MutualAuthenticationPassthrough MutualAuthenticationMode = "passthrough"
	MutualAuthenticationVerify      MutualAuthenticationMode = "verify"
)

// AdvertiseTrustStoreCANames is on or off.
//
// +kubebuilder:validation:Enum=on;off
type AdvertiseTrustStoreCANames string

// MutualAuthentication is what a listener does with client certificates.
//
// +kubebuilder:validation:XValidation:rule="!(self.mode == 'verify' && !has(self.trustStore))",message="mode verify needs trustStore"
// +kubebuilder:validation:XValidation:rule="!(self.mode != 'verify' && has(self.trustStore))",message="trustStore is only for mode verify"
// +kubebuilder:validation:XValidation:rule="!(self.mode != 'verify' && has(self.ignoreClientCertificateExpiry))",message="ignoreClientCertificateExpiry is only for mode verify"
// +kubebuilder:validation:XValidation:rule="!(self.mode != 'verify' && has(self.advertiseTrustStoreCaNames))",message="advertiseTrustStoreCaNames is only for mode verify"
type MutualAuthentication struct {
	// Mode of mutual authentication.
	Mode MutualAuthenticationMode `json:"mode"`

	// TrustStore by name or ARN.
	// +optional
	TrustStore *string `json:"trustStore,omitempty"`

	// IgnoreClientCertificateExpiry accepts certificates that have expired.
	// +optional
	IgnoreClientCertificateExpiry *bool `json:"ignoreClientCertificateExpiry,omitempty"`

	// AdvertiseTrustStoreCANames sends the names of the trust store's authorities to clients.
	// +optional
	AdvertiseTrustStoreCANames *AdvertiseTrustStoreCANames `json:"advertiseTrustStoreCaNames,omitempty"`
}

// ListenerConfiguration is how one listener is made.
type ListenerConfiguration struct {
	// ProtocolPort names the listener.
	ProtocolPort ProtocolPort `json:"protocolPort"`

	// DefaultCertificate is the ARN of the certificate for clients that name no known host.
	// +optional
	DefaultCertificate *string `json:"defaultCertificate,omitempty"`

	// Certificates are the ARNs of further certificates, chosen by the name that a client asks for.
	// +optional
	Certificates []string `json:"certificates,omitempty"`

	// SSLPolicy of an HTTPS or TLS listener.
	// +optional
	SSLPolicy *string `json:"sslPolicy,omitempty"`

	// ALPNPolicy of a TLS listener.
	// +optional
	// +kubebuilder:default=None
	ALPNPolicy *ALPNPolicy `json:"alpnPolicy,omitempty"`

	// MutualAuthentication of an HTTPS listener.
	// +optional
	MutualAuthentication *MutualAuthentication `json:"mutualAuthentication,omitempty"`

	// ListenerAttributes by their AWS keys.
	// +optional
	ListenerAttributes []Attribute `json:"listenerAttributes,omitempty"`

	// QUICEnabled makes a UDP listener QUIC and a TCP_UDP listener TCP_QUIC.
	// +optional
	QUICEnabled *bool `json:"quicEnabled,omitempty"`

	// TargetGroupStickiness keeps a client with a target group, on a network load balancer.
	// +optional
	TargetGroupStickiness *bool `json:"targetGroupStickiness,omitempty"`
}
