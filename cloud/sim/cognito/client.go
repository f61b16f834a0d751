package cognito

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (p *Pools) clientOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateUserPoolClient", p.createClient), wire.Reads("DescribeUserPoolClient", p.describeClient),
		wire.Writes("UpdateUserPoolClient", p.updateClient), wire.Writes("DeleteUserPoolClient", p.deleteClient),
		wire.Reads("ListUserPoolClients", p.listClients),
	}
}

// Client is what a load balancer needs of an app client for signing users in.
type Client struct {
	Secret string
	// CallbackURLs are where users may be sent back to.
	CallbackURLs []string
}

// ClientError is why a load balancer cannot sign users in with a client. Elastic Load Balancing describes the client when a rule is made. That it
// demands a secret was observed; that it looks at the pool, the client, its grants and the domain is believed.
type ClientError string

// What makes a client unfit.
const (
	ErrNoPool       ClientError = "The user pool does not exist"
	ErrNoClient     ClientError = "The user pool client does not exist"
	ErrPublicClient ClientError = "The user pool client must have a client secret"
	ErrNoGrant      ClientError = "The user pool client must have OAuth flows enabled, with the code grant"
	ErrNoDomain     ClientError = "The user pool domain is not one of the user pool"
)

// Error gives the words.
func (e ClientError) Error() string { return string(e) }

// Client finds an app client that a load balancer can use: one with a secret that may use the code grant, in a pool that has the domain. A
// domain may be the prefix, or in full. Errors are [ClientError].
func (p *Pools) Client(poolARN, clientID, domain string) (Client, error) {
	for _, held := range p.pools.All() {
		shown := p.show(held)
		if *shown.Arn != poolARN {
			continue
		}
		c, ok := held.clients.Get(clientID)
		switch {
		case !ok:
			return Client{}, ErrNoClient
		case c.ClientSecret == nil:
			return Client{}, ErrPublicClient
		case !aws.ToBool(c.AllowedOAuthFlowsUserPoolClient) || !slices.Contains(c.AllowedOAuthFlows, cognitotypes.OAuthFlowTypeCode):
			return Client{}, ErrNoGrant
		case !p.serves(shown, domain):
			return Client{}, ErrNoDomain
		}
		return Client{Secret: *c.ClientSecret, CallbackURLs: slices.Clone(c.CallbackURLs)}, nil
	}
	return Client{}, ErrNoPool
}

// serves reports whether a domain is one of a pool.
func (p *Pools) serves(shown cognitotypes.UserPoolType, domain string) bool {
	if domain == "" {
		return false
	}
	prefix := strings.TrimSuffix(domain, ".auth."+p.account.Region+".amazoncognito.com")
	return aws.ToString(shown.Domain) == prefix || aws.ToString(shown.CustomDomain) == domain
}

// clientForm is the form of a client's ID (Cognito user pools API reference).
var clientForm = regexp.MustCompile(`^[\w+]{1,128}$`)

// Forms, lengths, defaults and quotas of app clients (Cognito user pools API reference; developer guide, "Quotas").
var secretForm = regexp.MustCompile(`^[\w+]{24,64}$`)

const (
	maxClients      = 1000
	lengthID        = 26
	lengthSecret    = 51
	refreshDays     = 30
	sessionMinutes  = 3
	maxCallbackURLs = 100
)

func (p *Pools) createClient(in *sdk.CreateUserPoolClientInput) (*sdk.CreateUserPoolClientOutput, error) {
	held, err := p.find(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	if in.GenerateSecret && in.ClientSecret != nil || in.ClientSecret != nil && !secretForm.MatchString(*in.ClientSecret) {
		return nil, invalid("The client secret must have 24 to 64 letters, digits, + and _, and cannot be given together with GenerateSecret.")
	}
	if err := checkClient(in, in.GenerateSecret || in.ClientSecret != nil); err != nil {
		return nil, err
	}
	if held.clients.Len() >= maxClients {
		return nil, wire.Errorf("LimitExceededException", "Exceeded maximum number of clients of a user pool: %d.", maxClients)
	}
	c := p.client(in)
	held.clients.Put(*c.ClientId, c)
	return &sdk.CreateUserPoolClientOutput{UserPoolClient: c}, nil
}

// checkClient checks the settings of a client, which has a secret or not.
func checkClient(in *sdk.CreateUserPoolClientInput, secret bool) error {
	if !poolName.MatchString(aws.ToString(in.ClientName)) {
		return invalid("The name '%s' of the client is not valid.", aws.ToString(in.ClientName))
	}
	if err := checkFlows(in, secret); err != nil {
		return err
	}
	if err := checkURLs(in); err != nil {
		return err
	}
	for _, name := range in.SupportedIdentityProviders {
		if name != "COGNITO" {
			return invalid("The provider %s does not exist for User Pool %s.", name, *in.UserPoolId)
		}
	}
	return nil
}

// client makes the client that was asked for.
func (p *Pools) client(in *sdk.CreateUserPoolClientInput) *cognitotypes.UserPoolClientType {
	c := &cognitotypes.UserPoolClientType{
		ClientId: aws.String(p.account.Hex(lengthID)), ClientName: in.ClientName, UserPoolId: in.UserPoolId, ClientSecret: in.ClientSecret,
		CreationDate: aws.Time(p.account.Now()), LastModifiedDate: aws.Time(p.account.Now()), AllowedOAuthFlows: in.AllowedOAuthFlows,
		AllowedOAuthFlowsUserPoolClient: aws.Bool(in.AllowedOAuthFlowsUserPoolClient), AllowedOAuthScopes: in.AllowedOAuthScopes,
		CallbackURLs: in.CallbackURLs, LogoutURLs: in.LogoutURLs, DefaultRedirectURI: in.DefaultRedirectURI, ExplicitAuthFlows: in.ExplicitAuthFlows,
		SupportedIdentityProviders: in.SupportedIdentityProviders, AccessTokenValidity: in.AccessTokenValidity, IdTokenValidity: in.IdTokenValidity,
		RefreshTokenValidity: in.RefreshTokenValidity, TokenValidityUnits: in.TokenValidityUnits, ReadAttributes: in.ReadAttributes,
		WriteAttributes: in.WriteAttributes, PreventUserExistenceErrors: in.PreventUserExistenceErrors, AuthSessionValidity: in.AuthSessionValidity,
		EnableTokenRevocation: in.EnableTokenRevocation, EnablePropagateAdditionalUserContextData: in.EnablePropagateAdditionalUserContextData,
	}
	if in.GenerateSecret {
		c.ClientSecret = aws.String(p.account.Hex(lengthSecret))
	}
	if c.RefreshTokenValidity == 0 {
		c.RefreshTokenValidity = refreshDays
	}
	if c.AuthSessionValidity == nil {
		c.AuthSessionValidity = aws.Int32(sessionMinutes)
	}
	if c.EnableTokenRevocation == nil {
		c.EnableTokenRevocation = aws.Bool(true)
	}
	return c
}

// checkFlows checks grants, scopes and the secret.
func checkFlows(in *sdk.CreateUserPoolClientInput, secret bool) error {
	machine := slices.Contains(in.AllowedOAuthFlows, cognitotypes.OAuthFlowTypeClientCredentials)
	switch {
	case in.AllowedOAuthFlowsUserPoolClient && (len(in.AllowedOAuthFlows) == 0 || len(in.AllowedOAuthScopes) == 0):
		return invalid("AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.")
	case machine && len(in.AllowedOAuthFlows) > 1:
		return wire.Errorf("InvalidOAuthFlowException", "client_credentials flow can not be selected along with code flow or implicit flow.")
	case machine && !secret:
		return wire.Errorf("InvalidOAuthFlowException", "client_credentials flow can not be selected if client does not have a client secret.")
	}
	known := []string{"phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"}
	for _, scope := range in.AllowedOAuthScopes {
		if !slices.Contains(known, scope) {
			return wire.Errorf("ScopeDoesNotExistException", "Invalid scope requested: %s", scope)
		}
	}
	return nil
}

// checkURLs demands absolute URLs without fragment; plain HTTP leads to the user's own machine only.
func checkURLs(in *sdk.CreateUserPoolClientInput) error {
	if len(in.CallbackURLs) > maxCallbackURLs || len(in.LogoutURLs) > maxCallbackURLs {
		return invalid("There can be at most %d callback URLs and logout URLs.", maxCallbackURLs)
	}
	for _, text := range slices.Concat(in.CallbackURLs, in.LogoutURLs) {
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" || strings.Contains(text, "#") || strings.ContainsAny(text, " \t") {
			return invalid("The URL '%s' must be absolute and without fragment.", text)
		}
		if u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
			return invalid("The URL '%s' cannot use the HTTP protocol.", text)
		}
	}
	if in.DefaultRedirectURI != nil && !slices.Contains(in.CallbackURLs, *in.DefaultRedirectURI) {
		return invalid("The default redirect URI must be one of the callback URLs.")
	}
	return nil
}

func (p *Pools) findClient(poolID, clientID *string) (*pool, *cognitotypes.UserPoolClientType, error) {
	held, err := p.find(poolID)
	if err != nil {
		return nil, nil, err
	}
	if !clientForm.MatchString(aws.ToString(clientID)) {
		return nil, nil, invalid("The client ID '%s' is not valid.", aws.ToString(clientID))
	}
	c, ok := held.clients.Get(*clientID)
	if !ok {
		return nil, nil, missing("User pool client %s does not exist.", aws.ToString(clientID))
	}
	return held, c, nil
}

func (p *Pools) describeClient(in *sdk.DescribeUserPoolClientInput) (*sdk.DescribeUserPoolClientOutput, error) {
	_, c, err := p.findClient(in.UserPoolId, in.ClientId)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeUserPoolClientOutput{UserPoolClient: c}, nil
}

func (p *Pools) deleteClient(in *sdk.DeleteUserPoolClientInput) (*sdk.DeleteUserPoolClientOutput, error) {
	held, c, err := p.findClient(in.UserPoolId, in.ClientId)
	if err != nil {
		return nil, err
	}
	held.clients.Delete(*c.ClientId)
	return &sdk.DeleteUserPoolClientOutput{}, nil
}

func (p *Pools) listClients(in *sdk.ListUserPoolClientsInput) (*sdk.ListUserPoolClientsOutput, error) {
	held, err := p.find(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	size := int32(mostListed)
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	page, next, err := cut(held.clients.Values(), size, in.NextToken)
	out := &sdk.ListUserPoolClientsOutput{NextToken: next, UserPoolClients: []cognitotypes.UserPoolClientDescription{}}
	for _, c := range page {
		out.UserPoolClients = append(out.UserPoolClients, cognitotypes.UserPoolClientDescription{
			ClientId: c.ClientId, ClientName: c.ClientName, UserPoolId: c.UserPoolId,
		})
	}
	return out, err
}
