package lattice

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

type network struct {
	life

	id, arn, title string
	auth           types.AuthType
	sharing        *types.SharingConfig
}

func (n *network) name() string { return n.arn }

const (
	networkKind = "SERVICE_NETWORK"
	maxNetworks = 50
)

func (m *Mesh) networkOperations() []wire.Operation {
	const all, one = " /servicenetworks", " /servicenetworks/{ServiceNetworkIdentifier}"
	return []wire.Operation{
		writes(m, "CreateServiceNetwork", m.createNetwork).At("POST"+all, wire.Status(http.StatusCreated)),
		reads(m, "GetServiceNetwork", m.getNetwork).At("GET" + one), writes(m, "UpdateServiceNetwork", m.updateNetwork).At("PATCH" + one),
		writes(m, "DeleteServiceNetwork", m.deleteNetwork).At("DELETE"+one, wire.Status(http.StatusNoContent)),
		reads(m, "ListServiceNetworks", m.listNetworks).At("GET" + all),
	}
}

func authOr(asked types.AuthType) types.AuthType {
	if asked == "" {
		return types.AuthTypeNone
	}
	return asked
}

func (m *Mesh) createNetwork(in *sdk.CreateServiceNetworkInput) (*sdk.CreateServiceNetworkOutput, error) {
	before, input, err := m.repeated(networkKind, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	n, ok := m.networks.Get(before)
	if !ok {
		if n, err = m.buildNetwork(in); err != nil {
			return nil, err
		}
		m.keep(networkKind, in.ClientToken, made{input, n.id})
	}
	return &sdk.CreateServiceNetworkOutput{Arn: &n.arn, AuthType: n.auth, Id: &n.id, Name: &n.title, SharingConfig: n.sharing}, nil
}

func (m *Mesh) buildNetwork(in *sdk.CreateServiceNetworkInput) (*network, error) {
	const longest = 63
	if err := checkName(in.Name, longest, "sn-"); err != nil {
		return nil, err
	}
	tags, err := m.tagged(in.Tags)
	if err != nil {
		return nil, err
	}
	for _, other := range m.networks.All() {
		if other.title == *in.Name {
			return nil, conflict(networkKind, other.id, "A service network with the name %s already exists", *in.Name)
		}
	}
	if m.networks.Len() >= maxNetworks {
		return nil, exceeded(networkKind, maxNetworks)
	}
	id := m.id("sn")
	n := &network{id: id, arn: m.account.ARN("vpc-lattice", "servicenetwork/"+id), title: *in.Name, auth: authOr(in.AuthType), sharing: in.SharingConfig}
	m.stamp(&n.life, creating)
	m.networks.Put(id, n)
	m.Tags.Put(n.arn, tags)
	return n, nil
}

func (m *Mesh) showNetwork(n *network) types.ServiceNetworkSummary {
	var services, vpcs int64
	for _, l := range m.links.All() {
		if l.network == n {
			services++
		}
	}
	for _, j := range m.joins.All() {
		if j.network == n {
			vpcs++
		}
	}
	return types.ServiceNetworkSummary{
		Arn: &n.arn, Id: &n.id, Name: &n.title, CreatedAt: &n.created, LastUpdatedAt: &n.updated, NumberOfAssociatedServices: &services,
		NumberOfAssociatedVPCs: &vpcs, NumberOfAssociatedResourceConfigurations: aws.Int64(0),
	}
}

func (m *Mesh) getNetwork(in *sdk.GetServiceNetworkInput) (*sdk.GetServiceNetworkOutput, error) {
	n, err := find(&m.networks, networkKind, in.ServiceNetworkIdentifier)
	if err != nil {
		return nil, err
	}
	s := m.showNetwork(n)
	return &sdk.GetServiceNetworkOutput{
		Arn: s.Arn, AuthType: n.auth, CreatedAt: s.CreatedAt, Id: s.Id, LastUpdatedAt: s.LastUpdatedAt, Name: s.Name, SharingConfig: n.sharing,
		NumberOfAssociatedServices: s.NumberOfAssociatedServices, NumberOfAssociatedVPCs: s.NumberOfAssociatedVPCs,
	}, nil
}

func (m *Mesh) updateNetwork(in *sdk.UpdateServiceNetworkInput) (*sdk.UpdateServiceNetworkOutput, error) {
	n, err := find(&m.networks, networkKind, in.ServiceNetworkIdentifier)
	if err != nil {
		return nil, err
	}
	if in.AuthType == "" {
		return nil, invalid("authType", "An auth type must be given")
	}
	n.auth, n.updated = in.AuthType, m.account.Now()
	return &sdk.UpdateServiceNetworkOutput{Arn: &n.arn, AuthType: n.auth, Id: &n.id, Name: &n.title}, nil
}

func (m *Mesh) deleteNetwork(in *sdk.DeleteServiceNetworkInput) (*sdk.DeleteServiceNetworkOutput, error) {
	n, err := find(&m.networks, networkKind, in.ServiceNetworkIdentifier)
	if err != nil {
		return nil, err
	}
	s := m.showNetwork(n)
	switch {
	case *s.NumberOfAssociatedVPCs > 0:
		return nil, conflict(networkKind, n.id, "ServiceNetwork %s has VPC(s) associated", n.id)
	case *s.NumberOfAssociatedServices > 0:
		return nil, conflict(networkKind, n.id, "ServiceNetwork %s has service(s) associated", n.id)
	}
	m.networks.Delete(n.id)
	m.forget(n.arn)
	return &sdk.DeleteServiceNetworkOutput{}, nil
}

func (m *Mesh) listNetworks(in *sdk.ListServiceNetworksInput) (*sdk.ListServiceNetworksOutput, error) {
	items, next, err := cut(m.networks.Values(), in.MaxResults, in.NextToken, m.showNetwork)
	return &sdk.ListServiceNetworksOutput{Items: items, NextToken: next}, err
}
