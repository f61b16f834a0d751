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
)

var errNoCertificate = errors.New("listener has no certificate")

// credential is a certificate with what the choice needs to know.
type credential struct {
	certificate *tls.Certificate
	names       []string
	elliptic    bool
	bits        int
}

// compileTLS prepares certificates, versions and protocols of a listener.
func compileTLS(f, before *frontend) (*tls.Config, error) {
	second := f.attributes.notOff("routing.http2.enabled")
	if before != nil && before.tls != nil && slices.Equal(before.source.Certificates, f.source.Certificates) &&
		before.source.SSLPolicy == f.source.SSLPolicy && before.attributes.notOff("routing.http2.enabled") == second {
		return before.tls, nil
	}
	if len(f.source.Certificates) == 0 {
		return nil, errNoCertificate
	}
	all := make([]credential, 0, len(f.source.Certificates))
	for _, certificate := range f.source.Certificates {
		c, err := newCredential(certificate)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	low, high := policyVersions(f.source.SSLPolicy)
	protocols := []string{"http/1.1"}
	if second {
		protocols = []string{"h2", "http/1.1"}
	}
	return &tls.Config{
		MinVersion: low,
		MaxVersion: high,
		NextProtos: protocols,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return choose(all, hello), nil
		},
	}, nil
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
	c := credential{certificate: certificate}
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

// better orders certificates for one name: named exactly, elliptic curve before RSA, longer key. The earlier one wins a tie.
func (c *credential) better(than *credential, name string) bool {
	if c.exact(name) != than.exact(name) {
		return c.exact(name)
	}
	if c.elliptic != than.elliptic {
		return c.elliptic
	}
	return c.bits > than.bits
}

// policyVersions gives the lowest and highest TLS version of a security policy.
func policyVersions(name string) (uint16, uint16) {
	name = strings.TrimPrefix(name, "ELBSecurityPolicy-")
	for _, p := range []struct {
		prefix    string
		low, high uint16
	}{
		{"TLS13-1-3", tls.VersionTLS13, tls.VersionTLS13},
		{"TLS13-1-2", tls.VersionTLS12, tls.VersionTLS13},
		{"TLS13-1-1", tls.VersionTLS11, tls.VersionTLS13},
		{"TLS13-1-0", tls.VersionTLS10, tls.VersionTLS13},
		{"FS-1-2", tls.VersionTLS12, tls.VersionTLS12},
		{"FS-1-1", tls.VersionTLS11, tls.VersionTLS12},
		{"FS-2018", tls.VersionTLS10, tls.VersionTLS12},
		{"TLS-1-2", tls.VersionTLS12, tls.VersionTLS12},
		{"TLS-1-1", tls.VersionTLS11, tls.VersionTLS12},
		{"TLS-1-0", tls.VersionTLS10, tls.VersionTLS12},
		{"2016-08", tls.VersionTLS10, tls.VersionTLS12},
		{"2015-05", tls.VersionTLS10, tls.VersionTLS12},
	} {
		if strings.HasPrefix(name, p.prefix) {
			return p.low, p.high
		}
	}
	return tls.VersionTLS12, tls.VersionTLS13 // a policy that is not known must not open old versions
}

// tlsHeaders tells the target how the client is connected, where the load balancer is told to.
func (x *exchange) tlsHeaders(h http.Header) {
	if x.request.TLS == nil || !x.front.attributes.on("routing.http.x_amzn_tls_version_and_cipher_suite.enabled") {
		return
	}
	version := strings.Replace(tls.VersionName(x.request.TLS.Version), "TLS ", "TLSv", 1)
	h.Set(x.front.listener.text("routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Version"), version)
	h.Set(x.front.listener.text("routing.http.request.x_amzn_tls_cipher_suite.header_name", "X-Amzn-Tls-Cipher-Suite"),
		cipherName(tls.CipherSuiteName(x.request.TLS.CipherSuite)))
}

// cipherName turns the name of a cipher suite into OpenSSL's. Those of TLS 1.3 are the same in both.
func cipherName(name string) string {
	short, ok := strings.CutPrefix(name, "TLS_")
	if !ok || !strings.Contains(short, "_WITH_") {
		return name
	}
	short = strings.TrimPrefix(strings.Replace(short, "_WITH_", "_", 1), "RSA_")
	short = strings.Replace(short, "CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305", 1)
	short = strings.Replace(short, "_CBC_SHA", "_SHA", 1)
	short = strings.Replace(short, "3DES_EDE_SHA", "DES_CBC3_SHA", 1)
	for _, bits := range []string{"128", "256"} {
		short = strings.ReplaceAll(short, "AES_"+bits, "AES"+bits)
	}
	return strings.ReplaceAll(short, "_", "-")
}
