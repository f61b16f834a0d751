package zones

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *Zones) zoneOperations() []wire.Operation {
	const all, one = "/2013-04-01/hostedzone", "/2013-04-01/hostedzone/{Id}"
	return []wire.Operation{
		wire.Writes("CreateHostedZone", s.create).At("POST "+all, wire.Headers("Location"), wire.Status(http.StatusCreated)),
		wire.Reads("GetHostedZone", s.get).At("GET " + one),
		wire.Reads("GetHostedZoneCount", s.count).At("GET /2013-04-01/hostedzonecount"),
		wire.Writes("UpdateHostedZoneComment", s.updateComment).At("POST " + one),
		wire.Writes("DeleteHostedZone", s.remove).At("DELETE " + one),
		wire.Reads("ListHostedZones", s.list).
			At("GET " + all + "?marker={Marker}&maxitems={MaxItems}&delegationsetid={DelegationSetId}&hostedzonetype={HostedZoneType}"),
		wire.Reads("ListHostedZonesByName", s.listByName).
			At("GET /2013-04-01/hostedzonesbyname?dnsname={DNSName}&hostedzoneid={HostedZoneId}&maxitems={MaxItems}"),
		wire.Reads("GetChange", s.getChange).At("GET /2013-04-01/change/{Id}"),
	}
}

// Limits (API reference, CreateHostedZone; developer guide, "Quotas").
const (
	maxZones     = 500
	longestCalls = 128
	longestNote  = 256
	mostListed   = 100
)

func (s *Zones) create(in *sdk.CreateHostedZoneInput) (*sdk.CreateHostedZoneOutput, error) {
	name, private, err := s.checkZone(in)
	if err != nil {
		return nil, err
	}
	const digits = 20
	id := "Z" + strings.ToUpper(s.account.Hex(digits))
	z := &zone{
		shape: dnstypes.HostedZone{
			Id: aws.String("/hostedzone/" + id), Name: aws.String(name), CallerReference: in.CallerReference,
			Config: &dnstypes.HostedZoneConfig{PrivateZone: private},
		},
		servers: servers(private), records: map[key]dnstypes.ResourceRecordSet{},
	}
	if in.HostedZoneConfig != nil {
		z.shape.Config.Comment = in.HostedZoneConfig.Comment
	}
	if in.VPC != nil {
		z.vpcs = []dnstypes.VPC{*in.VPC}
	}
	z.found()
	s.zones.Put(id, z)
	s.Tags.Put(s.arn(id), nil)
	s.callers[*in.CallerReference] = true
	out := &sdk.CreateHostedZoneOutput{
		HostedZone: z.show(), ChangeInfo: s.submit(nil), Location: aws.String("https://route53.amazonaws.com/2013-04-01/hostedzone/" + id), VPC: in.VPC,
	}
	if !private {
		out.DelegationSet = &dnstypes.DelegationSet{NameServers: z.servers}
	}
	return out, nil
}

// checkZone checks what a zone is to be made of and gives its name, and whether it is private.
func (s *Zones) checkZone(in *sdk.CreateHostedZoneInput) (string, bool, error) {
	reference, name := aws.ToString(in.CallerReference), canonical(aws.ToString(in.Name))
	private := in.HostedZoneConfig != nil && in.HostedZoneConfig.PrivateZone || in.VPC != nil
	switch {
	case reference == "" || len(reference) > longestCalls:
		return "", false, invalid("A caller reference of 1 to %d characters must be given.", longestCalls)
	case !proper(name):
		return "", false, wire.Errorf("InvalidDomainName", "%s is not a valid domain name.", aws.ToString(in.Name))
	case in.HostedZoneConfig != nil && len(aws.ToString(in.HostedZoneConfig.Comment)) > longestNote:
		return "", false, invalid("A comment has up to %d characters.", longestNote)
	case s.callers[reference]:
		return "", false, &wire.Error{
			Code: "HostedZoneAlreadyExists", Status: http.StatusConflict,
			Message: "A hosted zone has already been created with the specified caller reference.",
		}
	case in.DelegationSetId != nil:
		return "", false, wire.Errorf("NoSuchDelegationSet", "The delegation set %s was not found.", *in.DelegationSetId)
	case private && in.VPC == nil:
		return "", false, invalid("When you're creating a private hosted zone, you must specify values for VPCId and VPCRegion.")
	case s.zones.Len() >= maxZones:
		return "", false, wire.Errorf("TooManyHostedZones", "Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.")
	case in.VPC != nil:
		return name, private, s.free(name, *in.VPC)
	default:
		return name, private, nil
	}
}

// servers gives the name servers of a zone.
func servers(private bool) []string {
	if private {
		return []string{"ns-1536.awsdns-00.co.uk", "ns-0.awsdns-00.com", "ns-1024.awsdns-00.org", "ns-512.awsdns-00.net"}
	}
	return []string{"ns-2048.awsdns-64.com", "ns-2049.awsdns-65.net", "ns-2050.awsdns-66.org", "ns-2051.awsdns-67.co.uk"}
}

// found gives a zone the records that every zone has.
func (z *zone) found() {
	const week, minutes = 172800, 900
	values := make([]dnstypes.ResourceRecord, 0, len(z.servers))
	for _, server := range z.servers {
		values = append(values, dnstypes.ResourceRecord{Value: aws.String(server + ".")})
	}
	authority := z.servers[0] + ". awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
	for _, r := range []dnstypes.ResourceRecordSet{
		{Name: z.shape.Name, Type: dnstypes.RRTypeNs, TTL: aws.Int64(week), ResourceRecords: values},
		{Name: z.shape.Name, Type: dnstypes.RRTypeSoa, TTL: aws.Int64(minutes), ResourceRecords: []dnstypes.ResourceRecord{{Value: &authority}}},
	} {
		z.records[keyOf(r)] = r
	}
}

func (s *Zones) get(in *sdk.GetHostedZoneInput) (*sdk.GetHostedZoneOutput, error) {
	z, err := s.find(in.Id)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetHostedZoneOutput{HostedZone: z.show(), VPCs: z.vpcs}
	if !z.private() {
		out.DelegationSet = &dnstypes.DelegationSet{NameServers: z.servers}
	}
	return out, nil
}

func (s *Zones) count(*sdk.GetHostedZoneCountInput) (*sdk.GetHostedZoneCountOutput, error) {
	return &sdk.GetHostedZoneCountOutput{HostedZoneCount: aws.Int64(int64(s.zones.Len()))}, nil
}

func (s *Zones) updateComment(in *sdk.UpdateHostedZoneCommentInput) (*sdk.UpdateHostedZoneCommentOutput, error) {
	z, err := s.find(in.Id)
	if err != nil {
		return nil, err
	}
	if len(aws.ToString(in.Comment)) > longestNote {
		return nil, invalid("A comment has up to %d characters.", longestNote)
	}
	z.shape.Config = &dnstypes.HostedZoneConfig{PrivateZone: z.private(), Comment: in.Comment}
	return &sdk.UpdateHostedZoneCommentOutput{HostedZone: z.show()}, nil
}

func (s *Zones) remove(in *sdk.DeleteHostedZoneInput) (*sdk.DeleteHostedZoneOutput, error) {
	z, err := s.find(in.Id)
	if err != nil {
		return nil, err
	}
	for k := range z.records {
		if !z.required(k) {
			return nil, wire.Errorf("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
		}
	}
	s.zones.Delete(plain(in.Id))
	s.Tags.Drop(s.arn(plain(in.Id)))
	return &sdk.DeleteHostedZoneOutput{ChangeInfo: s.submit(nil)}, nil
}

// required reports whether a record is one that every zone has.
func (z *zone) required(k key) bool {
	return k.name == *z.shape.Name && (k.kind == dnstypes.RRTypeNs || k.kind == dnstypes.RRTypeSoa)
}

// size gives the length of a page. More than the most is the most.
func size(asked *int32, most int32) (int32, error) {
	switch {
	case asked == nil:
		return most, nil
	case *asked < 1:
		return 0, invalid("Invalid value '%d' for 'maxitems'", *asked)
	default:
		return min(*asked, most), nil
	}
}

func (s *Zones) list(in *sdk.ListHostedZonesInput) (*sdk.ListHostedZonesOutput, error) {
	number, err := size(in.MaxItems, mostListed)
	if err != nil {
		return nil, err
	}
	if in.DelegationSetId != nil {
		return nil, wire.Errorf("NoSuchDelegationSet", "The delegation set %s was not found.", *in.DelegationSetId)
	}
	all := s.zones.Values()
	if in.HostedZoneType == dnstypes.HostedZoneTypePrivateHostedZone {
		all = slices.DeleteFunc(all, func(z *zone) bool { return !z.private() })
	}
	start := 0
	if marker := aws.ToString(in.Marker); marker != "" {
		start = slices.IndexFunc(all, func(z *zone) bool { return plain(z.shape.Id) == marker })
	}
	if start < 0 {
		return nil, invalid("The marker %s is not valid.", *in.Marker)
	}
	out := &sdk.ListHostedZonesOutput{Marker: in.Marker, MaxItems: &number, HostedZones: []dnstypes.HostedZone{}}
	out.HostedZones, out.NextMarker = cut(all[start:], number)
	out.IsTruncated = out.NextMarker != nil
	return out, nil
}

// cut gives the first zones, and the identifier of the one after them.
func cut(all []*zone, number int32) ([]dnstypes.HostedZone, *string) {
	page := []dnstypes.HostedZone{}
	for i, z := range all {
		if i == int(number) {
			return page, aws.String(plain(z.shape.Id))
		}
		page = append(page, *z.show())
	}
	return page, nil
}

func (s *Zones) listByName(in *sdk.ListHostedZonesByNameInput) (*sdk.ListHostedZonesByNameOutput, error) {
	number, err := size(in.MaxItems, mostListed)
	if err != nil {
		return nil, err
	}
	if in.DNSName == nil && in.HostedZoneId != nil {
		return nil, invalid("A DNS name must be given together with the hosted zone ID.")
	}
	if in.DNSName != nil && !proper(canonical(*in.DNSName)) {
		return nil, wire.Errorf("InvalidDomainName", "%s is not a valid domain name.", *in.DNSName)
	}
	all := s.zones.Values()
	slices.SortStableFunc(all, func(a, b *zone) int { return byName(*a.shape.Name, *b.shape.Name) })
	if in.DNSName != nil {
		from, id := canonical(*in.DNSName), plain(in.HostedZoneId)
		all = slices.DeleteFunc(all, func(z *zone) bool { return byName(*z.shape.Name, from) < 0 })
		if at := slices.IndexFunc(all, func(z *zone) bool { return plain(z.shape.Id) == id }); at > 0 {
			all = all[at:]
		}
	}
	out := &sdk.ListHostedZonesByNameOutput{DNSName: in.DNSName, HostedZoneId: in.HostedZoneId, MaxItems: &number}
	out.HostedZones, out.NextHostedZoneId = cut(all, number)
	if out.NextHostedZoneId != nil {
		out.IsTruncated, out.NextDNSName = true, all[number].shape.Name
	}
	return out, nil
}

func (s *Zones) getChange(in *sdk.GetChangeInput) (*sdk.GetChangeOutput, error) {
	info, ok := s.changes[plain(in.Id)]
	if !ok {
		return nil, absent("NoSuchChange", "A change with the specified change ID does not exist: %s", plain(in.Id))
	}
	if !s.account.Now().Before(info.SubmittedAt.Add(s.account.Scale(spreading))) {
		info.Status = dnstypes.ChangeStatusInsync
	}
	return &sdk.GetChangeOutput{ChangeInfo: &info}, nil
}
