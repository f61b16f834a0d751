package cognito

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// updatePool changes the settings of a pool. What the call leaves out goes back to its default (API reference, UpdateUserPool).
func (p *Pools) updatePool(in *sdk.UpdateUserPoolInput) (*sdk.UpdateUserPoolOutput, error) {
	held, err := p.find(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	if in.PoolName != nil && !poolName.MatchString(*in.PoolName) {
		return nil, invalid("The name '%s' of the user pool is not valid.", *in.PoolName)
	}
	policies, err := readPolicies(in.Policies)
	if err != nil {
		return nil, err
	}
	if in.UserPoolTags != nil {
		before := p.Tags.Of(*held.shape.Arn)
		p.Tags.Put(*held.shape.Arn, nil)
		if _, err := p.Tags.Tag(*held.shape.Arn, in.UserPoolTags); err != nil {
			p.Tags.Put(*held.shape.Arn, before)
			return nil, fmt.Errorf("tagging the user pool: %w", err)
		}
	}
	s := &held.shape
	if in.PoolName != nil {
		s.Name = in.PoolName
	}
	s.LastModifiedDate, s.Policies, s.AutoVerifiedAttributes = aws.Time(p.account.Now()), policies, in.AutoVerifiedAttributes
	s.AccountRecoverySetting, s.AdminCreateUserConfig, s.LambdaConfig = in.AccountRecoverySetting, in.AdminCreateUserConfig, in.LambdaConfig
	s.DeletionProtection, s.MfaConfiguration = in.DeletionProtection, in.MfaConfiguration
	or(&s.DeletionProtection, cognitotypes.DeletionProtectionTypeInactive)
	or(&s.MfaConfiguration, cognitotypes.UserPoolMfaTypeOff)
	if in.UserPoolTier != "" {
		s.UserPoolTier = in.UserPoolTier
	}
	return &sdk.UpdateUserPoolOutput{}, nil
}

// updateClient changes the settings of a client as if it were made anew: its ID, its secret and its age stay.
func (p *Pools) updateClient(in *sdk.UpdateUserPoolClientInput) (*sdk.UpdateUserPoolClientOutput, error) {
	held, before, err := p.findClient(in.UserPoolId, in.ClientId)
	if err != nil {
		return nil, err
	}
	wanted := &sdk.CreateUserPoolClientInput{
		UserPoolId: in.UserPoolId, ClientName: in.ClientName, AllowedOAuthFlows: in.AllowedOAuthFlows, AllowedOAuthScopes: in.AllowedOAuthScopes,
		AllowedOAuthFlowsUserPoolClient: in.AllowedOAuthFlowsUserPoolClient, CallbackURLs: in.CallbackURLs, LogoutURLs: in.LogoutURLs,
		DefaultRedirectURI: in.DefaultRedirectURI, ExplicitAuthFlows: in.ExplicitAuthFlows, AccessTokenValidity: in.AccessTokenValidity,
		SupportedIdentityProviders: in.SupportedIdentityProviders, IdTokenValidity: in.IdTokenValidity, RefreshTokenValidity: in.RefreshTokenValidity,
		TokenValidityUnits: in.TokenValidityUnits, ReadAttributes: in.ReadAttributes, WriteAttributes: in.WriteAttributes,
		PreventUserExistenceErrors: in.PreventUserExistenceErrors, AuthSessionValidity: in.AuthSessionValidity,
		EnableTokenRevocation: in.EnableTokenRevocation, EnablePropagateAdditionalUserContextData: in.EnablePropagateAdditionalUserContextData,
	}
	if wanted.ClientName == nil {
		wanted.ClientName = before.ClientName
	}
	if err := checkClient(wanted, before.ClientSecret != nil); err != nil {
		return nil, err
	}
	changed := p.client(wanted)
	changed.ClientId, changed.ClientSecret, changed.CreationDate = before.ClientId, before.ClientSecret, before.CreationDate
	held.clients.Put(*changed.ClientId, changed)
	return &sdk.UpdateUserPoolClientOutput{UserPoolClient: changed}, nil
}
