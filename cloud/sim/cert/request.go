package cert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Forms, lengths and the default quota of names (ACM API reference, RequestCertificate; user guide, "Quotas").
var (
	domainForm    = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]$`)
	tokenForm     = regexp.MustCompile(`^\w{1,32}$`)
	authorityForm = regexp.MustCompile(`^arn:[\w-]+:acm-pca:[\w-]*:[0-9]+:certificate-authority/[\w-]+$`)
)

const (
	maxDomain  = 253
	maxCommon  = 64
	maxNames   = 10
	tokenLasts = time.Hour
)

// requestCertificate makes a certificate that waits for its validation, or for its private authority.
func (s *Store) requestCertificate(in *sdk.RequestCertificateInput) (*sdk.RequestCertificateOutput, error) {
	if err := checkRequest(in); err != nil {
		return nil, err
	}
	tags, err := listing.Read(s.Tags, in.Tags, tagParts)
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	token := aws.ToString(in.IdempotencyToken) + " " + *in.DomainName
	if arn, again := s.requested(token); again && in.IdempotencyToken != nil {
		return &sdk.RequestCertificateOutput{CertificateArn: aws.String(arn)}, nil
	}
	c, err := s.draft(in)
	if err != nil {
		return nil, err
	}
	if s.number(c.kind) >= maxCertificates {
		return nil, wire.Errorf("LimitExceededException", "Cannot request more than %d certificates.", maxCertificates)
	}
	c.arn, c.created, c.mailed = s.newARN(), s.account.Now(), s.account.Now()
	s.certificates.Put(c.arn, c)
	s.Tags.Put(c.arn, tags)
	s.tokens[token] = request{c.arn, c.created}
	return &sdk.RequestCertificateOutput{CertificateArn: aws.String(c.arn)}, nil
}

// requested gives the certificate that a token made within the hour.
func (s *Store) requested(token string) (string, bool) {
	r, ok := s.tokens[token]
	if !ok || s.account.Now().Sub(r.at) > tokenLasts {
		return "", false
	}
	_, exists := s.certificates.Get(r.arn)
	return r.arn, exists
}

func checkRequest(in *sdk.RequestCertificateInput) error {
	if domain := aws.ToString(in.DomainName); len(domain) > maxCommon {
		return refused("The domain name '%s' has more than %d characters; only an alternative name may.", domain, maxCommon)
	}
	for _, name := range slices.Concat([]string{aws.ToString(in.DomainName)}, in.SubjectAlternativeNames) {
		if len(name) > maxDomain || !domainForm.MatchString(name) {
			return refused("1 validation error detected: Value '%s' at 'domainName' failed to satisfy constraint: "+
				"Member must satisfy regular expression pattern: a domain name", name)
		}
	}
	if in.IdempotencyToken != nil && !tokenForm.MatchString(*in.IdempotencyToken) {
		return refused("1 validation error detected: Value '%s' at 'idempotencyToken' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: \\w+", *in.IdempotencyToken)
	}
	if in.CertificateAuthorityArn != nil && !authorityForm.MatchString(*in.CertificateAuthorityArn) {
		return wire.Errorf("InvalidArnException", "The certificate authority ARN '%s' is not valid.", *in.CertificateAuthorityArn)
	}
	return nil
}

// draft makes the certificate that was asked for, without ARN and times.
func (s *Store) draft(in *sdk.RequestCertificateInput) (*certificate, error) {
	c := &certificate{
		kind: acmtypes.CertificateTypeAmazonIssued, domain: *in.DomainName, key: in.KeyAlgorithm, method: in.ValidationMethod,
		authority: aws.ToString(in.CertificateAuthorityArn), managed: in.ManagedBy, export: acmtypes.CertificateExportDisabled,
	}
	c.names = append(c.names, c.domain)
	for _, n := range slices.Sorted(slices.Values(in.SubjectAlternativeNames)) {
		if !slices.Contains(c.names, n) {
			c.names = append(c.names, n)
		}
	}
	if len(c.names) > maxNames {
		return nil, wire.Errorf("LimitExceededException", "A certificate can have at most %d names.", maxNames)
	}
	if c.authority != "" {
		c.kind, c.method = acmtypes.CertificateTypePrivate, ""
	}
	if c.key == "" {
		c.key = acmtypes.KeyAlgorithmRsa2048
	}
	if in.Options != nil && in.Options.Export != "" {
		c.export = in.Options.Export
	}
	if c.authority == "" && c.method == "" {
		c.method = acmtypes.ValidationMethodEmail
	}
	if err := s.readContacts(c, in.DomainValidationOptions); err != nil {
		return nil, err
	}
	return c, s.checkDraft(c)
}

// checkDraft refuses what ACM does not issue; of some domains it says so only later, in the status.
func (s *Store) checkDraft(c *certificate) error {
	issued := []acmtypes.KeyAlgorithm{acmtypes.KeyAlgorithmRsa2048, acmtypes.KeyAlgorithmEcPrime256v1, acmtypes.KeyAlgorithmEcSecp384r1}
	if !slices.Contains(issued, c.key) {
		return refused("The key algorithm %s is not supported for certificates that ACM issues.", c.key)
	}
	if (c.method == acmtypes.ValidationMethodHttp) != (c.managed != "") {
		return refused("HTTP validation is for certificates that CloudFront manages, and the only one for them.")
	}
	for _, n := range c.names {
		last := n[strings.LastIndex(n, ".")+1:]
		if c.kind == acmtypes.CertificateTypeAmazonIssued && slices.Contains([]string{"local", "internal", "localhost", "invalid", "test"}, last) {
			c.failure = acmtypes.FailureReasonInvalidPublicDomain
		}
	}
	if c.authority != "" && !strings.HasPrefix(c.authority, s.account.ARN("acm-pca", "certificate-authority/")) {
		c.failure = acmtypes.FailureReasonPcaInvalidArn
	}
	return nil
}

// readContacts takes the domains whose owners are to be asked: each of the certificate's names, or what is above it.
func (s *Store) readContacts(c *certificate, options []acmtypes.DomainValidationOption) error {
	c.contacts = map[string]string{}
	for _, o := range options {
		name, above := aws.ToString(o.DomainName), aws.ToString(o.ValidationDomain)
		if !slices.Contains(c.names, name) || !covers(above, name) {
			return wire.Errorf("InvalidDomainValidationOptionsException", "'%s' cannot be the validation domain of '%s'.", above, name)
		}
		c.contacts[name] = above
	}
	return nil
}

// covers reports whether a domain is a name or above it.
func covers(above, name string) bool {
	base := strings.TrimPrefix(name, "*.")
	return above == base || above != "" && strings.HasSuffix(base, "."+above)
}

// proof is the CNAME record that proves a name to be one's own: the same for all certificates of an account, and for a name with wildcard.
func (s *Store) proof(name string) *acmtypes.ResourceRecord {
	base := strings.ToLower(strings.TrimPrefix(name, "*."))
	sum := sha256.Sum256([]byte(s.account.ID + " " + base))
	text := hex.EncodeToString(sum[:])
	return &acmtypes.ResourceRecord{
		Name: aws.String("_" + text[:32] + "." + base + "."), Type: acmtypes.RecordTypeCname,
		Value: aws.String("_" + text[32:] + ".acm-validations.aws."),
	}
}

// validation gives how far each name is, and what its owner would have to publish.
func (s *Store) validation(c *certificate) []acmtypes.DomainValidation {
	if c.kind != acmtypes.CertificateTypeAmazonIssued {
		return nil
	}
	all := make([]acmtypes.DomainValidation, 0, len(c.names))
	for _, n := range c.names {
		v := acmtypes.DomainValidation{
			DomainName: aws.String(n), ValidationDomain: aws.String(strings.TrimPrefix(n, "*.")), ValidationMethod: c.method,
			ValidationStatus: s.progress(c, n),
		}
		if above, ok := c.contacts[n]; ok {
			v.ValidationDomain = aws.String(above)
		}
		switch c.method {
		case acmtypes.ValidationMethodDns:
			v.ResourceRecord = s.proof(n)
		case acmtypes.ValidationMethodEmail:
			for _, who := range []string{"admin", "administrator", "hostmaster", "postmaster", "webmaster"} {
				v.ValidationEmails = append(v.ValidationEmails, who+"@"+*v.ValidationDomain)
			}
		case acmtypes.ValidationMethodHttp: // CloudFront publishes what proves these
		}
		all = append(all, v)
	}
	return all
}

func (s *Store) progress(c *certificate, name string) acmtypes.DomainStatus {
	switch {
	case c.material != nil || c.method == acmtypes.ValidationMethodDns && s.found(name):
		return acmtypes.DomainStatusSuccess
	case c.failure != "" || s.late(c):
		return acmtypes.DomainStatusFailed
	default:
		return acmtypes.DomainStatusPendingValidation
	}
}
