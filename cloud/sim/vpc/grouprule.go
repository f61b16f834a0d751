package vpc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) describeSecurityGroupRules(in *sdk.DescribeSecurityGroupRulesInput) (*sdk.DescribeSecurityGroupRulesOutput, error) {
	for _, id := range in.SecurityGroupRuleIds {
		if !n.ruleExists(id) {
			return nil, notFound(id)
		}
	}
	fits, err := compile(in.Filters, groupRuleFields(), byTags)
	if err != nil {
		return nil, err
	}
	all := []ec2types.SecurityGroupRule{}
	for _, g := range n.groups.All() {
		for id, r := range g.rules.All() {
			named := in.SecurityGroupRuleIds == nil || slices.Contains(in.SecurityGroupRuleIds, id)
			if named && fits(groupRule{g, r}, n.tags[id]) {
				all = append(all, n.ruleView(g, r))
			}
		}
	}
	some, next, err := cut(all, page{size: in.MaxResults, token: in.NextToken, byID: in.SecurityGroupRuleIds != nil})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeSecurityGroupRulesOutput{SecurityGroupRules: some, NextToken: next}, nil
}

// groupRule is a rule with the group that it is of.
type groupRule struct {
	group *group
	rule  *rule
}

func groupRuleFields() fields[groupRule] {
	return fields[groupRule]{
		"group-id":               func(x groupRule) []string { return []string{x.group.id} },
		"security-group-rule-id": func(x groupRule) []string { return []string{x.rule.id} },
	}
}

func (n *Network) modifySecurityGroupRules(in *sdk.ModifySecurityGroupRulesInput) (*sdk.ModifySecurityGroupRulesOutput, error) {
	g, ok := n.groups.Get(aws.ToString(in.GroupId))
	if !ok {
		return nil, notFound(aws.ToString(in.GroupId))
	}
	changed := map[string]rule{}
	for _, u := range in.SecurityGroupRules {
		held, ok := g.rules.Get(aws.ToString(u.SecurityGroupRuleId))
		if !ok {
			return nil, notFound(aws.ToString(u.SecurityGroupRuleId))
		}
		if u.SecurityGroupRule == nil {
			return nil, missing("SecurityGroupRule")
		}
		fresh, err := n.parsePermissions(g, held.egress, []ec2types.IpPermission{requestPermission(u.SecurityGroupRule)})
		if err != nil {
			return nil, err
		}
		if other := g.find(&fresh[0]); other != nil && other.id != held.id {
			return nil, wire.Errorf("InvalidPermission.Duplicate", "the specified rule \"%s\" already exists", fresh[0].String())
		}
		fresh[0].id = held.id
		changed[held.id] = fresh[0]
	}
	for id, r := range changed {
		g.rules.Put(id, &r)
	}
	return &sdk.ModifySecurityGroupRulesOutput{Return: aws.Bool(true)}, nil
}

// requestPermission writes a rule with one peer as a permission.
func requestPermission(r *ec2types.SecurityGroupRuleRequest) ec2types.IpPermission {
	p := ec2types.IpPermission{IpProtocol: r.IpProtocol, FromPort: r.FromPort, ToPort: r.ToPort}
	switch {
	case r.CidrIpv4 != nil:
		p.IpRanges = []ec2types.IpRange{{CidrIp: r.CidrIpv4, Description: r.Description}}
	case r.CidrIpv6 != nil:
		p.Ipv6Ranges = []ec2types.Ipv6Range{{CidrIpv6: r.CidrIpv6, Description: r.Description}}
	case r.PrefixListId != nil:
		p.PrefixListIds = []ec2types.PrefixListId{{PrefixListId: r.PrefixListId, Description: r.Description}}
	case r.ReferencedGroupId != nil:
		p.UserIdGroupPairs = []ec2types.UserIdGroupPair{{GroupId: r.ReferencedGroupId, Description: r.Description}}
	}
	return p
}

func (n *Network) updateDescriptionsIngress(in *sdk.UpdateSecurityGroupRuleDescriptionsIngressInput) (
	*sdk.UpdateSecurityGroupRuleDescriptionsIngressOutput, error,
) {
	err := n.describeRules(revocation{group: in.GroupId, direction: ingress, permissions: in.IpPermissions}, in.SecurityGroupRuleDescriptions)
	return &sdk.UpdateSecurityGroupRuleDescriptionsIngressOutput{Return: aws.Bool(err == nil)}, err
}

func (n *Network) updateDescriptionsEgress(in *sdk.UpdateSecurityGroupRuleDescriptionsEgressInput) (
	*sdk.UpdateSecurityGroupRuleDescriptionsEgressOutput, error,
) {
	err := n.describeRules(revocation{group: in.GroupId, direction: egress, permissions: in.IpPermissions}, in.SecurityGroupRuleDescriptions)
	return &sdk.UpdateSecurityGroupRuleDescriptionsEgressOutput{Return: aws.Bool(err == nil)}, err
}

// describeRules gives rules, named by permission or by identifier, a new description.
func (n *Network) describeRules(named revocation, byID []ec2types.SecurityGroupRuleDescription) error {
	descriptions := map[string]string{}
	for _, d := range byID {
		named.ids = append(named.ids, aws.ToString(d.SecurityGroupRuleId))
		descriptions[aws.ToString(d.SecurityGroupRuleId)] = aws.ToString(d.Description)
		if err := checkDescription(aws.ToString(d.Description)); err != nil {
			return err
		}
	}
	g, found, err := n.findRevoked(named)
	if err != nil {
		return err
	}
	if byID == nil {
		_, wanted, err := n.readPermissions(named.group, named.direction, named.permissions)
		if err != nil {
			return err
		}
		for i, r := range found {
			descriptions[r.id] = wanted[i].description
		}
	}
	for _, r := range found {
		fresh := *r
		fresh.description = descriptions[r.id]
		g.rules.Put(r.id, &fresh)
	}
	return nil
}
