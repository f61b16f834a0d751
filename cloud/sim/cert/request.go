package cert

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

const maxNames = 100

// requestCertificate makes a certificate that waits for its validation, which nobody gives here.
func (s *Store) requestCertificate(in *sdk.RequestCertificateInput) (*sdk.RequestCertificateOutput, error) {
	domain := aws.ToString(in.DomainName)
	if domain == "" || len(domain) > 253 || !strings.Contains(domain, ".") {
		return nil, wire.Errorf("InvalidDomainValidationOptionsException", "The domain name '%s' is not valid.", domain)
	}
	if len(in.SubjectAlternativeNames) > maxNames {
		return nil, wire.Errorf("LimitExceededException", "A certificate can have at most %d names.", maxNames)
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.IdempotencyToken)
	if arn, again := s.tokens[token+" "+domain]; again && token != "" {
		return &sdk.RequestCertificateOutput{CertificateArn: aws.String(arn)}, nil
	}
	c := &certificate{
		arn: s.account.ARN("acm", "certificate/"+s.account.UUID()), kind: acmtypes.CertificateTypeAmazonIssued, domain: domain,
		names: slices.Concat([]string{domain}, in.SubjectAlternativeNames), key: in.KeyAlgorithm, created: s.account.Now(), tags: tags,
		method: in.ValidationMethod,
	}
	slices.Sort(c.names[1:])
	c.names = slices.Compact(c.names)
	if c.key == "" {
		c.key = acmtypes.KeyAlgorithmRsa2048
	}
	if c.method == "" {
		c.method = acmtypes.ValidationMethodEmail
	}
	s.certificates.Put(c.arn, c)
	s.tokens[token+" "+domain] = c.arn
	return &sdk.RequestCertificateOutput{CertificateArn: aws.String(c.arn)}, nil
}

// validation gives what the owner of a domain would have to publish.
func (s *Store) validation(c *certificate) []acmtypes.DomainValidation {
	if c.kind == acmtypes.CertificateTypeImported {
		return nil
	}
	all := make([]acmtypes.DomainValidation, 0, len(c.names))
	for _, n := range c.names {
		v := acmtypes.DomainValidation{
			DomainName: aws.String(n), ValidationDomain: aws.String(n), ValidationMethod: c.method, ValidationStatus: acmtypes.DomainStatusPendingValidation,
		}
		if c.method == acmtypes.ValidationMethodDns {
			_, id, _ := strings.Cut(c.arn, "certificate/")
			label := "_" + strings.ReplaceAll(id, "-", "")
			v.ResourceRecord = &acmtypes.ResourceRecord{
				Name: aws.String(label + "." + strings.TrimPrefix(n, "*.") + "."), Type: acmtypes.RecordTypeCname,
				Value: aws.String(label + ".acm-validations.aws."),
			}
		}
		all = append(all, v)
	}
	return all
}
