package zones

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *Zones) networkOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("AssociateVPCWithHostedZone", s.associate).At("POST /2013-04-01/hostedzone/{HostedZoneId}/associatevpc"),
		wire.Writes("DisassociateVPCFromHostedZone", s.disassociate).At("POST /2013-04-01/hostedzone/{HostedZoneId}/disassociatevpc"),
		wire.Reads("ListHostedZonesByVPC", s.listByVPC).
			At("GET /2013-04-01/hostedzonesbyvpc?vpcid={VPCId}&vpcregion={VPCRegion}&maxitems={MaxItems}&nexttoken={NextToken}"),
	}
}

// free checks a VPC that is to see a private zone: it exists and sees no other zone of that name.
func (s *Zones) free(name string, v dnstypes.VPC) error {
	id := aws.ToString(v.VPCId)
	if string(v.VPCRegion) != s.account.Region || !s.resources.VPC(id) {
		return wire.Errorf("InvalidVPCId", "The VPC: %s you provided is invalid or cannot be found.", id)
	}
	for _, z := range s.zones.All() {
		if *z.shape.Name == name && slices.ContainsFunc(z.vpcs, sees(id)) {
			return wire.Errorf("ConflictingDomainExists",
				"The VPC %s in region %s has already been associated with the hosted zone %s with the same domain name.", id, v.VPCRegion, plain(z.shape.Id))
		}
	}
	return nil
}

func sees(id string) func(dnstypes.VPC) bool {
	return func(v dnstypes.VPC) bool { return aws.ToString(v.VPCId) == id }
}

func (s *Zones) associate(in *sdk.AssociateVPCWithHostedZoneInput) (*sdk.AssociateVPCWithHostedZoneOutput, error) {
	z, err := s.privateZone(in.HostedZoneId, in.VPC)
	if err == nil {
		err = s.free(*z.shape.Name, *in.VPC)
	}
	if err != nil {
		return nil, err
	}
	z.vpcs = append(slices.Clone(z.vpcs), *in.VPC)
	return &sdk.AssociateVPCWithHostedZoneOutput{ChangeInfo: s.submit(in.Comment)}, nil
}

func (s *Zones) privateZone(id *string, v *dnstypes.VPC) (*zone, error) {
	z, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, invalid("A VPC must be given.")
	}
	if !z.private() {
		return nil, wire.Errorf("PublicZoneVPCAssociation", "Cannot associate a VPC with the public hosted zone %s.", plain(id))
	}
	return z, nil
}

func (s *Zones) disassociate(in *sdk.DisassociateVPCFromHostedZoneInput) (*sdk.DisassociateVPCFromHostedZoneOutput, error) {
	z, err := s.privateZone(in.HostedZoneId, in.VPC)
	if err != nil {
		return nil, err
	}
	id := aws.ToString(in.VPC.VPCId)
	if !s.resources.VPC(id) && !slices.ContainsFunc(z.vpcs, sees(id)) {
		return nil, wire.Errorf("InvalidVPCId", "The VPC: %s you provided is invalid or cannot be found.", id)
	}
	if !slices.ContainsFunc(z.vpcs, sees(id)) {
		return nil, absent("VPCAssociationNotFound", "The VPC: %s is not associated with the hosted zone: %s.", id, plain(in.HostedZoneId))
	}
	if len(z.vpcs) == 1 {
		return nil, wire.Errorf("LastVPCAssociation", "Cannot remove the last VPC association for the private zone %s.", plain(in.HostedZoneId))
	}
	z.vpcs = slices.DeleteFunc(slices.Clone(z.vpcs), sees(id))
	return &sdk.DisassociateVPCFromHostedZoneOutput{ChangeInfo: s.submit(in.Comment)}, nil
}

func (s *Zones) listByVPC(in *sdk.ListHostedZonesByVPCInput) (*sdk.ListHostedZonesByVPCOutput, error) {
	number, err := size(in.MaxItems, mostListed)
	if err != nil {
		return nil, err
	}
	id := aws.ToString(in.VPCId)
	if string(in.VPCRegion) != s.account.Region || !s.resources.VPC(id) {
		return nil, wire.Errorf("InvalidVPCId", "The VPC: %s you provided is invalid or cannot be found.", id)
	}
	all := slices.DeleteFunc(s.zones.Values(), func(z *zone) bool { return !slices.ContainsFunc(z.vpcs, sees(id)) })
	page, next, ok := listing.Page(all, int(number), aws.ToString(in.NextToken))
	if !ok {
		return nil, wire.Errorf("InvalidPaginationToken", "The pagination token is not valid.")
	}
	out := &sdk.ListHostedZonesByVPCOutput{MaxItems: &number, HostedZoneSummaries: []dnstypes.HostedZoneSummary{}}
	if next != "" {
		out.NextToken = &next
	}
	for _, z := range page {
		out.HostedZoneSummaries = append(out.HostedZoneSummaries, dnstypes.HostedZoneSummary{
			HostedZoneId: aws.String(plain(z.shape.Id)), Name: z.shape.Name, Owner: &dnstypes.HostedZoneOwner{OwningAccount: aws.String(s.account.ID)},
		})
	}
	return out, nil
}
