package intent

import "github.com/headgate/headgate/model"

// MutualAuth is whether clients of a listener show certificates. What a front door must do:
//   - name what its user wrote, as it is, on the listener of the fragment that it restricts, although it may be wrong: the build finds
//     what AWS cannot do, and answers 503 for the fragment's routes on a port whose clients are not asked for certificates as strictly;
//   - set Whole where the port belongs to one member and others put routes on it (a Gateway): their routes then close with its own;
//   - set Field to a place of its own, not to that of the listener: a listener that is wrong as a whole is left out and forgotten;
//   - put what is written now into good fragments too (Request.Permit of the loop), with [MutualAuth.Over], and close what it cannot read.
type MutualAuth struct {
	// Mode is off, passthrough or verify.
	Mode string `json:"mode"`
	// TrustStore is the ARN or name of a trust store, for verify.
	TrustStore string `json:"trustStore,omitempty"`
	// Authorities are what clients are verified by in place of TrustStore: the stack gets a trust store of its own for them.
	Authorities *Authorities `json:"authorities,omitempty"`
	// Unserved says that this cannot be served, and that its owner was told why: what is behind the port answers 503.
	Unserved bool `json:"unserved,omitempty"`
	// IgnoreExpiry and AdvertiseNames (on or off) are for verify.
	IgnoreExpiry   bool   `json:"ignoreExpiry,omitempty"`
	AdvertiseNames string `json:"advertiseNames,omitempty"`
	// Whole says that nothing is served on the port without, whoever's it is.
	Whole bool `json:"whole,omitempty"`
	// Held says that the fragment is one that was good once: its owner knows what is wrong. Good is what it asked for then, which stays where
	// this cannot be served.
	Held bool        `json:"held,omitempty"`
	Good *MutualAuth `json:"good,omitempty"`
	// Observed is the mode that AWS holds on the port, known of a member that is wrong: it stays while what is asked for cannot be served.
	// The loop sets it, no front door does.
	Observed string `json:"observed,omitempty"`
	// Field is where it was written.
	Field string `json:"field,omitempty"`
}

// Authorities are certificates of authorities in ConfigMaps.
type Authorities struct {
	// ID is that of the trust store, see [model.KindTrustStore]: it stays while what is in the ConfigMaps changes.
	ID string `json:"id"`
	// ConfigMaps that can be used, in their order.
	ConfigMaps []model.ConfigMapRef `json:"configMaps,omitempty"`
	// Digest is over the certificates in them.
	Digest string `json:"digest,omitempty"`
	// Problem says why there are none, with Reason; empty where there are. Those that were good before then stay; a port without any takes
	// no traffic.
	Problem string `json:"problem,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// Over is what is asked for now, put over what was asked for on the same port when the fragment was good, if anything was.
func (m MutualAuth) Over(good *MutualAuth) *MutualAuth {
	m.Held, m.Good = true, good
	return &m
}
