package cert

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *Store) wrongState(c *certificate, what string) error {
	return wire.Errorf("InvalidStateException", "Certificate %s is %s and of type %s: %s", c.arn, s.status(c), c.kind, what)
}

// renewCertificate renews a certificate at once, if ACM would renew it by itself later.
func (s *Store) renewCertificate(in *sdk.RenewCertificateInput) (*sdk.RenewCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if c.material == nil && c.failure == "" {
		return nil, wire.Errorf("RequestInProgressException", "The certificate %s is not issued yet.", c.arn)
	}
	if !s.renewable(c) {
		return nil, refused("Certificate %s is not eligible for renewal.", c.arn)
	}
	c.renewed = s.account.Now()
	s.issue(c, c.renewed)
	return &sdk.RenewCertificateOutput{}, nil
}

// updateOptions moves a certificate from validation by mail to validation by DNS; whether it can be exported stays.
func (s *Store) updateOptions(in *sdk.UpdateCertificateOptionsInput) (*sdk.UpdateCertificateOptionsOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if in.Options == nil {
		return nil, refused("Options must be given.")
	}
	alive := []acmtypes.CertificateStatus{acmtypes.CertificateStatusIssued, acmtypes.CertificateStatusPendingValidation}
	if c.kind != acmtypes.CertificateTypeAmazonIssued || !slices.Contains(alive, s.status(c)) {
		return nil, s.wrongState(c, "its options cannot be changed.")
	}
	o := in.Options
	switch {
	case o.Export != "" && o.Export != c.export:
		return nil, refused("The export option of a certificate cannot be changed after it was requested.")
	case o.ValidationMethod != "" && o.ValidationMethod != acmtypes.ValidationMethodDns && o.ValidationMethod != c.method:
		return nil, refused("A certificate can be moved to validation by DNS only.")
	}
	if o.ValidationMethod != "" {
		c.method = o.ValidationMethod
	}
	return &sdk.UpdateCertificateOptionsOutput{}, nil
}

// resendEmail asks the owner once more, within three days of the last time.
func (s *Store) resendEmail(in *sdk.ResendValidationEmailInput) (*sdk.ResendValidationEmailOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if c.method != acmtypes.ValidationMethodEmail || s.status(c) != acmtypes.CertificateStatusPendingValidation {
		return nil, s.wrongState(c, "no mail can be sent.")
	}
	domain, above := aws.ToString(in.Domain), aws.ToString(in.ValidationDomain)
	if !slices.Contains(c.names, domain) || !covers(above, domain) {
		return nil, wire.Errorf("InvalidDomainValidationOptionsException", "'%s' cannot be the validation domain of '%s'.", above, domain)
	}
	if s.account.Now().After(c.mailed.Add(s.account.Scale(patience))) {
		return nil, s.wrongState(c, "the time to send mail is over.")
	}
	c.mailed, c.contacts[domain] = s.account.Now(), above
	return &sdk.ResendValidationEmailOutput{}, nil
}

// maxExpiryDays is the longest notice, and the default (ACM API reference, ExpiryEventsConfiguration).
const maxExpiryDays = 45

func (s *Store) getConfiguration(*sdk.GetAccountConfigurationInput) (*sdk.GetAccountConfigurationOutput, error) {
	return &sdk.GetAccountConfigurationOutput{ExpiryEvents: &acmtypes.ExpiryEventsConfiguration{DaysBeforeExpiry: aws.Int32(s.expiry)}}, nil
}

func (s *Store) putConfiguration(in *sdk.PutAccountConfigurationInput) (*sdk.PutAccountConfigurationOutput, error) {
	if !tokenForm.MatchString(aws.ToString(in.IdempotencyToken)) {
		return nil, refused("The idempotency token must have 1 to 32 letters, digits and underscores.")
	}
	if in.ExpiryEvents == nil || in.ExpiryEvents.DaysBeforeExpiry == nil {
		return &sdk.PutAccountConfigurationOutput{}, nil
	}
	days := *in.ExpiryEvents.DaysBeforeExpiry
	if days < 1 || days > maxExpiryDays {
		return nil, refused("The days before expiry must be between 1 and %d.", maxExpiryDays)
	}
	s.expiry = days
	return &sdk.PutAccountConfigurationOutput{}, nil
}
