package identity

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/headgate/headgate/cloud/sim/policy"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Roles knows the roles that somebody has made.
type Roles interface {
	// Defined reports whether there is any. While there is none every role is believed to be there, and to trust everybody.
	Defined() bool
	// Trust gives the trust policy of a role, and its longest session in seconds.
	Trust(arn string) (document string, longest int32, ok bool)
}

// Session is a role at work: whose credentials a call may have.
type Session struct {
	// Role is the ARN of the role, ARN that of the session, ID its unique identifier.
	Role, ARN, ID string
	Expires       time.Time
}

// Act says with which access key the next call is made, and gives its session; nil for the user.
func (t *Tokens) Act(key string) *Session {
	t.acting = t.sessions[key]
	return t.acting
}

// remember keeps the session of a role that somebody has made. Those that have ended stay for a while, so that calls are told so.
func (t *Tokens) remember(role *string, credentials *ststypes.Credentials, user *ststypes.AssumedRoleUser) {
	if !t.roles.Defined() {
		return
	}
	const kept = 24 * time.Hour
	for key, s := range t.sessions {
		if t.account.Now().Sub(s.Expires) > kept {
			delete(t.sessions, key)
		}
	}
	t.sessions[*credentials.AccessKeyId] = &Session{*role, *user.Arn, *user.AssumedRoleId, *credentials.Expiration}
}

// request is what a trust policy is asked about.
type request struct {
	action        string
	role, session *string
	seconds       *int32
	who           policy.Caller
	keys          map[string][]string
}

// refuse says that a role does not trust who calls.
func (t *Tokens) refuse(r request) error {
	return &wire.Error{
		Code: "AccessDenied", Status: http.StatusForbidden,
		Message: "User: " + t.caller() + " is not authorized to perform: " + r.action + " on resource: " + aws.ToString(r.role),
	}
}

// trusted asks the trust policy of a role, if any role was made.
func (t *Tokens) trusted(r request) error {
	if !t.roles.Defined() {
		return nil
	}
	text, longest, ok := t.roles.Trust(aws.ToString(r.role))
	if !ok {
		return t.refuse(r)
	}
	r.keys["sts:rolesessionname"] = []string{aws.ToString(r.session)}
	document, err := policy.ParseTrust([]byte(text), r.who)
	if err != nil || document.Decide(policy.Call{Action: r.action, Resource: *r.role, Keys: r.keys}) != policy.Allowed {
		return t.refuse(r)
	}
	if aws.ToInt32(r.seconds) > longest {
		return wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return nil
}

// caller is the ARN of who calls now.
func (t *Tokens) caller() string {
	if t.acting != nil {
		return t.acting.ARN
	}
	return Caller(t.account)
}

// principal gives the texts by which a trust policy may name who calls now, with the keys that say who it is.
func (t *Tokens) principal() (policy.Caller, map[string][]string) {
	names := []string{t.caller(), t.account.ID, "arn:" + t.account.Partition + ":iam::" + t.account.ID + ":root"}
	keys := map[string][]string{"aws:principalarn": {t.caller()}, "aws:principalaccount": {t.account.ID}}
	if t.acting != nil {
		names = append(names, t.acting.Role)
		keys["aws:principalarn"] = []string{t.acting.Role}
	}
	return policy.Caller{"AWS": names}, keys
}

// bearer gives who a web identity token names, and what it says: nobody has verified it.
func (t *Tokens) bearer(token string) (policy.Caller, map[string][]string) {
	keys := map[string][]string{}
	parts := strings.Split(token, ".")
	const three = 3
	if len(parts) != three {
		return nil, keys
	}
	var claims struct {
		Iss string `json:"iss"`
		Sub string `json:"sub"`
		Aud string `json:"aud"`
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(body, &claims) != nil || claims.Iss == "" {
		return nil, keys
	}
	issuer := strings.TrimPrefix(claims.Iss, "https://")
	keys[strings.ToLower(issuer)+":sub"], keys[strings.ToLower(issuer)+":aud"] = []string{claims.Sub}, []string{claims.Aud}
	return policy.Caller{"Federated": {"arn:" + t.account.Partition + ":iam::" + t.account.ID + ":oidc-provider/" + issuer}}, keys
}
