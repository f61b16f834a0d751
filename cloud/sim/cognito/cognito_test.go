package cognito_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognitotypes "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/cognito"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/wire"
)

type fixture struct {
	*contract.Fixture

	cognito *sdk.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := contract.Start(t)
	return &fixture{f, sdk.NewFromConfig(f.Config)}
}

func (f *fixture) pool(name string, change ...func(*sdk.CreateUserPoolInput)) *cognitotypes.UserPoolType {
	f.Helper()
	in := &sdk.CreateUserPoolInput{PoolName: &name}
	for _, c := range change {
		c(in)
	}
	out, err := f.cognito.CreateUserPool(f.Context(), in)
	return contract.Must(f, out, err).UserPool
}

func (f *fixture) client(pool *string, change ...func(*sdk.CreateUserPoolClientInput)) (*cognitotypes.UserPoolClientType, error) {
	f.Helper()
	in := &sdk.CreateUserPoolClientInput{
		UserPoolId: pool, ClientName: aws.String("web"), GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true,
		AllowedOAuthFlows: []cognitotypes.OAuthFlowType{cognitotypes.OAuthFlowTypeCode}, AllowedOAuthScopes: []string{"openid"},
		CallbackURLs: []string{"https://example.com/oauth2/idpresponse"}, SupportedIdentityProviders: []string{"COGNITO"},
	}
	for _, c := range change {
		c(in)
	}
	out, err := f.cognito.CreateUserPoolClient(f.Context(), in)
	if err != nil {
		return nil, fmt.Errorf("creating a client: %w", err)
	}
	return out.UserPoolClient, nil
}

func (f *fixture) domain(pool *string, name, certificate string) error {
	f.Helper()
	in := &sdk.CreateUserPoolDomainInput{UserPoolId: pool, Domain: &name}
	if certificate != "" {
		in.CustomDomainConfig = &cognitotypes.CustomDomainConfigType{CertificateArn: &certificate}
	}
	if _, err := f.cognito.CreateUserPoolDomain(f.Context(), in); err != nil {
		return fmt.Errorf("creating domain %s: %w", name, err)
	}
	return nil
}

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, cognito.New(&account.Account{}).Service(), cognito.Checks())
}

func TestPoolLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	made := f.pool("people", func(in *sdk.CreateUserPoolInput) { in.UserPoolTags = map[string]string{"a": "1"} })
	contract.WantCode(t, f.domain(made.Id, "people", ""), "")
	out, err := f.cognito.DescribeUserPool(t.Context(), &sdk.DescribeUserPoolInput{UserPoolId: made.Id})
	got := contract.Must(t, out, err).UserPool
	if *got.Arn != "arn:aws:cognito-idp:us-west-2:123456789012:userpool/"+*made.Id || *got.Domain != "people" || got.UserPoolTags["a"] != "1" ||
		*got.Policies.PasswordPolicy.MinimumLength != 8 || got.MfaConfiguration != cognitotypes.UserPoolMfaTypeOff {
		t.Errorf("user pool: %+v", got)
	}
	remove := &sdk.DeleteUserPoolInput{UserPoolId: made.Id}
	_, err = f.cognito.DeleteUserPool(t.Context(), remove)
	contract.WantCode(t, err, "InvalidParameterException")
	_, err = f.cognito.DeleteUserPoolDomain(t.Context(), &sdk.DeleteUserPoolDomainInput{UserPoolId: made.Id, Domain: aws.String("people")})
	contract.WantCode(t, err, "")
	_, err = f.cognito.DeleteUserPool(t.Context(), remove)
	contract.WantCode(t, err, "")
	_, err = f.cognito.DescribeUserPool(t.Context(), &sdk.DescribeUserPoolInput{UserPoolId: made.Id})
	contract.WantCode(t, err, "ResourceNotFoundException")
	protected := f.pool("kept", func(in *sdk.CreateUserPoolInput) { in.DeletionProtection = cognitotypes.DeletionProtectionTypeActive })
	_, err = f.cognito.DeleteUserPool(t.Context(), &sdk.DeleteUserPoolInput{UserPoolId: protected.Id})
	contract.WantCode(t, err, "InvalidParameterException")
}

func TestPoolErrors(t *testing.T) {
	f := start(t)
	rows := []struct {
		why, code string
		in        sdk.CreateUserPoolInput
	}{
		{"a name without slash", "InvalidParameterException", sdk.CreateUserPoolInput{PoolName: aws.String("a/b")}},
		{"passwords are long", "InvalidParameterException", sdk.CreateUserPoolInput{PoolName: aws.String("a"), Policies: &cognitotypes.UserPoolPolicyType{
			PasswordPolicy: &cognitotypes.PasswordPolicyType{MinimumLength: aws.Int32(5)},
		}}},
		{"tags are not aws:", "InvalidParameterException", sdk.CreateUserPoolInput{PoolName: aws.String("a"), UserPoolTags: map[string]string{"aws:a": ""}}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.cognito.CreateUserPool(t.Context(), &row.in)
			contract.WantCode(t, err, row.code)
		})
	}
	_, err := f.cognito.DescribeUserPool(t.Context(), &sdk.DescribeUserPoolInput{UserPoolId: aws.String("people")})
	contract.WantCode(t, err, "InvalidParameterException")
	_, err = f.cognito.ListUserPools(t.Context(), &sdk.ListUserPoolsInput{MaxResults: aws.Int32(61)})
	contract.WantCode(t, err, "InvalidParameterException")
	_, err = f.cognito.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:cognito-idp:us-west-2:1:userpool/a")})
	contract.WantCode(t, err, "ResourceNotFoundException")
}

func TestClientErrors(t *testing.T) {
	f := start(t)
	pool := f.pool("people").Id
	machine := []cognitotypes.OAuthFlowType{cognitotypes.OAuthFlowTypeClientCredentials}
	rows := []struct {
		why, code string
		change    func(*sdk.CreateUserPoolClientInput)
	}{
		{"a client for signing in", "", func(*sdk.CreateUserPoolClientInput) {}},
		{"flows have scopes", "InvalidParameterException", func(in *sdk.CreateUserPoolClientInput) { in.AllowedOAuthScopes = nil }},
		{"scopes exist", "ScopeDoesNotExistException", func(in *sdk.CreateUserPoolClientInput) { in.AllowedOAuthScopes = []string{"orders/read"} }},
		{"machines need a secret", "InvalidOAuthFlowException", func(in *sdk.CreateUserPoolClientInput) { in.AllowedOAuthFlows, in.GenerateSecret = machine, false }},
		{"machines are no people", "InvalidOAuthFlowException", func(in *sdk.CreateUserPoolClientInput) {
			in.AllowedOAuthFlows = append(in.AllowedOAuthFlows, machine...)
		}},
		{"callbacks are HTTPS", "InvalidParameterException", func(in *sdk.CreateUserPoolClientInput) { in.CallbackURLs = []string{"http://example.com/"} }},
		{"or the own machine", "", func(in *sdk.CreateUserPoolClientInput) { in.CallbackURLs = []string{"http://localhost:8080/"} }},
		{"callbacks are absolute", "InvalidParameterException", func(in *sdk.CreateUserPoolClientInput) { in.CallbackURLs = []string{"/oauth2/idpresponse"} }},
		{"providers exist", "InvalidParameterException", func(in *sdk.CreateUserPoolClientInput) { in.SupportedIdentityProviders = []string{"Google"} }},
		{"one secret", "InvalidParameterException", func(in *sdk.CreateUserPoolClientInput) { in.ClientSecret = aws.String(strings.Repeat("a", 30)) }},
		{"the default is one of them", "InvalidParameterException", func(in *sdk.CreateUserPoolClientInput) { in.DefaultRedirectURI = aws.String("https://example.org/") }},
		{"a pool that exists", "ResourceNotFoundException", func(in *sdk.CreateUserPoolClientInput) { in.UserPoolId = aws.String("us-west-2_none") }},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.client(pool, row.change)
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestClientLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	pool := f.pool("people").Id
	made, err := f.client(pool)
	contract.WantCode(t, err, "")
	for range 2 {
		_, err := f.client(pool)
		contract.WantCode(t, err, "")
	}
	out, err := f.cognito.DescribeUserPoolClient(t.Context(), &sdk.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: made.ClientId})
	got := contract.Must(t, out, err).UserPoolClient
	if *got.ClientSecret != *made.ClientSecret || len(*got.ClientSecret) < 40 || got.RefreshTokenValidity != 30 || len(got.CallbackURLs) != 1 {
		t.Errorf("client: %+v", got)
	}
	number := 0
	pages := sdk.NewListUserPoolClientsPaginator(f.cognito, &sdk.ListUserPoolClientsInput{UserPoolId: pool, MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		number += len(contract.Must(t, page, err).UserPoolClients)
	}
	if number != 3 {
		t.Errorf("%d clients", number)
	}
	for _, code := range []string{"", "ResourceNotFoundException"} {
		_, err := f.cognito.DeleteUserPoolClient(t.Context(), &sdk.DeleteUserPoolClientInput{UserPoolId: pool, ClientId: made.ClientId})
		contract.WantCode(t, err, code)
	}
	_, err = f.cognito.DescribeUserPoolClient(t.Context(), &sdk.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: made.ClientId})
	contract.WantCode(t, err, "ResourceNotFoundException")
}

func TestDomains(t *testing.T) {
	f := start(t)
	pool, other := f.pool("people").Id, f.pool("others").Id
	here, there := "arn:aws:acm:us-west-2:123456789012:certificate/1", "arn:aws:acm:us-east-1:123456789012:certificate/1"
	rows := []struct {
		why, code         string
		pool              *string
		name, certificate string
	}{
		{"no reserved words", "InvalidParameterException", pool, "my-cognito", ""},
		{"lower case", "InvalidParameterException", pool, "People", ""},
		{"a prefix", "", pool, "people", ""},
		{"one a pool", "InvalidParameterException", pool, "people2", ""},
		{"taken once", "InvalidParameterException", other, "people", ""},
		{"certificates of us-east-1", "InvalidParameterException", pool, "auth.example.com", here},
		{"a full domain", "InvalidParameterException", pool, "auth", there},
		{"a custom domain beside the prefix", "", pool, "auth.example.com", there},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			contract.WantCode(t, f.domain(row.pool, row.name, row.certificate), row.code)
		})
	}
	status := func(name string) cognitotypes.DomainStatusType {
		out, err := f.cognito.DescribeUserPoolDomain(t.Context(), &sdk.DescribeUserPoolDomainInput{Domain: &name})
		return contract.Must(t, out, err).DomainDescription.Status
	}
	got := []cognitotypes.DomainStatusType{status("people"), status("auth.example.com"), status("none")}
	f.Pass(time.Hour)
	got = append(got, status("auth.example.com"))
	if diff := cmp.Diff([]cognitotypes.DomainStatusType{"ACTIVE", "CREATING", "", "ACTIVE"}, got); diff != "" {
		t.Error(diff)
	}
	_, err := f.cognito.DeleteUserPoolDomain(t.Context(), &sdk.DeleteUserPoolDomainInput{UserPoolId: other, Domain: aws.String("people")})
	contract.WantCode(t, err, "InvalidParameterException")
}

func TestPoolTagsAndPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	first := f.pool("one")
	f.pool("two")
	f.pool("three")
	var names []string
	pages := sdk.NewListUserPoolsPaginator(f.cognito, &sdk.ListUserPoolsInput{MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		for _, p := range contract.Must(t, page, err).UserPools {
			names = append(names, *p.Name)
		}
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, names); diff != "" {
		t.Error(diff)
	}
	_, err := f.cognito.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: first.Arn, Tags: map[string]string{"a": "1", "b": "2"}})
	contract.WantCode(t, err, "")
	_, err = f.cognito.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: first.Arn, TagKeys: []string{"a"}})
	contract.WantCode(t, err, "")
	out, err := f.cognito.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: first.Arn})
	if diff := cmp.Diff(map[string]string{"b": "2"}, contract.Must(t, out, err).Tags); diff != "" {
		t.Error(diff)
	}
}

// TestSecrets asks the service itself, as a load balancer and the page of the state do.
func TestSecrets(t *testing.T) {
	t.Parallel()
	pools := cognito.New(&account.Account{ID: "1", Region: "us-west-2", Partition: "aws", Now: time.Now, Speed: 1})
	made, err := contract.Run[sdk.CreateUserPoolOutput](pools.Service(), "CreateUserPool", &sdk.CreateUserPoolInput{PoolName: aws.String("people")})
	id, arn := contract.Must(t, made, err).UserPool.Id, *made.UserPool.Arn
	_, err = contract.Run[sdk.CreateUserPoolDomainOutput](pools.Service(), "CreateUserPoolDomain", &sdk.CreateUserPoolDomainInput{
		UserPoolId: id, Domain: aws.String("people"),
	})
	contract.WantCode(t, err, "")
	create := func(in *sdk.CreateUserPoolClientInput) *sdk.CreateUserPoolClientOutput {
		in.UserPoolId = id
		out, err := contract.Run[sdk.CreateUserPoolClientOutput](pools.Service(), "CreateUserPoolClient", in)
		return contract.Must(t, out, err)
	}
	code := []cognitotypes.OAuthFlowType{cognitotypes.OAuthFlowTypeCode}
	secret := create(&sdk.CreateUserPoolClientInput{
		ClientName: aws.String("web"), GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: code, AllowedOAuthScopes: []string{"openid"},
	})
	public := create(&sdk.CreateUserPoolClientInput{ClientName: aws.String("app")})
	idle := create(&sdk.CreateUserPoolClientInput{ClientName: aws.String("idle"), GenerateSecret: true})
	client := *secret.UserPoolClient.ClientId
	for _, row := range []struct {
		why, pool, client, domain string
		want                      error
	}{
		{"a client with a secret", arn, client, "people", nil},
		{"a domain in full", arn, client, "people.auth.us-west-2.amazoncognito.com", nil},
		{"a client without", arn, *public.UserPoolClient.ClientId, "people", cognito.ErrPublicClient},
		{"a client without grants", arn, *idle.UserPoolClient.ClientId, "people", cognito.ErrNoGrant},
		{"another domain", arn, client, "others", cognito.ErrNoDomain},
		{"another pool", arn + "0", client, "people", cognito.ErrNoPool},
		{"another client", arn, "none", "people", cognito.ErrNoClient},
	} {
		got, err := pools.Client(row.pool, row.client, row.domain)
		if !errors.Is(err, row.want) || err == nil && got.Secret != *secret.UserPoolClient.ClientSecret {
			t.Errorf("%s: %v, want %v", row.why, err, row.want)
		}
	}
	if state := fmt.Sprint(wire.Tree(pools.Dump())); strings.Contains(state, *secret.UserPoolClient.ClientSecret) || !strings.Contains(state, client) {
		t.Error("the state shows a secret, or no client")
	}
}
