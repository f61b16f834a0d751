package cert

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

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
		KeyAlgorithm: c.key, CreatedAt: aws.Time(c.created), InUseBy: s.usedBy(c.arn), RenewalEligibility: acmtypes.RenewalEligibilityIneligible,
		DomainValidationOptions: s.validation(c), Options: &acmtypes.CertificateOptions{Export: acmtypes.CertificateExportDisabled},
	}
	if d.InUseBy == nil {
		d.InUseBy = []string{}
	}
	if c.leaf != nil {
		d.NotBefore, d.NotAfter, d.ImportedAt = aws.Time(c.leaf.NotBefore), aws.Time(c.leaf.NotAfter), aws.Time(c.imported)
		d.Serial, d.Subject, d.Issuer = aws.String(c.leaf.SerialNumber.Text(16)), aws.String(c.leaf.Subject.String()), aws.String(c.leaf.Issuer.CommonName)
		d.SignatureAlgorithm = aws.String(strings.ReplaceAll(strings.ToUpper(c.leaf.SignatureAlgorithm.String()), "-", "WITH"))
	}
	return d
}

func (s *Store) getCertificate(in *sdk.GetCertificateInput) (*sdk.GetCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if c.leaf == nil {
		return nil, wire.Errorf("RequestInProgressException", "The certificate is not issued yet.")
	}
	out := &sdk.GetCertificateOutput{Certificate: aws.String(c.body)}
	if c.chain != "" {
		out.CertificateChain = aws.String(c.chain)
	}
	return out, nil
}

const (
	mostItems = 1000
	// summaryNames is how many names a summary shows.
	summaryNames = 100
)

func (s *Store) listCertificates(in *sdk.ListCertificatesInput) (*sdk.ListCertificatesOutput, error) {
	var all []acmtypes.CertificateSummary
	for _, c := range s.certificates.All() {
		if s.listed(c, in) {
			all = append(all, s.summary(c))
		}
	}
	start, size := 0, mostItems
	if in.MaxItems != nil {
		if size = int(*in.MaxItems); size < 1 || size > mostItems {
			return nil, wire.Errorf("InvalidArgsException", "MaxItems must be between 1 and %d.", mostItems)
		}
	}
	if in.NextToken != nil {
		raw, err := base64.RawURLEncoding.DecodeString(*in.NextToken)
		if err == nil {
			start, err = strconv.Atoi(string(raw))
		}
		if err != nil || start < 0 || start > len(all) {
			return nil, wire.Errorf("InvalidArgsException", "The next token is not valid.")
		}
	}
	end := min(start+size, len(all))
	out := &sdk.ListCertificatesOutput{CertificateSummaryList: append([]acmtypes.CertificateSummary{}, all[start:end]...)}
	if end < len(all) {
		out.NextToken = aws.String(base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end))))
	}
	return out, nil
}

// listed holds the filters. Without key types only RSA with 1024 and 2048 bits is listed.
func (s *Store) listed(c *certificate, in *sdk.ListCertificatesInput) bool {
	if in.CertificateStatuses != nil && !slices.Contains(in.CertificateStatuses, s.status(c)) {
		return false
	}
	keys := []acmtypes.KeyAlgorithm{acmtypes.KeyAlgorithmRsa1024, acmtypes.KeyAlgorithmRsa2048}
	if in.Includes != nil && len(in.Includes.KeyTypes) > 0 {
		keys = in.Includes.KeyTypes
	}
	return slices.Contains(keys, c.key)
}

func (s *Store) summary(c *certificate) acmtypes.CertificateSummary {
	shown := c.names[:min(len(c.names), summaryNames)]
	out := acmtypes.CertificateSummary{
		CertificateArn: aws.String(c.arn), DomainName: aws.String(c.domain), SubjectAlternativeNameSummaries: shown,
		HasAdditionalSubjectAlternativeNames: aws.Bool(len(shown) < len(c.names)), Status: s.status(c), Type: c.kind, KeyAlgorithm: c.key,
		InUse: aws.Bool(len(s.usedBy(c.arn)) > 0), CreatedAt: aws.Time(c.created), RenewalEligibility: acmtypes.RenewalEligibilityIneligible,
	}
	if c.leaf != nil {
		out.NotBefore, out.NotAfter, out.ImportedAt = aws.Time(c.leaf.NotBefore), aws.Time(c.leaf.NotAfter), aws.Time(c.imported)
	}
	return out
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
	return &sdk.DeleteCertificateOutput{}, nil
}
