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
	"strings"
	"time"
)

// Modes of mutual TLS.
const (
	mutualPassthrough = "passthrough"
	mutualVerify      = "verify"
)

var errClient = errors.New("client certificate is refused")

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
		return fmt.Errorf("none was sent: %w", errClient)
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
		return fmt.Errorf("%w: %w", errClient, err)
	}
	for _, chain := range chains {
		if len(chain) <= maxChain && !v.anyRevoked(chain) {
			return nil
		}
	}
	return fmt.Errorf("revoked, or more than %d certificates deep: %w", maxChain, errClient)
}

func (v *verifier) anyRevoked(chain []*x509.Certificate) bool {
	for _, c := range chain {
		if _, ok := v.revoked[string(c.RawIssuer)+c.SerialNumber.Text(16)]; ok {
			return true
		}
	}
	return false
}

// usable checks version, key and signature of a client's certificate against what load balancers support.
func usable(c *x509.Certificate) error {
	if c.Version != 3 {
		return fmt.Errorf("version %d: %w", c.Version, errClient)
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return fmt.Errorf("RSA key of %d bits: %w", bits, errClient)
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() && key.Curve != elliptic.P521() {
			return fmt.Errorf("curve %s: %w", key.Params().Name, errClient)
		}
	default:
		return fmt.Errorf("key of type %s: %w", c.PublicKeyAlgorithm, errClient)
	}
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return nil
	default:
		return fmt.Errorf("signature %s: %w", c.SignatureAlgorithm, errClient)
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
	h.Set(x.mutualName("-Serial-Number"), strings.ToUpper(hex.EncodeToString(leaf.SerialNumber.Bytes())))
	h.Set(x.mutualName("-Issuer"), leaf.Issuer.String())
	h.Set(x.mutualName("-Subject"), leaf.Subject.String())
	h.Set(x.mutualName("-Validity"),
		"NotBefore="+leaf.NotBefore.UTC().Format(time.RFC3339)+";NotAfter="+leaf.NotAfter.UTC().Format(time.RFC3339))
	h.Set(x.mutualName("-Leaf"), escapedPEM(leaf))
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
