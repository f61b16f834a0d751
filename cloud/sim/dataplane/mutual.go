package dataplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Modes of mutual TLS.
const (
	mutualPassthrough = "passthrough"
	mutualVerify      = "verify"
)

// clientError is why a client's certificate is refused.
type clientError struct {
	// code is the word of the connection log for it.
	code string
	why  error
}

func (e *clientError) Error() string { return "client certificate is refused: " + e.why.Error() }

func (e *clientError) Unwrap() error { return e.why }

func refuseClient(code, format string, args ...any) error {
	return &clientError{code, fmt.Errorf(format, args...)}
}

// Bounds of client certificates (ALB user guide, "Mutual authentication with TLS").
const (
	maxChain   = 4
	minRSABits = 2048
	maxRSABits = 8192
)

// askClients adds to a configuration what is asked of clients.
func askClients(c *tls.Config, m MutualTLS, now func() time.Time) {
	switch m.Mode {
	case mutualPassthrough:
		c.ClientAuth = tls.RequestClientCert
	case mutualVerify:
		v := newVerifier(m, now)
		c.ClientAuth = tls.RequireAnyClientCert
		c.VerifyConnection = v.verify // unlike others it is called for resumed sessions too
		if m.AdvertiseNames {
			c.ClientCAs = v.roots
		}
	}
}

// verifier decides which clients get in. It is immutable.
type verifier struct {
	roots        *x509.CertPool
	revoked      map[string]struct{}
	ignoreExpiry bool
	now          func() time.Time
}

func newVerifier(m MutualTLS, now func() time.Time) *verifier {
	v := &verifier{roots: x509.NewCertPool(), revoked: map[string]struct{}{}, ignoreExpiry: m.IgnoreExpiry, now: now}
	if m.Trust == nil {
		return v
	}
	for _, authority := range m.Trust.Authorities {
		v.roots.AddCert(authority)
	}
	for _, list := range m.Trust.Revocations {
		for i := range list.RevokedCertificateEntries {
			v.revoked[string(list.RawIssuer)+list.RevokedCertificateEntries[i].SerialNumber.Text(16)] = struct{}{}
		}
	}
	return v
}

// verify accepts a client that has a chain to the trust store of which nothing is revoked.
func (v *verifier) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return refuseClient(unmapped, "none was sent")
	}
	leaf := state.PeerCertificates[0]
	if err := usable(leaf); err != nil {
		return err
	}
	o := x509.VerifyOptions{
		Roots: v.roots, Intermediates: x509.NewCertPool(), CurrentTime: v.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if v.ignoreExpiry && o.CurrentTime.After(leaf.NotAfter) {
		o.CurrentTime = leaf.NotAfter
	}
	for _, c := range state.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	chains, err := leaf.Verify(o)
	if err != nil {
		return &clientError{invalidity(leaf, o.CurrentTime, err), err}
	}
	chains = slices.DeleteFunc(chains, func(chain []*x509.Certificate) bool { return len(chain) > maxChain })
	if len(chains) == 0 {
		return refuseClient("ClientCertMaxChainDepthExceeded", "more than %d certificates deep", maxChain)
	}
	if !slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool { return !v.anyRevoked(chain) }) {
		return refuseClient("ClientCertCrlHit", "revoked")
	}
	return nil
}

// invalidity gives the word of the connection log for a certificate that has no chain.
func invalidity(leaf *x509.Certificate, now time.Time, err error) string {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		return "ClientCertUntrusted"
	case !errors.As(err, &invalid):
		return "ClientCertInvalid"
	case invalid.Reason == x509.Expired && now.Before(leaf.NotBefore):
		return "ClientCertNotYetValid"
	case invalid.Reason == x509.Expired:
		return "ClientCertExpired"
	case invalid.Reason == x509.IncompatibleUsage:
		return "ClientCertPurposeInvalid"
	case invalid.Reason == x509.TooManyIntermediates:
		return "ClientCertMaxChainDepthExceeded"
	default:
		return "ClientCertInvalid"
	}
}

func (v *verifier) anyRevoked(chain []*x509.Certificate) bool {
	for _, c := range chain {
		if _, ok := v.revoked[string(c.RawIssuer)+c.SerialNumber.Text(16)]; ok {
			return true
		}
	}
	return false
}

// unsupported is the word of the connection log for a certificate of a kind that load balancers do not take.
const unsupported = "ClientCertTypeUnsupported"

// usable checks version, key and signature of a client's certificate against what load balancers support.
func usable(c *x509.Certificate) error {
	if c.Version != 3 {
		return refuseClient("ClientCertInvalid", "version %d", c.Version)
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return refuseClient(unsupported, "RSA key of %d bits", bits)
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() && key.Curve != elliptic.P521() {
			return refuseClient(unsupported, "curve %s", key.Params().Name)
		}
	default:
		return refuseClient(unsupported, "key of type %s", c.PublicKeyAlgorithm)
	}
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return nil
	default:
		return refuseClient(unsupported, "signature %s", c.SignatureAlgorithm)
	}
}

// mutualPrefix begins the names of the headers and, in other letters, the listener attributes that rename them.
const mutualPrefix = "X-Amzn-Mtls-Clientcert"

// mutualHeaders tells the target who the client is. What a client says of itself is removed.
func (x *exchange) mutualHeaders(h http.Header) {
	mode := x.front.source.MutualTLS.Mode
	if mode != mutualPassthrough && mode != mutualVerify {
		return
	}
	for _, suffix := range []string{"", "-Serial-Number", "-Issuer", "-Subject", "-Validity", "-Leaf"} {
		h.Del(mutualPrefix + suffix)
		h.Del(x.mutualName(suffix))
	}
	if x.request.TLS == nil || len(x.request.TLS.PeerCertificates) == 0 {
		return
	}
	chain := x.request.TLS.PeerCertificates
	if mode == mutualPassthrough {
		h.Set(x.mutualName(""), escapedPEM(chain...))
		return
	}
	leaf := chain[0]
	h.Set(x.mutualName("-Serial-Number"), serialNumber(leaf))
	h.Set(x.mutualName("-Issuer"), leaf.Issuer.String())
	h.Set(x.mutualName("-Subject"), leaf.Subject.String())
	h.Set(x.mutualName("-Validity"), validity(leaf))
	h.Set(x.mutualName("-Leaf"), escapedPEM(leaf))
}

func serialNumber(c *x509.Certificate) string {
	return strings.ToUpper(hex.EncodeToString(c.SerialNumber.Bytes()))
}

func validity(c *x509.Certificate) string {
	return "NotBefore=" + c.NotBefore.UTC().Format(time.RFC3339) + ";NotAfter=" + c.NotAfter.UTC().Format(time.RFC3339)
}

func (x *exchange) mutualName(suffix string) string {
	name := mutualPrefix + suffix
	return x.front.listener.text("routing.http.request."+strings.ToLower(strings.ReplaceAll(name, "-", "_"))+".header_name", name)
}

// escapedPEM writes certificates so that they fit into a header. What is left unescaped beside letters and digits is +, = and /.
func escapedPEM(chain ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range chain {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return strings.NewReplacer(" ", "%20", "\n", "%0A").Replace(b.String())
}
