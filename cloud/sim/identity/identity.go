// Package identity simulates the Security Token Service as far as a controller asks who it is. It may import the SDK's STS shapes and the
// simulator's wire, account and policy packages. Its invariant: the only state that it holds are the sessions of roles that somebody has made, and no secret of
// theirs.
package identity

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Tokens is the Security Token Service of an account.
type Tokens struct {
	account *account.Account
	roles   Roles
	// sessions are by access key.
	sessions map[string]*Session
	// acting is whose credentials the present call has; nil is the user.
	acting *Session
}

// New makes the service.
func New(a *account.Account, roles Roles) *Tokens {
	return &Tokens{account: a, roles: roles, sessions: map[string]*Session{}}
}

// Service gives the STS API.
func (t *Tokens) Service() wire.Service {
	return wire.Service{
		Name: "sts", Target: "2011-06-15", Protocol: wire.Query{Namespace: "https://sts.amazonaws.com/doc/2011-06-15/"},
		Operations: wire.Table(
			wire.Reads("GetCallerIdentity", t.getCallerIdentity),
			wire.Reads("AssumeRole", t.assumeRole),
			wire.Reads("AssumeRoleWithWebIdentity", t.assumeRoleWithWebIdentity),
		),
	}
}

func (t *Tokens) getCallerIdentity(*sdk.GetCallerIdentityInput) (*sdk.GetCallerIdentityOutput, error) {
	if s := t.acting; s != nil {
		return &sdk.GetCallerIdentityOutput{Account: aws.String(t.account.ID), UserId: &s.ID, Arn: &s.ARN}, nil
	}
	return &sdk.GetCallerIdentityOutput{
		Account: aws.String(t.account.ID), UserId: aws.String("AIDASIMULATEDUSER0001"),
		Arn: aws.String(Caller(t.account)),
	}, nil
}

// Caller is the ARN of the user, which calls where no session does.
func Caller(a *account.Account) string {
	return "arn:" + a.Partition + ":iam::" + a.ID + ":user/simulated"
}

// How long a session lasts, in seconds (STS API reference, AssumeRole).
const (
	shortestSession = 900
	longestSession  = 43200
	defaultSession  = 3600
)

// session makes credentials for a role.
func (t *Tokens) session(role, name *string, seconds *int32) (*ststypes.Credentials, *ststypes.AssumedRoleUser, error) {
	arn, session := aws.ToString(role), aws.ToString(name)
	_, path, ok := strings.Cut(arn, ":role/")
	if !ok || !strings.HasPrefix(arn, "arn:") {
		return nil, nil, wire.Errorf("ValidationError", "%s is invalid", arn)
	}
	if len(session) < 2 || len(session) > 64 {
		return nil, nil, wire.Errorf("ValidationError", "1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: "+
			"Member must have length between 2 and 64", session)
	}
	lasts := int32(defaultSession)
	if seconds != nil {
		lasts = *seconds
	}
	if lasts < shortestSession || lasts > longestSession {
		return nil, nil, wire.Errorf("ValidationError", "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: "+
			"Member must have value between %d and %d", lasts, shortestSession, longestSession)
	}
	credentials := &ststypes.Credentials{
		AccessKeyId: aws.String("ASIA" + strings.ToUpper(t.account.Hex(16))), SecretAccessKey: aws.String(t.account.Hex(40)),
		SessionToken: aws.String(t.account.Hex(64)), Expiration: aws.Time(t.account.Now().Add(time.Duration(lasts) * time.Second)),
	}
	_, account, _ := strings.Cut(arn, ":iam::")
	account, _, _ = strings.Cut(account, ":")
	return credentials, &ststypes.AssumedRoleUser{
		AssumedRoleId: aws.String("AROASIMULATEDROLE0001:" + session),
		Arn:           aws.String("arn:" + t.account.Partition + ":sts::" + account + ":assumed-role/" + path + "/" + session),
	}, nil
}

func (t *Tokens) assumeRole(in *sdk.AssumeRoleInput) (*sdk.AssumeRoleOutput, error) {
	credentials, user, err := t.session(in.RoleArn, in.RoleSessionName, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	who, keys := t.principal()
	if in.ExternalId != nil {
		keys["sts:externalid"] = []string{*in.ExternalId}
	}
	if err := t.trusted(request{"sts:AssumeRole", in.RoleArn, in.RoleSessionName, in.DurationSeconds, who, keys}); err != nil {
		return nil, err
	}
	t.remember(in.RoleArn, credentials, user)
	return &sdk.AssumeRoleOutput{Credentials: credentials, AssumedRoleUser: user}, nil
}

func (t *Tokens) assumeRoleWithWebIdentity(in *sdk.AssumeRoleWithWebIdentityInput) (*sdk.AssumeRoleWithWebIdentityOutput, error) {
	if aws.ToString(in.WebIdentityToken) == "" {
		return nil, wire.Errorf("InvalidIdentityToken", "The web identity token that was passed could not be validated by AWS.")
	}
	credentials, user, err := t.session(in.RoleArn, in.RoleSessionName, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	who, keys := t.bearer(*in.WebIdentityToken)
	if err := t.trusted(request{"sts:AssumeRoleWithWebIdentity", in.RoleArn, in.RoleSessionName, in.DurationSeconds, who, keys}); err != nil {
		return nil, err
	}
	t.remember(in.RoleArn, credentials, user)
	return &sdk.AssumeRoleWithWebIdentityOutput{Credentials: credentials, AssumedRoleUser: user}, nil
}
