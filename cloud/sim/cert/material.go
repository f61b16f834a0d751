package cert

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"

	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
)

// Material is a certificate with its chain and key, all of which fit.
type Material struct {
	Leaf *x509.Certificate
	// Pair has the private key.
	Pair *tls.Certificate
	// Body and Chain are PEM.
	Body, Chain string
	// Names are the domain names, the common name first.
	Names []string
	// Key is how ACM names the kind of the key, or "" where ACM does not take it.
	Key acmtypes.KeyAlgorithm
}

// MaterialError says what is wrong with material.
type MaterialError struct {
	// Mismatch says that the key is not that of the certificate; else one of them cannot be read.
	Mismatch bool
	Text     string
}

// Error gives the text.
func (e *MaterialError) Error() string { return e.Text }

func unreadable(text string) error {
	return &MaterialError{Text: text}
}

// Read checks a certificate, its chain, which may be empty, and its key, all in PEM. The error is a MaterialError.
func Read(certificate, chain, key []byte) (*Material, error) {
	first, err := readBlocks(certificate, key)
	if err != nil {
		return nil, err
	}
	if err := readChain(chain); err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return nil, unreadable("The certificate field contains an invalid certificate.")
	}
	pair, err := tls.X509KeyPair(slices.Concat(certificate, []byte("\n"), chain), key)
	if err != nil {
		return nil, &MaterialError{Mismatch: true, Text: "The private key does not match the certificate, or cannot be parsed."}
	}
	return &Material{Leaf: leaf, Pair: &pair, Body: string(certificate), Chain: string(chain), Names: names(leaf), Key: algorithm(leaf)}, nil
}

// readBlocks checks the form of certificate and key and gives the block of the certificate.
func readBlocks(certificate, key []byte) (*pem.Block, error) {
	first, rest := pem.Decode(certificate)
	if first == nil || first.Type != "CERTIFICATE" {
		return nil, unreadable("The certificate field contains an invalid PEM-encoded certificate.")
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, unreadable("The certificate field contains more than one certificate. You can specify only one certificate in this field.")
	}
	secret, _ := pem.Decode(key)
	if secret == nil || strings.Contains(secret.Type, "ENCRYPTED") || secret.Headers["DEK-Info"] != "" {
		return nil, unreadable("The private key is not supported: it must be PEM-encoded and not encrypted.")
	}
	return first, nil
}

func readChain(chain []byte) error {
	for rest := chain; len(strings.TrimSpace(string(rest))) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return unreadable("The certificate chain contains an invalid PEM-encoded certificate.")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return unreadable("The certificate chain contains an invalid certificate.")
		}
	}
	return nil
}

// names gives the domain names of a certificate, the common name first.
func names(leaf *x509.Certificate) []string {
	var all []string
	for _, n := range slices.Concat([]string{leaf.Subject.CommonName}, leaf.DNSNames) {
		if n != "" && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// algorithm names the key of a certificate as ACM does. The empty string is a key that ACM does not take.
func algorithm(leaf *x509.Certificate) acmtypes.KeyAlgorithm {
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		return map[int]acmtypes.KeyAlgorithm{
			1024: acmtypes.KeyAlgorithmRsa1024, 2048: acmtypes.KeyAlgorithmRsa2048, 3072: acmtypes.KeyAlgorithmRsa3072, 4096: acmtypes.KeyAlgorithmRsa4096,
		}[key.N.BitLen()]
	case *ecdsa.PublicKey:
		return map[string]acmtypes.KeyAlgorithm{
			"P-256": acmtypes.KeyAlgorithmEcPrime256v1, "P-384": acmtypes.KeyAlgorithmEcSecp384r1, "P-521": acmtypes.KeyAlgorithmEcSecp521r1,
		}[key.Curve.Params().Name]
	default:
		return ""
	}
}

// usages names what the key of a certificate may be used for, as ACM does.
func usages(leaf *x509.Certificate) []acmtypes.KeyUsageName {
	var all []acmtypes.KeyUsageName
	for i, name := range []acmtypes.KeyUsageName{
		acmtypes.KeyUsageNameDigitalSignature, acmtypes.KeyUsageNameNonRepudation, acmtypes.KeyUsageNameKeyEncipherment,
		acmtypes.KeyUsageNameDataEncipherment, acmtypes.KeyUsageNameKeyAgreement, acmtypes.KeyUsageNameCertificateSigning,
		acmtypes.KeyUsageNameCrlSigning, acmtypes.KeyUsageNameEnchiperOnly, acmtypes.KeyUsageNameDecipherOnly,
	} {
		if leaf.KeyUsage&(1<<i) != 0 {
			all = append(all, name)
		}
	}
	return all
}

// extended names what a certificate may be used for, as ACM does, with the object identifiers.
func extended(leaf *x509.Certificate) []acmtypes.ExtendedKeyUsage {
	known := map[x509.ExtKeyUsage]acmtypes.ExtendedKeyUsage{}
	for i, one := range map[x509.ExtKeyUsage][2]string{
		x509.ExtKeyUsageAny:             {string(acmtypes.ExtendedKeyUsageNameAny), "2.5.29.37.0"},
		x509.ExtKeyUsageServerAuth:      {string(acmtypes.ExtendedKeyUsageNameTlsWebServerAuthentication), "1.3.6.1.5.5.7.3.1"},
		x509.ExtKeyUsageClientAuth:      {string(acmtypes.ExtendedKeyUsageNameTlsWebClientAuthentication), "1.3.6.1.5.5.7.3.2"},
		x509.ExtKeyUsageCodeSigning:     {string(acmtypes.ExtendedKeyUsageNameCodeSigning), "1.3.6.1.5.5.7.3.3"},
		x509.ExtKeyUsageEmailProtection: {string(acmtypes.ExtendedKeyUsageNameEmailProtection), "1.3.6.1.5.5.7.3.4"},
		x509.ExtKeyUsageTimeStamping:    {string(acmtypes.ExtendedKeyUsageNameTimeStamping), "1.3.6.1.5.5.7.3.8"},
		x509.ExtKeyUsageOCSPSigning:     {string(acmtypes.ExtendedKeyUsageNameOcspSigning), "1.3.6.1.5.5.7.3.9"},
	} {
		known[i] = acmtypes.ExtendedKeyUsage{Name: acmtypes.ExtendedKeyUsageName(one[0]), OID: new(one[1])}
	}
	var all []acmtypes.ExtendedKeyUsage
	for _, u := range leaf.ExtKeyUsage {
		if named, ok := known[u]; ok {
			all = append(all, named)
		}
	}
	for _, u := range leaf.UnknownExtKeyUsage {
		all = append(all, acmtypes.ExtendedKeyUsage{Name: acmtypes.ExtendedKeyUsageNameCustom, OID: new(u.String())})
	}
	return all
}
