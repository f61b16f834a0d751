// Package material reads the certificates and keys that Secrets hold.
//
// It owns what a load balancer takes and what is wrong with the rest. It imports the standard library and package model. Its invariant: no message,
// digest or name that it gives tells anything of a key.
package material

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/model"
)

// Sizes in bytes that ACM takes (ACM API, ImportCertificate).
const (
	maxCertificate = 32768
	maxKey         = 5120
	maxChain       = 2097152
)

// Certificate is a certificate with its chain: what everybody may see.
type Certificate struct {
	// Leaf and Chain are PEM; Chain may be empty.
	Leaf, Chain []byte
	// Digest is over leaf and chain, in hex.
	Digest string
	// Domains are all names, in the order of [model.OwnCertificate.Domains].
	Domains []string
	// KeyAlgorithm is ACM's name of the kind of key: RSA_2048, EC_prime256v1, ….
	KeyAlgorithm string
	NotAfter     time.Time
	// RenewBy is when whoever renews it should have done so: three weeks before its end, or a sixth of its life where that is less.
	RenewBy time.Time
}

// warning is how long before the end of a certificate somebody is to act.
const warning = 21 * 24 * time.Hour

func renewBy(leaf *x509.Certificate) time.Time {
	const part = 6
	return leaf.NotAfter.Add(-min(warning, leaf.NotAfter.Sub(leaf.NotBefore)/part)).UTC()
}

// ProblemError is what is wrong with material, and how to mend it.
type ProblemError string

// Error is the problem in words.
func (p ProblemError) Error() string { return string(p) }

func problem(format string, args ...any) error { return ProblemError(fmt.Sprintf(format, args...)) }

// Read checks a certificate with its chain, and its key, as of now. The error is a [ProblemError].
func Read(certificate, key []byte, now time.Time) (Certificate, error) {
	chain, err := parse(certificate)
	if err != nil {
		return Certificate{}, err
	}
	if err := fits(certificate, chain, key); err != nil {
		return Certificate{}, err
	}
	leaf := chain[0]
	out := Certificate{
		Leaf: encode(chain[:1]), Chain: encode(chain[1:]), Digest: digest(chain), Domains: domains(leaf),
		KeyAlgorithm: algorithm(leaf.PublicKey), NotAfter: leaf.NotAfter.UTC(), RenewBy: renewBy(leaf),
	}
	switch {
	case out.KeyAlgorithm == "":
		return out, problem("a load balancer takes RSA keys of 2048, 3072 or 4096 bits and ECDSA keys on P-256, P-384 or P-521; " +
			"have the certificate issued for one of these")
	case len(out.Domains) == 0:
		return out, problem("the certificate names no host; have it issued with the host in its alternative names")
	case now.After(leaf.NotAfter):
		return out, problem("the certificate expired at %s; renew it", leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return out, problem("the certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	case len(out.Leaf) > maxCertificate || len(out.Chain) > maxChain:
		return out, problem("the certificate or its chain is larger than ACM takes")
	}
	return out, nil
}

// DigestOf is the digest of a certificate and its chain in PEM, empty where they cannot be read.
func DigestOf(pemText string) string {
	chain, err := parse([]byte(pemText))
	if err != nil {
		return ""
	}
	return digest(chain)
}

func parse(text []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, problem("certificate %d cannot be read; write PEM as the authority gave it", len(out)+1)
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return nil, problem("there is no certificate in PEM; write the certificate, then its chain")
	}
	return out, nil
}

// fits tells whether the key belongs to the first certificate, and each one is signed by the next.
func fits(certificate []byte, chain []*x509.Certificate, key []byte) error {
	block, _ := pem.Decode(key)
	switch {
	case block == nil:
		return problem("there is no private key in PEM")
	case strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
		return problem("the private key is encrypted; ACM takes it without a passphrase only")
	case len(key) > maxKey:
		return problem("the private key has more than %d bytes, which is more than ACM takes", maxKey)
	}
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		for i, one := range chain[1:] {
			if _, err := tls.X509KeyPair(encode([]*x509.Certificate{one}), key); err == nil {
				return problem("the private key belongs to certificate %d; write that one first, then those that sign it, in their order", i+2)
			}
		}
		return problem("the private key does not belong to the certificate")
	}
	for i := range chain[1:] {
		if !bytes.Equal(chain[i].RawIssuer, chain[i+1].RawSubject) {
			return problem("certificate %d of the chain did not sign the one before it; write each after the one that it signed", i+2)
		}
	}
	return nil
}

func encode(chain []*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, one := range chain {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.Raw}))
	}
	return out.Bytes()
}

func digest(chain []*x509.Certificate) string {
	sum := sha256.New()
	for _, one := range chain {
		sum.Write(one.Raw)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// domains are the names of a certificate. A common name counts where it is a host name, as ACM has it.
func domains(leaf *x509.Certificate) []string {
	names := slices.Clone(leaf.DNSNames)
	if common := leaf.Subject.CommonName; strings.Contains(common, ".") && !strings.ContainsAny(common, " /@") {
		names = append([]string{common}, names...)
	}
	if len(names) == 0 {
		return nil
	}
	return model.SortDomains(names[0], names[1:])
}

func algorithm(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return map[int]string{2048: "RSA_2048", 3072: "RSA_3072", 4096: "RSA_4096"}[key.N.BitLen()]
	case *ecdsa.PublicKey:
		return map[string]string{"P-256": "EC_prime256v1", "P-384": "EC_secp384r1", "P-521": "EC_secp521r1"}[key.Curve.Params().Name]
	default:
		return ""
	}
}
