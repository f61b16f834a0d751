package vpc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) permissionOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("AuthorizeSecurityGroupIngress", n.authorizeIngress),
		wire.Writes("AuthorizeSecurityGroupEgress", n.authorizeEgress),
		wire.Writes("RevokeSecurityGroupIngress", n.revokeIngress),
		wire.Writes("RevokeSecurityGroupEgress", n.revokeEgress),
		wire.Reads("DescribeSecurityGroupRules", n.describeSecurityGroupRules),
		wire.Writes("ModifySecurityGroupRules", n.modifySecurityGroupRules),
		wire.Writes("UpdateSecurityGroupRuleDescriptionsIngress", n.updateDescriptionsIngress),
		wire.Writes("UpdateSecurityGroupRuleDescriptionsEgress", n.updateDescriptionsEgress),
	}
}

func (n *Network) authorizeIngress(in *sdk.AuthorizeSecurityGroupIngressInput) (*sdk.AuthorizeSecurityGroupIngressOutput, error) {
	all := in.IpPermissions
	if in.IpProtocol != nil {
		all = append(all, simplePermission(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp))
	}
	rules, err := n.authorize(in.GroupId, ingress, all, in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	return &sdk.AuthorizeSecurityGroupIngressOutput{Return: aws.Bool(true), SecurityGroupRules: rules}, nil
}

func (n *Network) authorizeEgress(in *sdk.AuthorizeSecurityGroupEgressInput) (*sdk.AuthorizeSecurityGroupEgressOutput, error) {
	rules, err := n.authorize(in.GroupId, egress, in.IpPermissions, in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	return &sdk.AuthorizeSecurityGroupEgressOutput{Return: aws.Bool(true), SecurityGroupRules: rules}, nil
}

// simplePermission is the older form of an ingress rule, whose fields stand in the request itself.
func simplePermission(protocol *string, from, to *int32, cidr *string) ec2types.IpPermission {
	p := ec2types.IpPermission{IpProtocol: protocol, FromPort: from, ToPort: to}
	if cidr != nil {
		p.IpRanges = []ec2types.IpRange{{CidrIp: cidr}}
	}
	return p
}

// authorize adds all rules or none.
func (n *Network) authorize(groupID *string, d direction, all []ec2types.IpPermission, specs []ec2types.TagSpecification) (
	[]ec2types.SecurityGroupRule, error,
) {
	g, fresh, err := n.readPermissions(groupID, d, all)
	if err != nil {
		return nil, err
	}
	tags, err := n.specified(specs, ec2types.ResourceTypeSecurityGroupRule)
	if err != nil {
		return nil, err
	}
	for _, r := range fresh {
		if g.find(&r) != nil {
			return nil, wire.Errorf("InvalidPermission.Duplicate", "the specified rule \"%s\" already exists", r.String())
		}
	}
	if err := n.checkRuleCount(g, fresh); err != nil {
		return nil, err
	}
	views := make([]ec2types.SecurityGroupRule, 0, len(fresh))
	for _, r := range fresh {
		added := n.putRule(g, r)
		n.setTags(added.id, tags)
		views = append(views, n.ruleView(g, added))
	}
	return views, nil
}

func (n *Network) readPermissions(groupID *string, d direction, all []ec2types.IpPermission) (*group, []rule, error) {
	id := aws.ToString(groupID)
	if id == "" {
		return nil, nil, missing("groupId")
	}
	if malformedID(id, "sg") {
		return nil, nil, wire.Errorf("InvalidGroupId.Malformed", "Invalid id: \"%s\" (expecting \"sg-...\")", id)
	}
	g, ok := n.groups.Get(id)
	if !ok {
		return nil, nil, notFound(id)
	}
	if len(all) == 0 {
		return nil, nil, missing("ipPermissions")
	}
	rules, err := n.parsePermissions(g, d, all)
	return g, rules, err
}

// checkRuleCount holds the quota of each direction and address family.
func (n *Network) checkRuleCount(g *group, fresh []rule) error {
	type family struct {
		egress direction
		six    bool
	}
	counts := map[family]int{}
	count := func(r *rule) {
		weight, four, six := n.weigh(r)
		if four {
			counts[family{r.egress, false}] += weight
		}
		if six {
			counts[family{r.egress, true}] += weight
		}
	}
	for _, r := range g.rules.All() {
		count(r)
	}
	for i := range fresh {
		count(&fresh[i])
	}
	for _, c := range counts {
		if c > n.Quotas.RulesPerGroup {
			return wire.Errorf("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
		}
	}
	return nil
}

// weigh says how many rules a rule counts as, and in which families: a prefix list as its weight in its own, a group as one in both.
func (n *Network) weigh(r *rule) (weight int, four, six bool) {
	if p, ok := n.prefixLists.Get(r.prefixList); ok {
		return p.weight, *p.AddressFamily == family4, *p.AddressFamily == family6
	}
	return 1, r.cidr6 == "", r.cidr4 == ""
}

func (n *Network) revokeIngress(in *sdk.RevokeSecurityGroupIngressInput) (*sdk.RevokeSecurityGroupIngressOutput, error) {
	all := in.IpPermissions
	if in.IpProtocol != nil {
		all = append(all, simplePermission(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp))
	}
	gone, err := n.revoke(revocation{group: in.GroupId, direction: ingress, permissions: all, ids: in.SecurityGroupRuleIds})
	if err != nil {
		return nil, err
	}
	return &sdk.RevokeSecurityGroupIngressOutput{Return: aws.Bool(true), RevokedSecurityGroupRules: gone}, nil
}

func (n *Network) revokeEgress(in *sdk.RevokeSecurityGroupEgressInput) (*sdk.RevokeSecurityGroupEgressOutput, error) {
	gone, err := n.revoke(revocation{group: in.GroupId, direction: egress, permissions: in.IpPermissions, ids: in.SecurityGroupRuleIds})
	if err != nil {
		return nil, err
	}
	return &sdk.RevokeSecurityGroupEgressOutput{Return: aws.Bool(true), RevokedSecurityGroupRules: gone}, nil
}

// revocation names rules of a group by permission or by identifier.
type revocation struct {
	group       *string
	direction   direction
	permissions []ec2types.IpPermission
	ids         []string
}

// revoke removes all rules or none.
func (n *Network) revoke(r revocation) ([]ec2types.RevokedSecurityGroupRule, error) {
	g, found, err := n.findRevoked(r)
	if err != nil {
		return nil, err
	}
	gone := make([]ec2types.RevokedSecurityGroupRule, 0, len(found))
	for _, x := range found {
		gone = append(gone, ec2types.RevokedSecurityGroupRule{
			SecurityGroupRuleId: aws.String(x.id), GroupId: aws.String(g.id), IsEgress: aws.Bool(x.egress), IpProtocol: aws.String(x.protocol),
			FromPort: x.from(), ToPort: x.to(), CidrIpv4: text(x.cidr4), CidrIpv6: text(x.cidr6), PrefixListId: text(x.prefixList),
			ReferencedGroupId: text(x.group), Description: text(x.description),
		})
		n.forget(g.rules, x.id)
	}
	return gone, nil
}

func (n *Network) findRevoked(r revocation) (*group, []*rule, error) {
	if r.ids != nil {
		return n.findByIDs(r)
	}
	g, wanted, err := n.readPermissions(r.group, r.direction, r.permissions)
	if err != nil {
		return nil, nil, err
	}
	found := make([]*rule, 0, len(wanted))
	for _, w := range wanted {
		x := g.find(&w)
		if x == nil {
			return nil, nil, wire.Errorf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		found = append(found, x)
	}
	return g, found, nil
}

func (n *Network) findByIDs(r revocation) (*group, []*rule, error) {
	g, ok := n.groups.Get(aws.ToString(r.group))
	if !ok {
		return nil, nil, notFound(aws.ToString(r.group))
	}
	found := make([]*rule, 0, len(r.ids))
	for _, id := range r.ids {
		x, ok := g.rules.Get(id)
		if !ok || x.egress != r.direction {
			return nil, nil, wire.Errorf("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
		}
		found = append(found, x)
	}
	return g, found, nil
}
