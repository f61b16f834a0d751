// Package cognito simulates Cognito user pools as far as a load balancer signs users in with them: pools, app clients and domains, without
// users. It may import the SDK's shapes and the simulator's wire, account, table and listing packages. Its invariant: the secret of a client
// is shown where AWS shows it, by CreateUserPoolClient and DescribeUserPoolClient, and given to the load balancer; nowhere else.
package cognito

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Pools are the user pools of the account.
type Pools struct {
	// Tags are those of pools.
	Tags *listing.Tags

	account *account.Account
	pools   table.Table[*pool]
	domains table.Table[*domain]
}

type pool struct {
	shape   cognitotypes.UserPoolType
	clients table.Table[*cognitotypes.UserPoolClientType]
}

// New makes an account without user pools.
func New(a *account.Account) *Pools {
	const code = "InvalidParameterException"
	return &Pools{Tags: listing.NewTags(listing.Codes{Invalid: code, TooMany: code}), account: a}
}

// Service gives the Cognito user pools API.
func (p *Pools) Service() wire.Service {
	return wire.Service{
		Name: "cognito-idp", Target: "AWSCognitoIdentityProviderService", Protocol: wire.JSON{Invalid: "InvalidParameterException"},
		Operations: wire.Table(slices.Concat(p.poolOperations(), p.clientOperations(), p.domainOperations())...),
	}
}

func (p *Pools) poolOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateUserPool", p.createPool), wire.Reads("DescribeUserPool", p.describePool), wire.Writes("DeleteUserPool", p.deletePool),
		wire.Reads("ListUserPools", p.listPools), wire.Writes("UpdateUserPool", p.updatePool),
		wire.Writes("TagResource", p.tagResource), wire.Writes("UntagResource", p.untagResource), wire.Reads("ListTagsForResource", p.listTags),
	}
}

// Dump gives everything that the service holds but the secrets of clients, in the shapes of the API.
func (p *Pools) Dump() any {
	var out struct {
		UserPools       []cognitotypes.UserPoolType
		UserPoolClients []cognitotypes.UserPoolClientType
		Domains         []*cognitotypes.DomainDescriptionType
	}
	for _, held := range p.pools.All() {
		out.UserPools = append(out.UserPools, p.show(held))
		for _, c := range held.clients.All() {
			shown := *c
			shown.ClientSecret = nil
			out.UserPoolClients = append(out.UserPoolClients, shown)
		}
	}
	for _, d := range p.domains.All() {
		out.Domains = append(out.Domains, p.showDomain(d))
	}
	return out
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

func missing(format string, args ...any) error {
	return wire.Errorf("ResourceNotFoundException", format, args...)
}

// Forms and default quotas (Cognito user pools API reference; developer guide, "Quotas").
var (
	poolName = regexp.MustCompile(`^[\w\s+=,.@-]{1,128}$`)
	poolID   = regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`)
)

const (
	maxPools        = 1000
	shortestMinimum = 6
	longestMinimum  = 99
	defaultMinimum  = 8
	defaultDays     = 7
)

func (p *Pools) createPool(in *sdk.CreateUserPoolInput) (*sdk.CreateUserPoolOutput, error) {
	if !poolName.MatchString(aws.ToString(in.PoolName)) {
		return nil, invalid("1 validation error detected: Value '%s' at 'poolName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\w\\s+=,.@-]+", aws.ToString(in.PoolName))
	}
	policies, err := readPolicies(in.Policies)
	if err != nil {
		return nil, err
	}
	if p.pools.Len() >= maxPools {
		return nil, wire.Errorf("LimitExceededException", "Exceeded maximum number of user pools: %d.", maxPools)
	}
	id := p.account.Region + "_" + p.account.Hex(9)
	made := &pool{shape: cognitotypes.UserPoolType{
		Id: aws.String(id), Arn: aws.String(p.account.ARN("cognito-idp", "userpool/"+id)), Name: in.PoolName, CreationDate: aws.Time(p.account.Now()),
		LastModifiedDate: aws.Time(p.account.Now()), DeletionProtection: in.DeletionProtection, MfaConfiguration: in.MfaConfiguration, Policies: policies,
		AliasAttributes: in.AliasAttributes, AutoVerifiedAttributes: in.AutoVerifiedAttributes, UsernameAttributes: in.UsernameAttributes,
		UsernameConfiguration: in.UsernameConfiguration, AccountRecoverySetting: in.AccountRecoverySetting, SchemaAttributes: in.Schema,
		AdminCreateUserConfig: in.AdminCreateUserConfig, LambdaConfig: in.LambdaConfig, UserPoolTier: in.UserPoolTier,
	}}
	or(&made.shape.DeletionProtection, cognitotypes.DeletionProtectionTypeInactive)
	or(&made.shape.MfaConfiguration, cognitotypes.UserPoolMfaTypeOff)
	or(&made.shape.UserPoolTier, cognitotypes.UserPoolTierTypeEssentials)
	p.Tags.Put(*made.shape.Arn, nil)
	if _, err := p.Tags.Tag(*made.shape.Arn, in.UserPoolTags); err != nil {
		p.Tags.Drop(*made.shape.Arn)
		return nil, fmt.Errorf("tagging the user pool: %w", err)
	}
	p.pools.Put(id, made)
	return &sdk.CreateUserPoolOutput{UserPool: new(p.show(made))}, nil
}

// or fills in a default.
func or[T ~string](value *T, fallback T) {
	if *value == "" {
		*value = fallback
	}
}

// readPolicies fills in the password policy of AWS.
func readPolicies(in *cognitotypes.UserPoolPolicyType) (*cognitotypes.UserPoolPolicyType, error) {
	if in == nil || in.PasswordPolicy == nil {
		return &cognitotypes.UserPoolPolicyType{PasswordPolicy: &cognitotypes.PasswordPolicyType{
			MinimumLength: aws.Int32(defaultMinimum), RequireLowercase: true, RequireUppercase: true, RequireNumbers: true, RequireSymbols: true,
			TemporaryPasswordValidityDays: defaultDays,
		}}, nil
	}
	if n := in.PasswordPolicy.MinimumLength; n != nil && (*n < shortestMinimum || *n > longestMinimum) {
		return nil, invalid("The minimum length of passwords must be between %d and %d.", shortestMinimum, longestMinimum)
	}
	return in, nil
}

// show gives a pool with its domains and tags.
func (p *Pools) show(held *pool) cognitotypes.UserPoolType {
	shown := held.shape
	shown.UserPoolTags = p.Tags.Of(*shown.Arn)
	for _, d := range p.domains.All() {
		switch {
		case d.pool != *shown.Id:
		case d.custom():
			shown.CustomDomain = aws.String(d.name)
		default:
			shown.Domain = aws.String(d.name)
		}
	}
	return shown
}

func (p *Pools) find(id *string) (*pool, error) {
	if !poolID.MatchString(aws.ToString(id)) {
		return nil, invalid("1 validation error detected: Value '%s' at 'userPoolId' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+", aws.ToString(id))
	}
	held, ok := p.pools.Get(*id)
	if !ok {
		return nil, missing("User pool %s does not exist.", *id)
	}
	return held, nil
}

func (p *Pools) describePool(in *sdk.DescribeUserPoolInput) (*sdk.DescribeUserPoolOutput, error) {
	held, err := p.find(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeUserPoolOutput{UserPool: new(p.show(held))}, nil
}

func (p *Pools) deletePool(in *sdk.DeleteUserPoolInput) (*sdk.DeleteUserPoolOutput, error) {
	held, err := p.find(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	shown := p.show(held)
	if shown.DeletionProtection == cognitotypes.DeletionProtectionTypeActive {
		return nil, invalid("The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.")
	}
	if shown.Domain != nil || shown.CustomDomain != nil {
		return nil, invalid("User pool cannot be deleted. It has a domain configured that should be deleted first.")
	}
	p.pools.Delete(*shown.Id)
	p.Tags.Drop(*shown.Arn)
	return &sdk.DeleteUserPoolOutput{}, nil
}

const mostListed = 60

func cut[T any](all []T, size int32, token *string) ([]T, *string, error) {
	if size < 1 || size > mostListed {
		return nil, nil, invalid("MaxResults must be between 1 and %d.", mostListed)
	}
	page, next, ok := listing.Page(all, int(size), aws.ToString(token))
	if !ok {
		return nil, nil, invalid("Invalid pagination token.")
	}
	if next == "" {
		return page, nil, nil
	}
	return page, &next, nil
}

func (p *Pools) listPools(in *sdk.ListUserPoolsInput) (*sdk.ListUserPoolsOutput, error) {
	page, next, err := cut(p.pools.Values(), aws.ToInt32(in.MaxResults), in.NextToken)
	out := &sdk.ListUserPoolsOutput{NextToken: next, UserPools: []cognitotypes.UserPoolDescriptionType{}}
	for _, held := range page {
		out.UserPools = append(out.UserPools, cognitotypes.UserPoolDescriptionType{
			Id: held.shape.Id, Name: held.shape.Name, CreationDate: held.shape.CreationDate, LastModifiedDate: held.shape.LastModifiedDate,
			LambdaConfig: held.shape.LambdaConfig,
		})
	}
	return out, err
}

func (p *Pools) checkTagged(arn *string) error {
	if !strings.HasPrefix(aws.ToString(arn), "arn:") || !strings.Contains(*arn, ":userpool/") {
		return invalid("The ARN '%s' is not one of a user pool.", aws.ToString(arn))
	}
	if !p.Tags.Has(*arn) {
		return missing("The resource '%s' does not exist.", aws.ToString(arn))
	}
	return nil
}

func (p *Pools) tagResource(in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	if err := p.checkTagged(in.ResourceArn); err != nil {
		return nil, err
	}
	if _, err := p.Tags.Tag(*in.ResourceArn, in.Tags); err != nil {
		return nil, fmt.Errorf("tagging %s: %w", *in.ResourceArn, err)
	}
	return &sdk.TagResourceOutput{}, nil
}

func (p *Pools) untagResource(in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	if err := p.checkTagged(in.ResourceArn); err != nil {
		return nil, err
	}
	if err := p.Tags.CheckKeys(in.TagKeys); err != nil {
		return nil, fmt.Errorf("untagging %s: %w", *in.ResourceArn, err)
	}
	p.Tags.Untag(*in.ResourceArn, in.TagKeys)
	return &sdk.UntagResourceOutput{}, nil
}

func (p *Pools) listTags(in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	if err := p.checkTagged(in.ResourceArn); err != nil {
		return nil, err
	}
	return &sdk.ListTagsForResourceOutput{Tags: p.Tags.Of(*in.ResourceArn)}, nil
}
