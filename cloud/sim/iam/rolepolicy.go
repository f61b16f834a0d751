package iam

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/headgate/headgate/cloud/sim/policy"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Limits of roles (user guide, "IAM and AWS STS quotas").
const (
	maxRoles       = 1000
	maxTrust       = 2048
	maxInline      = 10240
	longestSession = 43200
)

// ours reports whether a role is none of a service.
func ours(role iamtypes.Role) bool { return !strings.HasPrefix(*role.Path, "/aws-service-role/") }

// Defined reports whether somebody has made a role.
func (d *Directory) Defined() bool { return slices.ContainsFunc(d.roles.Values(), ours) }

// Trust gives the trust policy of a role that somebody has made, and its longest session in seconds.
func (d *Directory) Trust(arn string) (document string, longest int32, ok bool) {
	for _, role := range d.roles.All() {
		if *role.Arn == arn && ours(role) {
			text, err := url.QueryUnescape(*role.AssumeRolePolicyDocument)
			return text, *role.MaxSessionDuration, err == nil
		}
	}
	return "", 0, false
}

// Decide says what the policies of a role say to a call. A role that is gone allows nothing.
func (d *Directory) Decide(arn string, call policy.Call) policy.Decision {
	decision := policy.NotAllowed
	for name, role := range d.roles.All() {
		if *role.Arn != arn {
			continue
		}
		for _, text := range d.inline[name] {
			document, err := policy.Parse([]byte(text))
			if err != nil {
				return policy.Denied
			}
			switch document.Decide(call) {
			case policy.Denied:
				return policy.Denied
			case policy.Allowed:
				decision = policy.Allowed
			case policy.NotAllowed:
			}
		}
	}
	return decision
}

func (d *Directory) makeRole(in *sdk.CreateRoleInput) (*sdk.CreateRoleOutput, error) {
	name, path := aws.ToString(in.RoleName), "/"
	if in.Path != nil {
		path = *in.Path
	}
	seconds := int32(sessionSeconds)
	if in.MaxSessionDuration != nil {
		seconds = *in.MaxSessionDuration
	}
	const longestName = 64
	switch {
	case !nameForm.MatchString(name) || len(name) > longestName || !pathForm.MatchString(path) || len(aws.ToString(in.Description)) > maxDescription:
		return nil, invalid("The name, the path or the description of the role '%s' is not valid.", name)
	case seconds < sessionSeconds || seconds > longestSession:
		return nil, invalid("MaxSessionDuration must be between %d and %d", sessionSeconds, longestSession)
	case in.PermissionsBoundary != nil || len(in.Tags) > 0:
		// Neither would have an effect here.
		return nil, refused("Roles have neither permissions boundaries nor tags here.")
	case strings.HasPrefix(path, "/aws-service-role/"):
		return nil, refused("The path %s is that of service-linked roles.", path)
	}
	if err := checkTrust(aws.ToString(in.AssumeRolePolicyDocument)); err != nil {
		return nil, err
	}
	if _, taken := d.roles.Get(name); taken {
		return nil, conflict("EntityAlreadyExists", "Role with name %s already exists.", name)
	}
	if d.roles.Len() >= maxRoles {
		return nil, conflict("LimitExceeded", "Cannot exceed quota for RolesPerAccount: %d", maxRoles)
	}
	role := iamtypes.Role{
		Arn: aws.String("arn:" + d.account.Partition + ":iam::" + d.account.ID + ":role" + path + name), Path: &path, RoleName: &name,
		RoleId: aws.String("AROA" + strings.ToUpper(d.account.Hex(17))), Description: in.Description, MaxSessionDuration: &seconds,
		CreateDate: aws.Time(d.account.Now().Truncate(time.Second)), AssumeRolePolicyDocument: aws.String(escaped(*in.AssumeRolePolicyDocument)),
	}
	d.roles.Put(name, role)
	return &sdk.CreateRoleOutput{Role: &role}, nil
}

// escaped writes a policy as IAM answers it.
func escaped(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func checkTrust(text string) error {
	if _, err := policy.ParseTrust([]byte(text), nil); err != nil {
		return malformed(err)
	}
	if len(text) > maxTrust {
		return conflict("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	return nil
}

// malformed refuses a policy, also one that cannot be evaluated here.
func malformed(err error) error {
	return wire.Errorf("MalformedPolicyDocument", "%v", err)
}

// writable gives a role that its owner may change.
func (d *Directory) writable(name *string) (iamtypes.Role, error) {
	role, ok := d.roles.Get(aws.ToString(name))
	switch {
	case !ok:
		return role, missing("The role with name %s cannot be found.", aws.ToString(name))
	case !ours(role):
		return role, wire.Errorf("UnmodifiableEntity", "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS",
			*name)
	default:
		return role, nil
	}
}

func (d *Directory) deleteRole(in *sdk.DeleteRoleInput) (*sdk.DeleteRoleOutput, error) {
	if _, err := d.writable(in.RoleName); err != nil {
		return nil, err
	}
	if len(d.inline[*in.RoleName]) > 0 {
		return nil, conflict("DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	d.roles.Delete(*in.RoleName)
	return &sdk.DeleteRoleOutput{}, nil
}

func (d *Directory) updateTrust(in *sdk.UpdateAssumeRolePolicyInput) (*sdk.UpdateAssumeRolePolicyOutput, error) {
	role, err := d.writable(in.RoleName)
	if err == nil {
		err = checkTrust(aws.ToString(in.PolicyDocument))
	}
	if err != nil {
		return nil, err
	}
	role.AssumeRolePolicyDocument = aws.String(escaped(*in.PolicyDocument))
	d.roles.Put(*in.RoleName, role)
	return &sdk.UpdateAssumeRolePolicyOutput{}, nil
}

func (d *Directory) putPolicy(in *sdk.PutRolePolicyInput) (*sdk.PutRolePolicyOutput, error) {
	if _, err := d.writable(in.RoleName); err != nil {
		return nil, err
	}
	name, text := aws.ToString(in.PolicyName), aws.ToString(in.PolicyDocument)
	if !nameForm.MatchString(name) {
		return nil, invalid("The policy name '%s' is not valid.", name)
	}
	if _, err := policy.Parse([]byte(text)); err != nil {
		return nil, malformed(err)
	}
	size := len(text)
	for other, held := range d.inline[*in.RoleName] {
		if other != name {
			size += len(held)
		}
	}
	if size > maxInline {
		return nil, conflict("LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", maxInline, *in.RoleName)
	}
	if d.inline[*in.RoleName] == nil {
		d.inline[*in.RoleName] = map[string]string{}
	}
	d.inline[*in.RoleName][name] = text
	return &sdk.PutRolePolicyOutput{}, nil
}

// held gives a policy of a role.
func (d *Directory) held(role, name *string) (string, error) {
	if _, ok := d.roles.Get(aws.ToString(role)); !ok {
		return "", missing("The role with name %s cannot be found.", aws.ToString(role))
	}
	text, ok := d.inline[*role][aws.ToString(name)]
	if !ok {
		return "", missing("The role policy with name %s cannot be found.", aws.ToString(name))
	}
	return text, nil
}

func (d *Directory) getPolicy(in *sdk.GetRolePolicyInput) (*sdk.GetRolePolicyOutput, error) {
	text, err := d.held(in.RoleName, in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &sdk.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: aws.String(escaped(text))}, nil
}

func (d *Directory) deletePolicy(in *sdk.DeleteRolePolicyInput) (*sdk.DeleteRolePolicyOutput, error) {
	if _, err := d.writable(in.RoleName); err != nil {
		return nil, err
	}
	if _, err := d.held(in.RoleName, in.PolicyName); err != nil {
		return nil, err
	}
	delete(d.inline[*in.RoleName], *in.PolicyName)
	return &sdk.DeleteRolePolicyOutput{}, nil
}

func (d *Directory) listPolicies(in *sdk.ListRolePoliciesInput) (*sdk.ListRolePoliciesOutput, error) {
	if _, ok := d.roles.Get(aws.ToString(in.RoleName)); !ok {
		return nil, missing("The role with name %s cannot be found.", aws.ToString(in.RoleName))
	}
	p, err := cut(slices.Sorted(maps.Keys(d.inline[*in.RoleName])), in.MaxItems, in.Marker)
	return &sdk.ListRolePoliciesOutput{PolicyNames: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}
