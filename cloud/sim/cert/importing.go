package cert

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// Sizes in bytes (ACM API reference, ImportCertificate), and the default quota of imported certificates.
const (
	maxCertificate  = 32768
	maxKey          = 5120
	maxChain        = 2097152
	maxCertificates = 2500
)

func refused(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

func (s *Store) importCertificate(in *sdk.ImportCertificateInput) (*sdk.ImportCertificateOutput, error) {
	c, err := s.parse(in)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if in.CertificateArn != nil {
		return s.importAgain(in, c)
	}
	if s.certificates.Len() >= maxCertificates {
		return nil, wire.Errorf("LimitExceededException", "Cannot import more than %d certificates.", maxCertificates)
	}
	c.arn, c.tags, c.created = s.account.ARN("acm", "certificate/"+s.account.UUID()), tags, s.account.Now()
	s.certificates.Put(c.arn, c)
	return &sdk.ImportCertificateOutput{CertificateArn: aws.String(c.arn)}, nil
}

// importAgain replaces the material of an imported certificate; its ARN and tags stay.
func (s *Store) importAgain(in *sdk.ImportCertificateInput, c *certificate) (*sdk.ImportCertificateOutput, error) {
	if in.Tags != nil {
		return nil, wire.Errorf("InvalidParameterException", "Tags cannot be specified when you reimport a certificate.")
	}
	old, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if old.kind != acmtypes.CertificateTypeImported {
		return nil, refused("Only imported certificates can be reimported.")
	}
	if old.key != c.key {
		return nil, refused("The key algorithm of a reimported certificate must stay %s.", old.key)
	}
	if !slices.ContainsFunc(c.names, func(n string) bool { return slices.Contains(old.names, n) }) {
		return nil, refused("A reimported certificate must keep at least one of its domain names.")
	}
	c.arn, c.tags, c.created = old.arn, old.tags, old.created
	s.certificates.Put(c.arn, c)
	return &sdk.ImportCertificateOutput{CertificateArn: aws.String(c.arn)}, nil
}

// parse checks certificate, key and chain.
func (s *Store) parse(in *sdk.ImportCertificateInput) (*certificate, error) {
	first, err := parseBlocks(in)
	if err != nil {
		return nil, err
	}
	material, err := tls.X509KeyPair(slices.Concat(in.Certificate, []byte("\n"), in.CertificateChain), in.PrivateKey)
	if err != nil {
		return nil, refused("The private key does not match the certificate, or one of them cannot be parsed.")
	}
	leaf, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return nil, refused("The certificate field contains an invalid certificate.")
	}
	c := &certificate{
		kind: acmtypes.CertificateTypeImported, leaf: leaf, material: &material, body: string(in.Certificate), chain: string(in.CertificateChain),
		imported: s.account.Now(), names: names(leaf), key: algorithm(leaf),
	}
	if len(c.names) > 0 {
		c.domain = c.names[0]
	}
	return c, s.checkLeaf(c)
}

// parseBlocks checks the form of all three and gives the block of the certificate.
func parseBlocks(in *sdk.ImportCertificateInput) (*pem.Block, error) {
	fits := func(data []byte, most int) bool { return len(data) > 0 && len(data) <= most }
	if !fits(in.Certificate, maxCertificate) || !fits(in.PrivateKey, maxKey) || len(in.CertificateChain) > maxChain {
		return nil, wire.Errorf("InvalidParameterException", "The certificate, private key or chain is missing or too long.")
	}
	first, rest := pem.Decode(in.Certificate)
	if first == nil || first.Type != "CERTIFICATE" {
		return nil, refused("The certificate field contains an invalid PEM-encoded certificate.")
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, refused("The certificate field contains more than one certificate. You can specify only one certificate in this field.")
	}
	key, _ := pem.Decode(in.PrivateKey)
	if key == nil || strings.Contains(key.Type, "ENCRYPTED") || key.Headers["DEK-Info"] != "" {
		return nil, refused("The private key is not supported: it must be PEM-encoded and not encrypted.")
	}
	return first, checkChain(in.CertificateChain)
}

func checkChain(chain []byte) error {
	for rest := chain; len(strings.TrimSpace(string(rest))) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return refused("The certificate chain contains an invalid PEM-encoded certificate.")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return refused("The certificate chain contains an invalid certificate.")
		}
	}
	return nil
}

func (s *Store) checkLeaf(c *certificate) error {
	now := s.account.Now()
	switch {
	case now.Before(c.leaf.NotBefore):
		return refused("The certificate is not valid yet.")
	case now.After(c.leaf.NotAfter):
		return refused("The certificate has expired.")
	case c.key == "":
		return refused("The key algorithm of the certificate is not supported.")
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
