package intent

// MutualAuth is whether clients of a listener show certificates.
type MutualAuth struct {
	// Mode is off, passthrough or verify.
	Mode string `json:"mode"`
	// TrustStore is the ARN or name of a trust store, for verify.
	TrustStore string `json:"trustStore,omitempty"`
	// IgnoreExpiry and AdvertiseNames (on or off) are for verify.
	IgnoreExpiry   bool   `json:"ignoreExpiry,omitempty"`
	AdvertiseNames string `json:"advertiseNames,omitempty"`
	// Field is where it was written.
	Field string `json:"field,omitempty"`
}
