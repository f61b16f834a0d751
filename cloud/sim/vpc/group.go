package vpc

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// group is a security group. Its rules have one peer each; describing merges them.
type group struct {
	id, name, description, vpc string
	rules                      *table.Table[*rule]
}

// defaultGroup is the name of the group that comes with a VPC.
const defaultGroup = "default"

const (
	groupCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*"
	maxGroupText    = 255
)

func (n *Network) groupOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateSecurityGroup", n.createSecurityGroup),
		wire.Reads("DescribeSecurityGroups", n.describeSecurityGroups),
		wire.Writes("DeleteSecurityGroup", n.deleteSecurityGroup),
	}
}

func (n *Network) createSecurityGroup(in *sdk.CreateSecurityGroupInput) (*sdk.CreateSecurityGroupOutput, error) {
	g := group{id: "", name: aws.ToString(in.GroupName), description: aws.ToString(in.Description), vpc: aws.ToString(in.VpcId)}
	if err := n.checkGroup(g); err != nil {
		return nil, err
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeSecurityGroup)
	if err != nil {
		return nil, err
	}
	g.id = n.identify("sg")
	n.addGroup(g)
	n.setTags(g.id, tags)
	return &sdk.CreateSecurityGroupOutput{
		GroupId: aws.String(g.id), SecurityGroupArn: aws.String(n.groupARN(g.id)), Tags: n.tagList(g.id),
	}, nil
}

func (n *Network) checkGroup(g group) error {
	switch {
	case g.name == "":
		return missing("groupName")
	case g.description == "":
		return missing("groupDescription")
	case g.vpc == "":
		return missing("vpcId")
	case !has(&n.vpcs, g.vpc):
		return notFound(g.vpc)
	case strings.HasPrefix(g.name, "sg-"):
		return wire.Errorf("InvalidParameterValue", "Invalid value '%s' for groupName. Group names may not be in the format sg-*.", g.name)
	case len(g.name) > maxGroupText || strings.Trim(g.name, groupCharacters) != "":
		return wire.Errorf("InvalidParameterValue", "Value (%s) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", g.name)
	case len(g.description) > maxGroupText || strings.Trim(g.description, groupCharacters) != "":
		return wire.Errorf("InvalidParameterValue", "Value (%s) for parameter GroupDescription is invalid.", g.description)
	case n.groups.Len() >= n.Quotas.GroupsPerRegion:
		return wire.Errorf("SecurityGroupLimitExceeded", "The maximum number of security groups for this account has been reached.")
	}
	for _, other := range n.groups.All() {
		if other.vpc == g.vpc && strings.EqualFold(other.name, g.name) {
			return wire.Errorf("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", g.name, g.vpc)
		}
	}
	return nil
}

// addGroup makes a group that lets everything out; the default group also lets itself in.
func (n *Network) addGroup(g group) {
	g.rules = &table.Table[*rule]{}
	n.groups.Put(g.id, &g)
	n.putRule(&g, rule{egress: true, protocol: allProtocols, cidr4: "0.0.0.0/0"})
	if v, ok := n.vpcs.Get(g.vpc); ok && len(v.Ipv6CidrBlockAssociationSet) > 0 {
		n.putRule(&g, rule{egress: true, protocol: allProtocols, cidr6: "::/0"})
	}
	if g.name == defaultGroup {
		n.putRule(&g, rule{protocol: allProtocols, group: g.id})
	}
}

func (n *Network) groupARN(id string) string { return n.account.ARN("ec2", "security-group/"+id) }

func (n *Network) groupView(g *group) ec2types.SecurityGroup {
	return ec2types.SecurityGroup{
		GroupId: aws.String(g.id), GroupName: aws.String(g.name), Description: aws.String(g.description), VpcId: aws.String(g.vpc),
		OwnerId: aws.String(n.account.ID), SecurityGroupArn: aws.String(n.groupARN(g.id)), Tags: n.tagList(g.id),
		IpPermissions: n.permissions(g, ingress), IpPermissionsEgress: n.permissions(g, egress),
	}
}

func (n *Network) describeSecurityGroups(in *sdk.DescribeSecurityGroupsInput) (*sdk.DescribeSecurityGroupsOutput, error) {
	for _, id := range in.GroupIds {
		if malformedID(id, "sg") {
			return nil, wire.Errorf("InvalidGroupId.Malformed", "Invalid id: \"%s\" (expecting \"sg-...\")", id)
		}
	}
	filters := in.Filters
	if in.GroupNames != nil {
		if err := n.checkNames(in.GroupNames); err != nil {
			return nil, err
		}
		filters = append(filters, ec2types.Filter{Name: aws.String("group-name"), Values: in.GroupNames})
	}
	list, err := pick(n, selection{ids: in.GroupIds, filters: filters}, &n.groups, n.groupFields())
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, byID: in.GroupIds != nil})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeSecurityGroupsOutput{NextToken: next, SecurityGroups: []ec2types.SecurityGroup{}}
	for _, g := range some {
		out.SecurityGroups = append(out.SecurityGroups, n.groupView(g))
	}
	return out, nil
}

// checkNames demands that there is a group of each name.
func (n *Network) checkNames(names []string) error {
	held := each(n.groups.Values(), func(g *group) *string { return &g.name })
	for _, name := range names {
		if !slices.Contains(held, name) {
			return wire.Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", name)
		}
	}
	return nil
}

func (n *Network) groupFields() fields[*group] {
	known := fields[*group]{
		"group-id":    func(g *group) []string { return []string{g.id} },
		"group-name":  func(g *group) []string { return []string{g.name} },
		"description": func(g *group) []string { return []string{g.description} },
		"vpc-id":      func(g *group) []string { return []string{g.vpc} },
		"owner-id":    func(*group) []string { return []string{n.account.ID} },
	}
	for name, read := range map[string]func(*rule) []string{
		"cidr":           func(r *rule) []string { return optional(&r.cidr4) },
		"ipv6-cidr":      func(r *rule) []string { return optional(&r.cidr6) },
		"group-id":       func(r *rule) []string { return optional(&r.group) },
		"group-name":     func(r *rule) []string { return optional(aws.String(n.groupName(r.group))) },
		"user-id":        n.ruleOwner,
		"prefix-list-id": func(r *rule) []string { return optional(&r.prefixList) },
		"protocol":       func(r *rule) []string { return []string{r.protocol} },
		"from-port":      func(r *rule) []string { return number(r.from()) },
		"to-port":        func(r *rule) []string { return number(r.to()) },
	} {
		known["ip-permission."+name] = func(g *group) []string { return g.values(ingress, read) }
		known["egress.ip-permission."+name] = func(g *group) []string { return g.values(egress, read) }
	}
	return known
}

// values gives what the rules of one direction hold.
func (g *group) values(d direction, read func(*rule) []string) []string {
	var all []string
	for _, r := range g.rules.All() {
		if r.egress == d {
			all = append(all, read(r)...)
		}
	}
	return all
}

func (n *Network) groupName(id string) string {
	if g, ok := n.groups.Get(id); ok {
		return g.name
	}
	return ""
}

func (n *Network) ruleOwner(r *rule) []string {
	if r.group == "" {
		return nil
	}
	return []string{n.account.ID}
}

func (n *Network) deleteSecurityGroup(in *sdk.DeleteSecurityGroupInput) (*sdk.DeleteSecurityGroupOutput, error) {
	n.sweep()
	id := aws.ToString(in.GroupId)
	if id == "" {
		return nil, missing("groupId")
	}
	g, ok := n.groups.Get(id)
	if !ok {
		return nil, notFound(id)
	}
	if g.name == defaultGroup {
		return nil, wire.Errorf("CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", id)
	}
	if n.groupInUse(id) {
		return nil, wire.Errorf("DependencyViolation", "resource %s has a dependent object", id)
	}
	for ruleID := range g.rules.All() {
		delete(n.tags, ruleID)
	}
	n.forget(&n.groups, id)
	return &sdk.DeleteSecurityGroupOutput{GroupId: in.GroupId, Return: aws.Bool(true)}, nil
}

// groupInUse reports whether an interface has the group, a rule of another group of its VPC refers to it, or another VPC may use it. A rule
// on the other side of a peering connection becomes stale instead.
func (n *Network) groupInUse(id string) bool {
	for _, i := range n.interfaces.All() {
		for _, g := range i.Groups {
			if *g.GroupId == id {
				return true
			}
		}
	}
	for _, g := range n.groups.All() {
		if g.id == id {
			continue
		}
		for _, r := range g.rules.All() {
			if r.group == id && r.peerVPC == "" {
				return true
			}
		}
	}
	return slices.ContainsFunc(n.associations, func(a groupAssociation) bool { return a.group == id })
}
