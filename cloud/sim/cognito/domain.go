package cognito

import (
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (p *Pools) domainOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateUserPoolDomain", p.createDomain), wire.Reads("DescribeUserPoolDomain", p.describeDomain),
		wire.Writes("DeleteUserPoolDomain", p.deleteDomain),
	}
}

// domain is where the users of a pool sign in: a prefix below amazoncognito.com, or a domain of one's own with a certificate.
type domain struct {
	name, pool, certificate, distribution string
	created                               time.Time
	login                                 *int32
}

func (d *domain) custom() bool { return d.certificate != "" }

// Forms of domains, and how long a custom one takes until it works (Cognito developer guide, "Configuring a user pool domain": up to an hour).
var (
	prefixForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$`)
	customForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?(\.[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?)+$`)
	usEast     = regexp.MustCompile(`^arn:[\w\-]+:acm:us-east-1:[0-9]+:certificate/[\w\-]+$`)
)

const distributing = 15 * time.Minute

func (p *Pools) createDomain(in *sdk.CreateUserPoolDomainInput) (*sdk.CreateUserPoolDomainOutput, error) {
	held, err := p.find(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	d := &domain{name: aws.ToString(in.Domain), pool: *held.shape.Id, created: p.account.Now(), login: in.ManagedLoginVersion}
	if in.CustomDomainConfig != nil {
		if d.certificate = aws.ToString(in.CustomDomainConfig.CertificateArn); !usEast.MatchString(d.certificate) {
			return nil, invalid("Custom domain needs a certificate of us-east-1, not '%s'.", d.certificate)
		}
	}
	if err := checkDomain(d); err != nil {
		return nil, err
	}
	if _, taken := p.domains.Get(d.name); taken {
		return nil, invalid("Domain already associated with another user pool.")
	}
	shown := p.show(held)
	if d.custom() && shown.CustomDomain != nil || !d.custom() && shown.Domain != nil {
		return nil, invalid("User pool already has a domain configured.")
	}
	d.distribution = "d" + p.account.Hex(13) + ".cloudfront.net"
	p.domains.Put(d.name, d)
	out := &sdk.CreateUserPoolDomainOutput{ManagedLoginVersion: d.login}
	if d.custom() {
		out.CloudFrontDomain = aws.String(d.distribution)
	}
	return out, nil
}

func checkDomain(d *domain) error {
	if d.custom() {
		if !customForm.MatchString(d.name) {
			return invalid("The custom domain '%s' is not valid.", d.name)
		}
		return nil
	}
	if !prefixForm.MatchString(d.name) {
		return invalid("The domain prefix '%s' must have 1 to 63 lower case letters, digits and hyphens, and neither begin nor end with a hyphen.", d.name)
	}
	for _, word := range []string{"aws", "amazon", "cognito"} {
		if strings.Contains(d.name, word) {
			return invalid("Domain cannot contain reserved word: %s", word)
		}
	}
	return nil
}

// showDomain gives a domain; one of one's own is not active at once.
func (p *Pools) showDomain(d *domain) *cognitotypes.DomainDescriptionType {
	shown := &cognitotypes.DomainDescriptionType{
		Domain: aws.String(d.name), UserPoolId: aws.String(d.pool), AWSAccountId: aws.String(p.account.ID), ManagedLoginVersion: d.login,
		CloudFrontDistribution: aws.String(d.distribution), Status: cognitotypes.DomainStatusTypeActive,
		Version: aws.String(d.created.UTC().Format("20060102150405")),
	}
	if d.custom() {
		shown.CustomDomainConfig = &cognitotypes.CustomDomainConfigType{CertificateArn: aws.String(d.certificate)}
		if p.account.Now().Before(d.created.Add(p.account.Scale(distributing))) {
			shown.Status = cognitotypes.DomainStatusTypeCreating
		}
	}
	return shown
}

// describeDomain answers with nothing for a domain that is not there, as AWS does.
func (p *Pools) describeDomain(in *sdk.DescribeUserPoolDomainInput) (*sdk.DescribeUserPoolDomainOutput, error) {
	name := aws.ToString(in.Domain)
	if !prefixForm.MatchString(name) && !customForm.MatchString(name) {
		return nil, invalid("The domain '%s' is not valid.", name)
	}
	d, ok := p.domains.Get(name)
	if !ok {
		return &sdk.DescribeUserPoolDomainOutput{DomainDescription: &cognitotypes.DomainDescriptionType{}}, nil
	}
	return &sdk.DescribeUserPoolDomainOutput{DomainDescription: p.showDomain(d)}, nil
}

func (p *Pools) deleteDomain(in *sdk.DeleteUserPoolDomainInput) (*sdk.DeleteUserPoolDomainOutput, error) {
	held, err := p.find(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	d, ok := p.domains.Get(aws.ToString(in.Domain))
	if !ok || d.pool != *held.shape.Id {
		return nil, invalid("No such domain or user pool exists.")
	}
	p.domains.Delete(d.name)
	return &sdk.DeleteUserPoolDomainOutput{}, nil
}
