package cert

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *Store) describeCertificate(in *sdk.DescribeCertificateInput) (*sdk.DescribeCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeCertificateOutput{Certificate: s.detail(c)}, nil
}

func (s *Store) detail(c *certificate) *acmtypes.CertificateDetail {
	d := &acmtypes.CertificateDetail{
		CertificateArn: aws.String(c.arn), DomainName: aws.String(c.domain), SubjectAlternativeNames: c.names, Type: c.kind, Status: s.status(c),
		KeyAlgorithm: c.key, CreatedAt: aws.Time(c.created), InUseBy: append([]string{}, s.usedBy(c.arn)...), RenewalEligibility: s.eligibility(c),
		DomainValidationOptions: s.validation(c), FailureReason: c.failure, ManagedBy: c.managed, CertificateKeyPairOrigin: origin(c),
	}
	if c.authority != "" {
		d.CertificateAuthorityArn = aws.String(c.authority)
	}
	if c.kind != acmtypes.CertificateTypeImported {
		d.Options = &acmtypes.CertificateOptions{Export: c.export, ValidationMethod: c.method}
	}
	if !c.renewed.IsZero() {
		d.RenewalSummary = &acmtypes.RenewalSummary{
			RenewalStatus: acmtypes.RenewalStatusSuccess, UpdatedAt: aws.Time(c.renewed), DomainValidationOptions: s.validation(c),
		}
	}
	d.ImportedAt, d.IssuedAt = moment(c.imported), moment(c.issued)
	if c.material != nil {
		describeLeaf(d, c.material.Leaf)
	}
	return d
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func describeLeaf(d *acmtypes.CertificateDetail, leaf *x509.Certificate) {
	d.NotBefore, d.NotAfter = aws.Time(leaf.NotBefore), aws.Time(leaf.NotAfter)
	d.Serial, d.Subject, d.Issuer = aws.String(colons(leaf.SerialNumber.Bytes())), aws.String(leaf.Subject.String()), aws.String(leaf.Issuer.CommonName)
	d.SignatureAlgorithm = aws.String(strings.ReplaceAll(strings.ToUpper(leaf.SignatureAlgorithm.String()), "-", "WITH"))
	for _, u := range usages(leaf) {
		d.KeyUsages = append(d.KeyUsages, acmtypes.KeyUsage{Name: u})
	}
	d.ExtendedKeyUsages = extended(leaf)
}

// colons writes a serial number as ACM does: 0a:1b:2c.
func colons(number []byte) string {
	parts := make([]string, 0, len(number))
	for _, b := range number {
		parts = append(parts, fmt.Sprintf("%02x", b))
	}
	return strings.Join(parts, ":")
}

func (s *Store) eligibility(c *certificate) acmtypes.RenewalEligibility {
	if s.eligible(c) {
		return acmtypes.RenewalEligibilityEligible
	}
	return acmtypes.RenewalEligibilityIneligible
}

// origin says who made the key.
func origin(c *certificate) acmtypes.CertificateKeyPairOrigin {
	if c.kind == acmtypes.CertificateTypeImported {
		return acmtypes.CertificateKeyPairOriginCustomerProvided
	}
	return acmtypes.CertificateKeyPairOriginAwsManaged
}

func (s *Store) getCertificate(in *sdk.GetCertificateInput) (*sdk.GetCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if c.material == nil {
		return nil, wire.Errorf("RequestInProgressException", "The certificate is not issued yet.")
	}
	out := &sdk.GetCertificateOutput{Certificate: aws.String(c.material.Body)}
	if c.material.Chain != "" {
		out.CertificateChain = aws.String(c.material.Chain)
	}
	return out, nil
}

func (s *Store) deleteCertificate(in *sdk.DeleteCertificateInput) (*sdk.DeleteCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if len(s.usedBy(c.arn)) > 0 {
		return nil, wire.Errorf("ResourceInUseException", "Certificate %s in account %s is in use.", c.arn, s.account.ID)
	}
	s.certificates.Delete(c.arn)
	s.Tags.Drop(c.arn)
	return &sdk.DeleteCertificateOutput{}, nil
}
