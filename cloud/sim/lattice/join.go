package lattice

import (
	"net/netip"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// join is the association of a VPC with a service network.
type join struct {
	life

	id, arn, vpc string
	network      *network
	groups       []string
	dns          *types.DnsOptions
	private      *bool
	// entrance is the loopback address at which the data plane takes the VPC's clients.
	entrance netip.Addr
}

func (j *join) name() string { return j.arn }

const (
	joinKind   = "SERVICE_NETWORK_VPC_ASSOCIATION"
	mostGuards = 5
)

func (m *Mesh) joinOperations() []wire.Operation {
	const all = " /servicenetworkvpcassociations"
	const one = all + "/{ServiceNetworkVpcAssociationIdentifier}"
	return []wire.Operation{
		writes(m, "CreateServiceNetworkVpcAssociation", m.createJoin).At("POST" + all),
		reads(m, "GetServiceNetworkVpcAssociation", m.getJoin).At("GET" + one),
		writes(m, "UpdateServiceNetworkVpcAssociation", m.updateJoin).At("PATCH" + one),
		writes(m, "DeleteServiceNetworkVpcAssociation", m.deleteJoin).At("DELETE" + one),
		reads(m, "ListServiceNetworkVpcAssociations", m.listJoins).At("GET" + all),
	}
}

func (m *Mesh) joinState(j *join) types.ServiceNetworkVpcAssociationStatus {
	return types.ServiceNetworkVpcAssociationStatus(m.status(j.life))
}

func (m *Mesh) createJoin(in *sdk.CreateServiceNetworkVpcAssociationInput) (*sdk.CreateServiceNetworkVpcAssociationOutput, error) {
	before, input, err := m.repeated(joinKind, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	j, ok := m.joins.Get(before)
	if !ok {
		if j, err = m.buildJoin(in); err != nil {
			return nil, err
		}
		m.keep(joinKind, in.ClientToken, made{input, j.id})
	}
	return &sdk.CreateServiceNetworkVpcAssociationOutput{
		Arn: &j.arn, CreatedBy: &m.account.ID, DnsOptions: j.dns, Id: &j.id, PrivateDnsEnabled: j.private, SecurityGroupIds: j.groups, Status: m.joinState(j),
	}, nil
}

func (m *Mesh) buildJoin(in *sdk.CreateServiceNetworkVpcAssociationInput) (*join, error) {
	n, err := find(&m.networks, networkKind, in.ServiceNetworkIdentifier)
	if err != nil {
		return nil, err
	}
	if in.VpcIdentifier == nil || !m.resources.VPC(*in.VpcIdentifier) {
		return nil, absent("VPC", plain(in.VpcIdentifier))
	}
	if err := m.checkGuards(*in.VpcIdentifier, in.SecurityGroupIds); err != nil {
		return nil, err
	}
	tags, err := m.tagged(in.Tags)
	if err != nil {
		return nil, err
	}
	for _, other := range m.joins.All() {
		if other.vpc == *in.VpcIdentifier {
			return nil, conflict(joinKind, other.id, "VPC has already been associated to a service network.")
		}
	}
	id := m.id("snva")
	j := &join{
		id: id, arn: m.account.ARN("vpc-lattice", "servicenetworkvpcassociation/"+id), vpc: *in.VpcIdentifier, network: n, groups: in.SecurityGroupIds,
		dns: in.DnsOptions, private: in.PrivateDnsEnabled, entrance: m.options.Pool.Lend(),
	}
	m.begin(&j.life, creating)
	m.joins.Put(id, j)
	m.Tags.Put(j.arn, tags)
	return j, nil
}

// checkGuards checks security groups: they are of the VPC.
func (m *Mesh) checkGuards(vpc string, groups []string) error {
	if len(groups) > mostGuards {
		return invalid("securityGroupIds", "There can be at most %d security groups", mostGuards)
	}
	for i, g := range groups {
		of, ok := m.resources.GroupVPC(g)
		if !ok || of != vpc || slices.Contains(groups[:i], g) {
			return invalid("securityGroupIds", "The security group '%s' is not one of VPC %s, or is given twice", g, vpc)
		}
	}
	return nil
}

func (m *Mesh) showJoin(j *join) types.ServiceNetworkVpcAssociationSummary {
	return types.ServiceNetworkVpcAssociationSummary{
		Arn: &j.arn, CreatedAt: &j.created, CreatedBy: &m.account.ID, DnsOptions: j.dns, Id: &j.id, LastUpdatedAt: &j.updated, PrivateDnsEnabled: j.private,
		ServiceNetworkArn: &j.network.arn, ServiceNetworkId: &j.network.id, ServiceNetworkName: &j.network.title, Status: m.joinState(j), VpcId: &j.vpc,
	}
}

func (m *Mesh) getJoin(in *sdk.GetServiceNetworkVpcAssociationInput) (*sdk.GetServiceNetworkVpcAssociationOutput, error) {
	j, err := find(&m.joins, joinKind, in.ServiceNetworkVpcAssociationIdentifier)
	if err != nil {
		return nil, err
	}
	s := m.showJoin(j)
	code, message := m.failed(j.life)
	return &sdk.GetServiceNetworkVpcAssociationOutput{
		FailureCode: code, FailureMessage: message,
		Arn: s.Arn, CreatedAt: s.CreatedAt, CreatedBy: s.CreatedBy, DnsOptions: s.DnsOptions, Id: s.Id, LastUpdatedAt: s.LastUpdatedAt,
		PrivateDnsEnabled: s.PrivateDnsEnabled, SecurityGroupIds: j.groups, ServiceNetworkArn: s.ServiceNetworkArn, ServiceNetworkId: s.ServiceNetworkId,
		ServiceNetworkName: s.ServiceNetworkName, Status: s.Status, VpcId: s.VpcId,
	}, nil
}

func (m *Mesh) updateJoin(in *sdk.UpdateServiceNetworkVpcAssociationInput) (*sdk.UpdateServiceNetworkVpcAssociationOutput, error) {
	j, err := find(&m.joins, joinKind, in.ServiceNetworkVpcAssociationIdentifier)
	if err != nil {
		return nil, err
	}
	if is := m.status(j.life); is != active && is != "UPDATE_FAILED" {
		return nil, conflict(joinKind, j.id, "Association %s is in the state %s", j.id, is)
	}
	if len(in.SecurityGroupIds) == 0 {
		return nil, invalid("securityGroupIds", "At least one security group must be given")
	}
	if err := m.checkGuards(j.vpc, in.SecurityGroupIds); err != nil {
		return nil, err
	}
	j.groups = in.SecurityGroupIds
	m.begin(&j.life, updating)
	return &sdk.UpdateServiceNetworkVpcAssociationOutput{
		Arn: &j.arn, CreatedBy: &m.account.ID, Id: &j.id, SecurityGroupIds: j.groups, Status: m.joinState(j),
	}, nil
}

func (m *Mesh) deleteJoin(in *sdk.DeleteServiceNetworkVpcAssociationInput) (*sdk.DeleteServiceNetworkVpcAssociationOutput, error) {
	j, err := find(&m.joins, joinKind, in.ServiceNetworkVpcAssociationIdentifier)
	if err != nil {
		return nil, err
	}
	if err := m.remove(&j.life, joinKind, j.id); err != nil {
		return nil, err
	}
	return &sdk.DeleteServiceNetworkVpcAssociationOutput{Arn: &j.arn, Id: &j.id, Status: m.joinState(j)}, nil
}

func (m *Mesh) listJoins(in *sdk.ListServiceNetworkVpcAssociationsInput) (*sdk.ListServiceNetworkVpcAssociationsOutput, error) {
	if in.VpcIdentifier == nil && in.ServiceNetworkIdentifier == nil {
		return nil, invalid("vpcIdentifier", "A VPC or a service network must be given")
	}
	all := slices.DeleteFunc(m.joins.Values(), func(j *join) bool {
		return in.VpcIdentifier != nil && *in.VpcIdentifier != j.vpc ||
			in.ServiceNetworkIdentifier != nil && plain(in.ServiceNetworkIdentifier) != j.network.id
	})
	items, next, err := cut(all, in.MaxResults, in.NextToken, m.showJoin)
	return &sdk.ListServiceNetworkVpcAssociationsOutput{Items: items, NextToken: next}, err
}
