package vpc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// groupAssociation lets a security group be used in another VPC than its own.
type groupAssociation struct{ group, vpc string }

// associated reports whether a group may be used in a VPC that is not its own.
func (n *Network) associated(group, vpc string) bool {
	return slices.Contains(n.associations, groupAssociation{group, vpc})
}

func (n *Network) associateGroup(in *sdk.AssociateSecurityGroupVpcInput) (*sdk.AssociateSecurityGroupVpcOutput, error) {
	a, err := n.wantedAssociation(in.GroupId, in.VpcId)
	if err != nil {
		return nil, err
	}
	g, _ := n.groups.Get(a.group)
	switch {
	case g.name == defaultGroup:
		return nil, wire.Errorf("InvalidParameterValue", "The default security group '%s' cannot be associated with another VPC.", a.group)
	case g.vpc == a.vpc || n.associated(a.group, a.vpc):
		return nil, wire.Errorf("InvalidParameterValue", "The security group '%s' is already associated with the VPC '%s'.", a.group, a.vpc)
	}
	n.associations = append(n.associations, a)
	return &sdk.AssociateSecurityGroupVpcOutput{State: ec2types.SecurityGroupVpcAssociationStateAssociating}, nil
}

func (n *Network) wantedAssociation(group, vpc *string) (groupAssociation, error) {
	a := groupAssociation{aws.ToString(group), aws.ToString(vpc)}
	switch {
	case a.group == "":
		return a, missing("groupId")
	case a.vpc == "":
		return a, missing("vpcId")
	case !has(&n.groups, a.group):
		return a, notFound(a.group)
	case !n.VPC(a.vpc):
		return a, notFound(a.vpc)
	}
	return a, nil
}

func (n *Network) disassociateGroup(in *sdk.DisassociateSecurityGroupVpcInput) (*sdk.DisassociateSecurityGroupVpcOutput, error) {
	a, err := n.wantedAssociation(in.GroupId, in.VpcId)
	if err != nil {
		return nil, err
	}
	at := slices.Index(n.associations, a)
	if at < 0 {
		return nil, wire.Errorf("InvalidParameterValue", "The security group '%s' is not associated with the VPC '%s'.", a.group, a.vpc)
	}
	for _, i := range n.interfaces.All() {
		if *i.VpcId == a.vpc && slices.ContainsFunc(i.Groups, func(g ec2types.GroupIdentifier) bool { return *g.GroupId == a.group }) {
			return nil, wire.Errorf("DependencyViolation", "resource %s has a dependent object", a.group)
		}
	}
	n.associations = slices.Delete(n.associations, at, at+1)
	return &sdk.DisassociateSecurityGroupVpcOutput{State: ec2types.SecurityGroupVpcAssociationStateDisassociating}, nil
}

// groupAssociationsOutput is the answer to DescribeSecurityGroupVpcAssociations, its fields named as on the wire.
type groupAssociationsOutput struct {
	NextToken                      *string
	SecurityGroupVpcAssociationSet []ec2types.SecurityGroupVpcAssociation
}

func (n *Network) describeGroupAssociations(in *sdk.DescribeSecurityGroupVpcAssociationsInput) (*groupAssociationsOutput, error) {
	type association = ec2types.SecurityGroupVpcAssociation
	all := []association{}
	for _, a := range n.associations {
		all = append(all, association{
			GroupId: text(a.group), VpcId: text(a.vpc), GroupOwnerId: text(n.account.ID), VpcOwnerId: text(n.account.ID),
			State: ec2types.SecurityGroupVpcAssociationStateAssociated,
		})
	}
	list, err := sift(all, in.Filters, fields[association]{
		"group-id":       func(a association) []string { return optional(a.GroupId) },
		"group-owner-id": func(a association) []string { return optional(a.GroupOwnerId) },
		"vpc-id":         func(a association) []string { return optional(a.VpcId) },
		"vpc-owner-id":   func(a association) []string { return optional(a.VpcOwnerId) },
		"state":          func(a association) []string { return []string{string(a.State)} },
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken})
	return &groupAssociationsOutput{NextToken: next, SecurityGroupVpcAssociationSet: some}, err
}

// groupsForVPCOutput is the answer to GetSecurityGroupsForVpc, its fields named as on the wire.
type groupsForVPCOutput struct {
	NextToken              *string
	SecurityGroupForVpcSet []ec2types.SecurityGroupForVpc
}

func (n *Network) groupsForVPC(in *sdk.GetSecurityGroupsForVpcInput) (*groupsForVPCOutput, error) {
	id := aws.ToString(in.VpcId)
	if id == "" {
		return nil, missing("vpcId")
	}
	if !n.VPC(id) {
		return nil, notFound(id)
	}
	known := n.groupFields()
	fits, err := compile(in.Filters, fields[*group]{
		"group-id": known["group-id"], "description": known["description"], "group-name": known["group-name"], "owner-id": known["owner-id"],
		"primary-vpc-id": known["vpc-id"],
	}, byTags)
	if err != nil {
		return nil, err
	}
	all := []ec2types.SecurityGroupForVpc{}
	for _, g := range n.groups.All() {
		if (g.vpc == id || n.associated(g.id, id)) && fits(g, n.tags[g.id]) {
			all = append(all, ec2types.SecurityGroupForVpc{
				GroupId: text(g.id), GroupName: text(g.name), Description: text(g.description), OwnerId: text(n.account.ID),
				PrimaryVpcId: text(g.vpc), Tags: n.tagList(g.id),
			})
		}
	}
	some, next, err := cut(all, page{size: in.MaxResults, token: in.NextToken})
	return &groupsForVPCOutput{NextToken: next, SecurityGroupForVpcSet: some}, err
}
