package cert

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Sizes in bytes (ACM API reference, ImportCertificate), and default quotas: certificates of a kind, and imports in a year (ACM user guide, "Quotas").
const (
	maxCertificate  = 32768
	maxKey          = 5120
	maxChain        = 2097152
	maxCertificates = 2500
	maxImports      = 5000
	maxOCSP         = 1000
	year            = 365 * 24 * time.Hour
)

func refused(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

func (s *Store) importCertificate(in *sdk.ImportCertificateInput) (*sdk.ImportCertificateOutput, error) {
	m, err := s.readImport(in)
	if err != nil {
		return nil, err
	}
	tags, err := listing.Read(s.Tags, in.Tags, tagParts)
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	if in.CertificateArn != nil {
		return s.importAgain(in, m)
	}
	if err := s.checkImports(); err != nil {
		return nil, err
	}
	c := &certificate{arn: s.newARN(), kind: acmtypes.CertificateTypeImported, created: s.account.Now()}
	s.fill(c, m)
	s.certificates.Put(c.arn, c)
	s.Tags.Put(c.arn, tags)
	return &sdk.ImportCertificateOutput{CertificateArn: aws.String(c.arn)}, nil
}

func (s *Store) newARN() string { return s.account.ARN("acm", "certificate/"+s.account.UUID()) }

// fill puts imported material into a certificate.
func (s *Store) fill(c *certificate, m *Material) {
	c.material, c.imported, c.names, c.key, c.domain = m, s.account.Now(), m.Names, m.Key, ""
	if len(m.Names) > 0 {
		c.domain = m.Names[0]
	}
	s.imports = append(s.imports, s.account.Now())
}

// checkImports refuses one more certificate than an account may import, at once or in a year.
func (s *Store) checkImports() error {
	s.imports = slices.DeleteFunc(s.imports, func(t time.Time) bool { return s.account.Now().Sub(t) > year })
	if len(s.imports) >= maxImports {
		return wire.Errorf("LimitExceededException", "Cannot import more than %d certificates in a year.", maxImports)
	}
	if s.number(acmtypes.CertificateTypeImported) >= maxCertificates {
		return wire.Errorf("LimitExceededException", "Cannot import more than %d certificates.", maxCertificates)
	}
	return nil
}

// number counts the imported certificates, or those that are not.
func (s *Store) number(kind acmtypes.CertificateType) int {
	imported, number := kind == acmtypes.CertificateTypeImported, 0
	for _, c := range s.certificates.All() {
		if (c.kind == acmtypes.CertificateTypeImported) == imported {
			number++
		}
	}
	return number
}

// importAgain replaces the material of an imported certificate; its ARN and tags stay.
func (s *Store) importAgain(in *sdk.ImportCertificateInput, m *Material) (*sdk.ImportCertificateOutput, error) {
	if in.Tags != nil {
		return nil, wire.Errorf("InvalidParameterException", "Tags cannot be specified when you reimport a certificate.")
	}
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if c.kind != acmtypes.CertificateTypeImported {
		return nil, refused("Only imported certificates can be reimported.")
	}
	if c.key != m.Key {
		return nil, refused("The key algorithm of a reimported certificate must stay %s.", c.key)
	}
	if !slices.ContainsFunc(m.Names, func(n string) bool { return slices.Contains(c.names, n) }) {
		return nil, refused("A reimported certificate must keep at least one of its domain names.")
	}
	s.fill(c, m)
	return &sdk.ImportCertificateOutput{CertificateArn: aws.String(c.arn)}, nil
}

// readImport checks certificate, key and chain.
func (s *Store) readImport(in *sdk.ImportCertificateInput) (*Material, error) {
	fits := func(data []byte, most int) bool { return len(data) > 0 && len(data) <= most }
	if !fits(in.Certificate, maxCertificate) || !fits(in.PrivateKey, maxKey) || len(in.CertificateChain) > maxChain {
		return nil, wire.Errorf("InvalidParameterException", "The certificate, private key or chain is missing or too long.")
	}
	m, err := Read(in.Certificate, in.CertificateChain, in.PrivateKey)
	if err != nil {
		if fault, ok := errors.AsType[*MaterialError](err); ok {
			return nil, refused("%s", fault.Text)
		}
		return nil, err
	}
	now := s.account.Now()
	switch {
	case now.Before(m.Leaf.NotBefore):
		return nil, refused("The certificate is not valid yet.")
	case now.After(m.Leaf.NotAfter):
		return nil, refused("The certificate has expired.")
	case m.Key == "":
		return nil, refused("The key algorithm of the certificate is not supported.")
	case m.Leaf.Issuer.String() == "":
		return nil, refused("The issuer of the certificate is empty.")
	case slices.ContainsFunc(m.Leaf.OCSPServer, func(url string) bool { return len(url) > maxOCSP }):
		return nil, refused("The OCSP authority URL of the certificate is longer than %d characters.", maxOCSP)
	}
	return m, nil
}
