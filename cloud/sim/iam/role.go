package iam

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (d *Directory) roleOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateServiceLinkedRole", d.createRole), wire.Reads("GetRole", d.getRole), wire.Reads("ListRoles", d.listRoles),
	}
}

func (d *Directory) ownRoleOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateRole", d.makeRole), wire.Writes("DeleteRole", d.deleteRole), wire.Writes("UpdateAssumeRolePolicy", d.updateTrust),
		wire.Writes("PutRolePolicy", d.putPolicy), wire.Reads("GetRolePolicy", d.getPolicy), wire.Writes("DeleteRolePolicy", d.deletePolicy),
		wire.Reads("ListRolePolicies", d.listPolicies),
	}
}

// linked names the roles of the services that are simulated (each service's guide, "Using service-linked roles").
func linked(service string) (string, bool) {
	name, ok := map[string]string{
		"elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing", "globalaccelerator.amazonaws.com": "AWSServiceRoleForGlobalAccelerator",
		"vpc-lattice.amazonaws.com": "AWSServiceRoleForVpcLattice", "wafv2.amazonaws.com": "AWSServiceRoleForWAFV2Logging",
		"shield.amazonaws.com": "AWSServiceRoleForAWSShield", "acm.amazonaws.com": "AWSServiceRoleForCertificateManager",
		"email.cognito-idp.amazonaws.com": "AWSServiceRoleForAmazonCognitoIdpEmailService",
	}[service]
	return name, ok
}

// serviceForm is the form of a service's name (IAM API reference, CreateServiceLinkedRole).
var serviceForm = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)

const (
	maxDescription = 1000
	sessionSeconds = 3600
)

func refused(format string, args ...any) error { return wire.Errorf("InvalidInput", format, args...) }

// createRole makes the role of a service. None of the services here takes a suffix, so that each has one role at most.
func (d *Directory) createRole(in *sdk.CreateServiceLinkedRoleInput) (*sdk.CreateServiceLinkedRoleOutput, error) {
	service := aws.ToString(in.AWSServiceName)
	if !serviceForm.MatchString(service) || len(aws.ToString(in.Description)) > maxDescription {
		return nil, invalid("The service name '%s' or the description is not valid.", service)
	}
	name, ok := linked(service)
	if !ok {
		return nil, refused("Service %s has no service-linked role.", service)
	}
	if in.CustomSuffix != nil {
		return nil, refused("Custom suffix is not allowed for %s", service)
	}
	if _, taken := d.roles.Get(name); taken {
		return nil, refused("Service role name %s has been taken in this account, please try a different suffix.", name)
	}
	path := "/aws-service-role/" + service + "/"
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["` + service + `"]},"Action":["sts:AssumeRole"]}]}`
	role := iamtypes.Role{
		Arn:  aws.String("arn:" + d.account.Partition + ":iam::" + d.account.ID + ":role" + path + name),
		Path: &path, RoleName: &name, RoleId: aws.String("AROA" + strings.ToUpper(d.account.Hex(17))), Description: in.Description,
		CreateDate: aws.Time(d.account.Now().Truncate(time.Second)), AssumeRolePolicyDocument: aws.String(url.QueryEscape(policy)),
		MaxSessionDuration: aws.Int32(sessionSeconds),
	}
	d.roles.Put(name, role)
	return &sdk.CreateServiceLinkedRoleOutput{Role: &role}, nil
}

func (d *Directory) getRole(in *sdk.GetRoleInput) (*sdk.GetRoleOutput, error) {
	role, ok := d.roles.Get(aws.ToString(in.RoleName))
	if !ok {
		return nil, missing("The role with name %s cannot be found.", aws.ToString(in.RoleName))
	}
	role.RoleLastUsed = &iamtypes.RoleLastUsed{}
	return &sdk.GetRoleOutput{Role: &role}, nil
}

func (d *Directory) listRoles(in *sdk.ListRolesInput) (*sdk.ListRolesOutput, error) {
	all := []iamtypes.Role{}
	for _, role := range d.roles.All() {
		if strings.HasPrefix(*role.Path, aws.ToString(in.PathPrefix)) {
			all = append(all, role)
		}
	}
	p, err := cut(all, in.MaxItems, in.Marker)
	return &sdk.ListRolesOutput{Roles: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}
