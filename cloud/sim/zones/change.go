package zones

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *Zones) recordOperations() []wire.Operation {
	const records = "/2013-04-01/hostedzone/{HostedZoneId}/rrset"
	return []wire.Operation{
		wire.Writes("ChangeResourceRecordSets", s.change).At("POST " + records),
		wire.Reads("ListResourceRecordSets", s.listRecords).
			At("GET " + records + "?name={StartRecordName}&type={StartRecordType}&identifier={StartRecordIdentifier}&maxitems={MaxItems}"),
	}
}

// Limits of a batch and of a zone (developer guide, "Quotas"). An UPSERT counts twice.
const (
	maxElements   = 1000
	maxCharacters = 32000
	maxRecords    = 10000
)

// batch is the work on a copy of a zone's records.
type batch struct {
	zones   *Zones
	zone    *zone
	records map[key]dnstypes.ResourceRecordSet
	// messages are what is wrong, and done the actions on each record set.
	messages []string
	done     map[key][]dnstypes.ChangeAction
}

func (s *Zones) change(in *sdk.ChangeResourceRecordSetsInput) (*sdk.ChangeResourceRecordSetsOutput, error) {
	z, err := s.find(in.HostedZoneId)
	if err != nil {
		return nil, err
	}
	if in.ChangeBatch == nil || len(in.ChangeBatch.Changes) == 0 {
		return nil, invalid("Invalid request: at least one change must be given")
	}
	for _, c := range in.ChangeBatch.Changes {
		if err := checkChange(c); err != nil {
			return nil, err
		}
	}
	if err := checkSize(in.ChangeBatch.Changes); err != nil {
		return nil, err
	}
	b := &batch{zones: s, zone: z, records: maps.Clone(z.records), done: map[key][]dnstypes.ChangeAction{}}
	for _, c := range in.ChangeBatch.Changes {
		b.apply(c)
	}
	b.checkAll()
	if len(b.messages) > 0 {
		return nil, refused(b.messages...)
	}
	z.records = b.records
	s.changed()
	return &sdk.ChangeResourceRecordSetsOutput{ChangeInfo: s.submit(in.ChangeBatch.Comment)}, nil
}

func refused(messages ...string) error {
	return wire.Errorf("InvalidChangeBatch", "[%s]", strings.Join(messages, ", "))
}

// checkSize counts the values of a batch and their characters.
func checkSize(changes []dnstypes.Change) error {
	elements, characters := 0, 0
	for _, c := range changes {
		times := 1
		if c.Action == dnstypes.ChangeActionUpsert {
			times = 2
		}
		elements += times * max(1, len(c.ResourceRecordSet.ResourceRecords))
		for _, r := range c.ResourceRecordSet.ResourceRecords {
			characters += times * len(aws.ToString(r.Value))
		}
	}
	if elements > maxElements {
		return refused(fmt.Sprintf("Number of records limit of %d exceeded.", maxElements))
	}
	if characters > maxCharacters {
		return refused(fmt.Sprintf("Number of characters limit of %d exceeded.", maxCharacters))
	}
	return nil
}

func (b *batch) refuse(format string, args ...any) {
	b.messages = append(b.messages, fmt.Sprintf(format, args...))
}

// apply does one change, or says why not.
func (b *batch) apply(c dnstypes.Change) {
	r := normal(*c.ResourceRecordSet)
	k := keyOf(r)
	before := b.done[k]
	if anew := len(before) == 1 && before[0] == dnstypes.ChangeActionDelete && c.Action != dnstypes.ChangeActionDelete; len(before) > 0 && !anew {
		b.refuse("The request contains an invalid set of changes for a resource record set '%s %s'", k.kind, k.name)
		return
	}
	b.done[k] = append(before, c.Action)
	held, exists := b.records[k]
	switch {
	case !within(k.name, *b.zone.shape.Name):
		b.refuse("RRSet with DNS name %s is not permitted in zone %s", k.name, *b.zone.shape.Name)
	case c.Action == dnstypes.ChangeActionDelete && !exists:
		b.refuse("Tried to delete resource record set %s but it was not found", k)
	case c.Action == dnstypes.ChangeActionDelete && !same(held, r):
		b.refuse("Tried to delete resource record set %s but the values provided do not match the current values", k)
	case c.Action == dnstypes.ChangeActionDelete:
		delete(b.records, k)
	case c.Action == dnstypes.ChangeActionCreate && exists:
		b.refuse("Tried to create resource record set %s but it already exists", k)
	default:
		b.messages = append(b.messages, checkValues(r)...)
		b.records[k] = r
	}
}

// checkAll looks at the records as they would be after the whole batch.
func (b *batch) checkAll() {
	apex := *b.zone.shape.Name
	for _, one := range []struct {
		kind    dnstypes.RRType
		message string
	}{
		{dnstypes.RRTypeSoa, "A HostedZone must contain exactly one SOA record."},
		{dnstypes.RRTypeNs, "A HostedZone must contain at least one NS record for the zone itself."},
	} {
		if _, ok := b.records[key{name: apex, kind: one.kind}]; !ok {
			b.refuse("%s", one.message)
		}
	}
	byName := map[string][]key{}
	for k := range b.records {
		byName[k.name] = append(byName[k.name], k)
	}
	for _, k := range slices.SortedFunc(maps.Keys(b.done), key.compare) {
		if r, ok := b.records[k]; ok {
			b.checkPlace(k, r, byName[k.name])
		}
	}
	if len(b.records) > maxRecords {
		b.refuse("Limit Exceeded: MAX_RRSETS_BY_ZONE. There can be at most %d resource record sets in a hosted zone.", maxRecords)
	}
}

// checkPlace checks a record set among those of its name.
func (b *batch) checkPlace(k key, r dnstypes.ResourceRecordSet, neighbours []key) {
	apex := *b.zone.shape.Name
	switch {
	case k.kind == dnstypes.RRTypeCname && k.name == apex:
		b.refuse("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", k.name, apex)
		return
	case k.kind == dnstypes.RRTypeSoa && k.name != apex:
		b.refuse("RRSet of type SOA with DNS name %s is not permitted in zone %s", k.name, apex)
		return
	}
	for _, other := range neighbours {
		switch {
		case other == k:
		case (other.kind == dnstypes.RRTypeCname) != (k.kind == dnstypes.RRTypeCname):
			b.refuse("RRSet of type %s with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s",
				k.kind, k.name, apex)
			return
		case other.kind == k.kind && policyOf(b.records[other]) != policyOf(r):
			b.refuse("RRSet with DNS name %s, type %s cannot be created as other RRSets exist with the same name and type.", k.name, k.kind)
			return
		}
	}
	if r.AliasTarget != nil {
		b.checkAlias(k, r.AliasTarget)
	}
}

// checkAlias checks that an alias leads somewhere: to a record of the same zone, or to a resource of AWS under its own zone.
func (b *batch) checkAlias(k key, a *dnstypes.AliasTarget) {
	prefix := fmt.Sprintf("Tried to create an alias that targets %s, type %s in zone %s, ", *a.DNSName, k.kind, *a.HostedZoneId)
	if *a.HostedZoneId == plain(b.zone.shape.Id) {
		if !within(*a.DNSName, *b.zone.shape.Name) {
			b.refuse("%sbut the alias target name does not lie within the target zone", prefix)
			return
		}
		for other := range b.records {
			if other.name == *a.DNSName && other.kind == k.kind && *a.DNSName != k.name {
				return
			}
		}
		b.refuse("%sbut that target was not found", prefix)
		return
	}
	zone, ok := b.zones.resources.HostedZone(strings.TrimPrefix(bare(*a.DNSName), "dualstack."))
	switch {
	case ok && zone != *a.HostedZoneId:
		b.refuse("%sbut the alias target name does not lie within the target zone", prefix)
	case !ok || k.kind != dnstypes.RRTypeA && k.kind != dnstypes.RRTypeAaaa:
		b.refuse("%sbut that target was not found", prefix)
	}
}

func (s *Zones) listRecords(in *sdk.ListResourceRecordSetsInput) (*sdk.ListResourceRecordSetsOutput, error) {
	z, err := s.find(in.HostedZoneId)
	if err != nil {
		return nil, err
	}
	const most = 300
	number, err := size(in.MaxItems, most)
	if err != nil {
		return nil, err
	}
	if in.StartRecordName == nil && in.StartRecordType != "" || in.StartRecordType == "" && in.StartRecordIdentifier != nil {
		return nil, invalid("A start type needs a start name, and a start identifier needs both.")
	}
	all := z.sorted()
	if in.StartRecordName != nil {
		from := key{canonical(*in.StartRecordName), in.StartRecordType, aws.ToString(in.StartRecordIdentifier)}
		all = slices.DeleteFunc(all, func(r dnstypes.ResourceRecordSet) bool { return keyOf(r).compare(from) < 0 })
	}
	out := &sdk.ListResourceRecordSetsOutput{MaxItems: &number, ResourceRecordSets: all}
	if len(all) > int(number) {
		next := all[number]
		out.ResourceRecordSets, out.IsTruncated = all[:number], true
		out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier = next.Name, next.Type, next.SetIdentifier
	}
	return out, nil
}

// sorted gives the records in the order of lists.
func (z *zone) sorted() []dnstypes.ResourceRecordSet {
	all := make([]dnstypes.ResourceRecordSet, 0, len(z.records))
	for _, k := range slices.SortedFunc(maps.Keys(z.records), key.compare) {
		all = append(all, z.records[k])
	}
	return all
}
