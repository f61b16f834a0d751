package dataplane

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

var errNoCertificate = errors.New("listener has no certificate")

// credential is a certificate with what the choice needs to know.
type credential struct {
	certificate *tls.Certificate
	names       []string
	elliptic    bool
	weakHash    bool
	bits        int
	until       time.Time
}

// security is what an HTTPS listener asks of a client. It is immutable.
type security struct {
	config *tls.Config
	// newest are the ciphers of TLS 1.3 that the policy has.
	newest []uint16
}

// compileSecurity prepares certificates, versions, ciphers and protocols of a listener. What did not change is taken from before, so that
// sessions can be resumed.
func compileSecurity(s *Server, f, before *frontend) (*security, error) {
	second := f.attributes.notOff("routing.http2.enabled")
	if before != nil && before.security != nil && slices.Equal(before.source.Certificates, f.source.Certificates) &&
		before.source.Policy.Name == f.source.Policy.Name && before.source.MutualTLS == f.source.MutualTLS &&
		before.attributes.notOff("routing.http2.enabled") == second {
		return before.security, nil
	}
	all, err := newCredentials(f.source.Certificates)
	if err != nil {
		return nil, err
	}
	c := f.source.Policy.config()
	c.NextProtos = []string{"http/1.1"}
	if second {
		c.NextProtos = []string{"h2", "http/1.1"}
	}
	c.GetCertificate = f.source.serving(all)
	askClients(c, f.source.MutualTLS, s.now)
	return &security{c, f.source.Policy.suites(isNewest)}, nil
}

func newCredentials(certificates []*tls.Certificate) ([]credential, error) {
	if len(certificates) == 0 {
		return nil, errNoCertificate
	}
	all := make([]credential, 0, len(certificates))
	for _, certificate := range certificates {
		c, err := newCredential(certificate)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// serving gives what chooses a certificate for a client, and remembers its ARN with the connection.
func (l Listener) serving(all []credential) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		chosen := choose(all, hello)
		if c, ok := hello.Context().Value(connectionKey{}).(*connection); ok {
			if at := slices.Index(l.Certificates, chosen); at >= 0 && at < len(l.CertificateARNs) {
				c.certificate = l.CertificateARNs[at]
			}
		}
		return chosen, nil
	}
}

// greet gives the configuration for a client. One that has no cipher of the policy for the version that it would get is refused here,
// because the library has its own mind about the ciphers of TLS 1.3.
func (s *security) greet(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	newest := s.config.MaxVersion == tls.VersionTLS13 && slices.Contains(hello.SupportedVersions, tls.VersionTLS13)
	if newest && len(s.newest) > 0 && !slices.ContainsFunc(hello.CipherSuites, func(id uint16) bool { return slices.Contains(s.newest, id) }) {
		return nil, errNoCipher
	}
	return s.config, nil
}

func newCredential(certificate *tls.Certificate) (credential, error) {
	leaf := certificate.Leaf
	if leaf == nil {
		if len(certificate.Certificate) == 0 {
			return credential{}, errNoCertificate
		}
		var err error
		if leaf, err = x509.ParseCertificate(certificate.Certificate[0]); err != nil {
			return credential{}, fmt.Errorf("reading a certificate: %w", err)
		}
	}
	c := credential{certificate: certificate, until: leaf.NotAfter}
	switch leaf.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		c.weakHash = true
	default:
	}
	for _, name := range append(slices.Clone(leaf.DNSNames), leaf.Subject.CommonName) {
		c.names = append(c.names, strings.ToLower(name))
	}
	switch key := leaf.PublicKey.(type) {
	case *ecdsa.PublicKey:
		c.elliptic, c.bits = true, key.Curve.Params().BitSize
	case *rsa.PublicKey:
		c.bits = key.N.BitLen()
	}
	return c, nil
}

// choose picks the certificate for a client: among those for its server name that it can use the best one, otherwise the default,
// which is the first.
func choose(all []credential, hello *tls.ClientHelloInfo) *tls.Certificate {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	able := *hello
	able.ServerName = "" // the names are compared here; what is left is what the client can verify
	var best *credential
	for i := range all {
		c := &all[i]
		if name == "" || !c.covers(name) || able.SupportsCertificate(c.certificate) != nil {
			continue
		}
		if best == nil || c.better(best, name) {
			best = c
		}
	}
	if best == nil {
		return all[0].certificate
	}
	return best.certificate
}

// covers reports whether a certificate is for a name. A wildcard stands for one label.
func (c *credential) covers(name string) bool {
	return c.exact(name) || c.wild(name)
}

func (c *credential) exact(name string) bool { return slices.Contains(c.names, name) }

func (c *credential) wild(name string) bool {
	_, parent, ok := strings.Cut(name, ".")
	return ok && slices.Contains(c.names, "*."+parent)
}

// better orders certificates for one name: named exactly, elliptic curve before RSA, SHA-2 before older hashes, longer key, later end
// (ALB user guide, "SNI certificates"). The earlier one wins a tie.
func (c *credential) better(than *credential, name string) bool {
	if c.exact(name) != than.exact(name) {
		return c.exact(name)
	}
	if c.elliptic != than.elliptic {
		return c.elliptic
	}
	if c.weakHash != than.weakHash {
		return than.weakHash
	}
	if c.bits != than.bits {
		return c.bits > than.bits
	}
	return c.until.After(than.until)
}

// tlsHeaders tells the target how the client is connected, where the load balancer is told to.
func (x *exchange) tlsHeaders(h http.Header) {
	if x.request.TLS == nil || !x.front.attributes.on("routing.http.x_amzn_tls_version_and_cipher_suite.enabled") {
		return
	}
	version := tlsName(x.request.TLS.Version)
	h.Set(x.front.listener.text("routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Version"), version)
	h.Set(x.front.listener.text("routing.http.request.x_amzn_tls_cipher_suite.header_name", "X-Amzn-Tls-Cipher-Suite"),
		cipherName(tls.CipherSuiteName(x.request.TLS.CipherSuite)))
}

// tlsName is the version of TLS as AWS writes it.
func tlsName(version uint16) string {
	return strings.TrimSuffix(strings.Replace(tls.VersionName(version), "TLS ", "TLSv", 1), ".0")
}
