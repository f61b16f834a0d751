package lattice

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// link is the association of a service with a service network.
type link struct {
	life

	id, arn string
	network *network
	service *service
}

func (l *link) name() string { return l.arn }

const (
	linkKind = "SERVICE_NETWORK_SERVICE_ASSOCIATION"
	maxLinks = 500
)

func (m *Mesh) linkOperations() []wire.Operation {
	const all = " /servicenetworkserviceassociations"
	const one = all + "/{ServiceNetworkServiceAssociationIdentifier}"
	return []wire.Operation{
		writes(m, "CreateServiceNetworkServiceAssociation", m.createLink).At("POST" + all),
		reads(m, "GetServiceNetworkServiceAssociation", m.getLink).At("GET" + one),
		writes(m, "DeleteServiceNetworkServiceAssociation", m.deleteLink).At("DELETE" + one),
		reads(m, "ListServiceNetworkServiceAssociations", m.listLinks).At("GET" + all),
	}
}

func (m *Mesh) createLink(in *sdk.CreateServiceNetworkServiceAssociationInput) (*sdk.CreateServiceNetworkServiceAssociationOutput, error) {
	before, input, err := m.repeated(linkKind, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	l, ok := m.links.Get(before)
	if !ok {
		if l, err = m.buildLink(in); err != nil {
			return nil, err
		}
		m.keep(linkKind, in.ClientToken, made{input, l.id})
	}
	s := m.showLink(l)
	return &sdk.CreateServiceNetworkServiceAssociationOutput{
		Arn: s.Arn, CreatedBy: s.CreatedBy, CustomDomainName: s.CustomDomainName, DnsEntry: s.DnsEntry, Id: s.Id, Status: s.Status,
	}, nil
}

func (m *Mesh) buildLink(in *sdk.CreateServiceNetworkServiceAssociationInput) (*link, error) {
	s, err := m.settled(in.ServiceIdentifier)
	if err != nil {
		return nil, err
	}
	n, err := find(&m.networks, networkKind, in.ServiceNetworkIdentifier)
	if err != nil {
		return nil, err
	}
	tags, err := m.tagged(in.Tags)
	if err != nil {
		return nil, err
	}
	number := 0
	for _, l := range m.links.All() {
		if l.network != n {
			continue
		}
		number++
		if l.service == s {
			return nil, conflict(linkKind, l.id, "Service %s is associated with service network %s already: %s", s.id, n.id, m.status(l.life))
		}
		if s.domain != nil && aws.ToString(l.service.domain) == *s.domain {
			return nil, conflict(serviceKind, l.service.id, "The custom domain name %s is used in service network %s already", *s.domain, n.id)
		}
	}
	if number >= maxLinks {
		return nil, exceeded(linkKind, maxLinks)
	}
	id := m.id("snsa")
	l := &link{id: id, arn: m.account.ARN("vpc-lattice", "servicenetworkserviceassociation/"+id), network: n, service: s}
	m.begin(&l.life, creating)
	m.links.Put(id, l)
	m.Tags.Put(l.arn, tags)
	return l, nil
}

func (m *Mesh) showLink(l *link) types.ServiceNetworkServiceAssociationSummary {
	return types.ServiceNetworkServiceAssociationSummary{
		Arn: &l.arn, CreatedAt: &l.created, CreatedBy: &m.account.ID, CustomDomainName: l.service.domain, DnsEntry: m.address(l.service), Id: &l.id,
		ServiceArn: &l.service.arn, ServiceId: &l.service.id, ServiceName: &l.service.title, ServiceNetworkArn: &l.network.arn,
		ServiceNetworkId: &l.network.id, ServiceNetworkName: &l.network.title, Status: types.ServiceNetworkServiceAssociationStatus(m.status(l.life)),
	}
}

func (m *Mesh) getLink(in *sdk.GetServiceNetworkServiceAssociationInput) (*sdk.GetServiceNetworkServiceAssociationOutput, error) {
	l, err := find(&m.links, linkKind, in.ServiceNetworkServiceAssociationIdentifier)
	if err != nil {
		return nil, err
	}
	s := m.showLink(l)
	code, message := m.failed(l.life)
	return &sdk.GetServiceNetworkServiceAssociationOutput{
		FailureCode: code, FailureMessage: message,
		Arn: s.Arn, CreatedAt: s.CreatedAt, CreatedBy: s.CreatedBy, CustomDomainName: s.CustomDomainName, DnsEntry: s.DnsEntry, Id: s.Id,
		ServiceArn: s.ServiceArn, ServiceId: s.ServiceId, ServiceName: s.ServiceName, ServiceNetworkArn: s.ServiceNetworkArn,
		ServiceNetworkId: s.ServiceNetworkId, ServiceNetworkName: s.ServiceNetworkName, Status: s.Status,
	}, nil
}

func (m *Mesh) deleteLink(in *sdk.DeleteServiceNetworkServiceAssociationInput) (*sdk.DeleteServiceNetworkServiceAssociationOutput, error) {
	l, err := find(&m.links, linkKind, in.ServiceNetworkServiceAssociationIdentifier)
	if err != nil {
		return nil, err
	}
	if err := m.remove(&l.life, linkKind, l.id); err != nil {
		return nil, err
	}
	return &sdk.DeleteServiceNetworkServiceAssociationOutput{Arn: &l.arn, Id: &l.id, Status: m.showLink(l).Status}, nil
}

func (m *Mesh) listLinks(in *sdk.ListServiceNetworkServiceAssociationsInput) (*sdk.ListServiceNetworkServiceAssociationsOutput, error) {
	if in.ServiceIdentifier == nil && in.ServiceNetworkIdentifier == nil {
		return nil, invalid("serviceIdentifier", "A service or a service network must be given")
	}
	all := slices.DeleteFunc(m.links.Values(), func(l *link) bool {
		return in.ServiceIdentifier != nil && plain(in.ServiceIdentifier) != l.service.id ||
			in.ServiceNetworkIdentifier != nil && plain(in.ServiceNetworkIdentifier) != l.network.id
	})
	items, next, err := cut(all, in.MaxResults, in.NextToken, m.showLink)
	return &sdk.ListServiceNetworkServiceAssociationsOutput{Items: items, NextToken: next}, err
}
