package zones_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/zones"
)

type fixture struct {
	*contract.Fixture

	dns *sdk.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := contract.Start(t)
	return &fixture{f, sdk.NewFromConfig(f.Config)}
}

func (f *fixture) vpc() *dnstypes.VPC {
	return &dnstypes.VPC{VPCId: aws.String(f.Sim.World().VPC), VPCRegion: dnstypes.VPCRegion(f.Config.Region)}
}

func (f *fixture) create(name string, change ...func(*sdk.CreateHostedZoneInput)) (*sdk.CreateHostedZoneOutput, error) {
	in := &sdk.CreateHostedZoneInput{Name: &name, CallerReference: aws.String("for " + name)}
	for _, c := range change {
		c(in)
	}
	return f.dns.CreateHostedZone(f.Context(), in)
}

// zone makes a public zone and gives its identifier.
func (f *fixture) zone(name string) *string {
	f.Helper()
	out, err := f.create(name)
	return contract.Must(f, out, err).HostedZone.Id
}

func set(name string, kind dnstypes.RRType, values ...string) *dnstypes.ResourceRecordSet {
	r := &dnstypes.ResourceRecordSet{Name: &name, Type: kind, TTL: aws.Int64(60)}
	for _, v := range values {
		r.ResourceRecords = append(r.ResourceRecords, dnstypes.ResourceRecord{Value: &v})
	}
	return r
}

func alias(name string, kind dnstypes.RRType, zone, target string) *dnstypes.ResourceRecordSet {
	return &dnstypes.ResourceRecordSet{Name: &name, Type: kind, AliasTarget: &dnstypes.AliasTarget{DNSName: &target, HostedZoneId: &zone}}
}

func weighted(r *dnstypes.ResourceRecordSet, id string) *dnstypes.ResourceRecordSet {
	r.SetIdentifier, r.Weight = &id, aws.Int64(1)
	return r
}

func creates(r *dnstypes.ResourceRecordSet) dnstypes.Change {
	return change(dnstypes.ChangeActionCreate, r)
}
func upserts(r *dnstypes.ResourceRecordSet) dnstypes.Change {
	return change(dnstypes.ChangeActionUpsert, r)
}
func deletes(r *dnstypes.ResourceRecordSet) dnstypes.Change {
	return change(dnstypes.ChangeActionDelete, r)
}

func change(action dnstypes.ChangeAction, r *dnstypes.ResourceRecordSet) dnstypes.Change {
	return dnstypes.Change{Action: action, ResourceRecordSet: r}
}

func (f *fixture) change(zone *string, changes ...dnstypes.Change) (*sdk.ChangeResourceRecordSetsOutput, error) {
	return f.dns.ChangeResourceRecordSets(f.Context(), &sdk.ChangeResourceRecordSetsInput{
		HostedZoneId: zone, ChangeBatch: &dnstypes.ChangeBatch{Changes: changes},
	})
}

// records lists a zone's records, but those that every zone has, page by page.
func (f *fixture) records(zone *string, page int32) []string {
	f.Helper()
	var all []string
	in := &sdk.ListResourceRecordSetsInput{HostedZoneId: zone, MaxItems: &page}
	for {
		out, err := f.dns.ListResourceRecordSets(f.Context(), in)
		for _, r := range contract.Must(f, out, err).ResourceRecordSets {
			if r.Type != dnstypes.RRTypeSoa && r.Type != dnstypes.RRTypeNs {
				all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", *r.Name, r.Type, aws.ToString(r.SetIdentifier))))
			}
		}
		if !out.IsTruncated {
			return all
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, zones.New(&account.Account{}, nil, nil).Service(), zones.Checks())
}

func TestZone(t *testing.T) {
	t.Parallel()
	f := start(t)
	made, err := f.create("Example.com")
	contract.WantCode(t, err, "")
	if *made.HostedZone.Name != "example.com." || *made.HostedZone.ResourceRecordSetCount != 2 || len(made.DelegationSet.NameServers) != 4 || made.Location == nil {
		t.Errorf("made %+v", made)
	}
	id := made.HostedZone.Id
	got, err := f.dns.GetHostedZone(t.Context(), &sdk.GetHostedZoneInput{Id: id})
	if diff := cmp.Diff(made.DelegationSet.NameServers, contract.Must(t, got, err).DelegationSet.NameServers); diff != "" {
		t.Error(diff)
	}
	_, err = f.dns.UpdateHostedZoneComment(t.Context(), &sdk.UpdateHostedZoneCommentInput{Id: id, Comment: aws.String("c")})
	contract.WantCode(t, err, "")
	_, err = f.change(id, creates(set("a.example.com", "A", "192.0.2.1")))
	contract.WantCode(t, err, "")
	remove := func() error {
		_, err := f.dns.DeleteHostedZone(t.Context(), &sdk.DeleteHostedZoneInput{Id: id})
		return err
	}
	contract.WantCode(t, remove(), "HostedZoneNotEmpty")
	_, err = f.change(id, deletes(set("a.example.com", "A", "192.0.2.1")))
	contract.WantCode(t, err, "")
	for _, code := range []string{"", "NoSuchHostedZone"} {
		contract.WantCode(t, remove(), code)
	}
	count, err := f.dns.GetHostedZoneCount(t.Context(), &sdk.GetHostedZoneCountInput{})
	if n := *contract.Must(t, count, err).HostedZoneCount; n != 0 {
		t.Errorf("%d zones", n)
	}
	_, err = f.create("Example.com")
	contract.WantCode(t, err, "HostedZoneAlreadyExists")
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	rows := []struct {
		why    string
		name   string
		change func(*sdk.CreateHostedZoneInput)
		code   string
	}{
		{"an empty label", "a..b", func(*sdk.CreateHostedZoneInput) {}, "InvalidDomainName"},
		{"a label of 64", strings.Repeat("a", 64) + ".com", func(*sdk.CreateHostedZoneInput) {}, "InvalidDomainName"},
		{"no reference", "a.com", func(in *sdk.CreateHostedZoneInput) { in.CallerReference = aws.String("") }, "InvalidInput"},
		{"private without VPC", "a.com", func(in *sdk.CreateHostedZoneInput) {
			in.HostedZoneConfig = &dnstypes.HostedZoneConfig{PrivateZone: true}
		}, "InvalidInput"},
		{"VPC that is not there", "a.com", func(in *sdk.CreateHostedZoneInput) { in.VPC = &dnstypes.VPC{VPCId: aws.String("vpc-0")} }, "InvalidVPCId"},
		{"delegation set", "a.com", func(in *sdk.CreateHostedZoneInput) { in.DelegationSetId = aws.String("N1") }, "NoSuchDelegationSet"},
	}
	for _, row := range rows {
		if _, err := f.create(row.name, row.change); contract.APICode(err) != row.code {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}

func TestPrivateZones(t *testing.T) {
	t.Parallel()
	f := start(t)
	private := func(in *sdk.CreateHostedZoneInput) {
		in.VPC, in.CallerReference = f.vpc(), aws.String(*in.Name+" private")
	}
	made, err := f.create("a.com", private)
	id := contract.Must(t, made, err).HostedZone.Id
	if !made.HostedZone.Config.PrivateZone {
		t.Error("a zone with a VPC is private")
	}
	_, err = f.create("a.com", func(in *sdk.CreateHostedZoneInput) { in.VPC = f.vpc() })
	contract.WantCode(t, err, "ConflictingDomainExists")
	public := f.zone("a.com")
	associate := func(zone *string, v *dnstypes.VPC) error {
		_, err := f.dns.AssociateVPCWithHostedZone(t.Context(), &sdk.AssociateVPCWithHostedZoneInput{HostedZoneId: zone, VPC: v})
		return err
	}
	leave := func(v *dnstypes.VPC) error {
		_, err := f.dns.DisassociateVPCFromHostedZone(t.Context(), &sdk.DisassociateVPCFromHostedZoneInput{HostedZoneId: id, VPC: v})
		return err
	}
	other := &dnstypes.VPC{VPCId: aws.String("vpc-0"), VPCRegion: f.vpc().VPCRegion}
	contract.WantCode(t, associate(public, f.vpc()), "PublicZoneVPCAssociation")
	contract.WantCode(t, associate(id, f.vpc()), "ConflictingDomainExists")
	contract.WantCode(t, leave(other), "InvalidVPCId")
	contract.WantCode(t, leave(f.vpc()), "LastVPCAssociation")
	listed, err := f.dns.ListHostedZonesByVPC(t.Context(), &sdk.ListHostedZonesByVPCInput{VPCId: f.vpc().VPCId, VPCRegion: f.vpc().VPCRegion})
	if all := contract.Must(t, listed, err).HostedZoneSummaries; len(all) != 1 || *all[0].Name != "a.com." {
		t.Errorf("zones of the VPC %+v", all)
	}
	_, err = f.dns.ListHostedZonesByVPC(t.Context(), &sdk.ListHostedZonesByVPCInput{VPCId: other.VPCId, VPCRegion: other.VPCRegion})
	contract.WantCode(t, err, "InvalidVPCId")
}

func TestZoneLists(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, name := range []string{"b.com", "a.org", "x.a.com", "a.com"} {
		f.zone(name)
	}
	var made, named []string
	in := &sdk.ListHostedZonesInput{MaxItems: aws.Int32(3)}
	for {
		out, err := f.dns.ListHostedZones(t.Context(), in)
		for _, z := range contract.Must(t, out, err).HostedZones {
			made = append(made, *z.Name)
		}
		if in.Marker = out.NextMarker; !out.IsTruncated {
			break
		}
	}
	by := &sdk.ListHostedZonesByNameInput{MaxItems: aws.Int32(1), DNSName: aws.String("a.com")}
	for {
		out, err := f.dns.ListHostedZonesByName(t.Context(), by)
		named = append(named, *contract.Must(t, out, err).HostedZones[0].Name)
		if by.DNSName, by.HostedZoneId = out.NextDNSName, out.NextHostedZoneId; !out.IsTruncated {
			break
		}
	}
	if diff := cmp.Diff([]string{"b.com.", "a.org.", "x.a.com.", "a.com."}, made); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a.com.", "x.a.com.", "b.com.", "a.org."}, named); diff != "" {
		t.Error(diff)
	}
	_, err := f.dns.ListHostedZones(t.Context(), &sdk.ListHostedZonesInput{Marker: aws.String("Z0")})
	contract.WantCode(t, err, "InvalidInput")
	_, err = f.dns.ListHostedZonesByName(t.Context(), &sdk.ListHostedZonesByNameInput{HostedZoneId: aws.String("Z0")})
	contract.WantCode(t, err, "InvalidInput")
}

func TestChangeRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	zone := f.zone("a.com")
	f.Balancer("web", "application")
	lb := f.Sim.LoadBalancers()[0].DNSName
	const albZone, nlbZone = "Z1H1FL5HABSF5", "Z18D5FSROUN65G"
	_, err := f.change(zone, creates(set("there.a.com", "A", "192.0.2.1")), creates(weighted(set("w.a.com", "A", "192.0.2.1"), "one")))
	contract.WantCode(t, err, "")
	own := strings.TrimPrefix(*zone, "/hostedzone/")
	bad, bare := "InvalidChangeBatch: ", func(r *dnstypes.ResourceRecordSet) *dnstypes.ResourceRecordSet { r.TTL = nil; return r }
	rows := []struct {
		why     string
		changes []dnstypes.Change
		message string
	}{
		{"nothing", []dnstypes.Change{}, "InvalidInput: Invalid request: at least one change must be given"},
		{"it is there", []dnstypes.Change{creates(set("there.a.com", "A", "192.0.2.2"))}, bad + "[Tried to create resource record set [name='there.a.com.', type='A'] but it already exists]"},
		{"it is not there", []dnstypes.Change{deletes(set("b.a.com", "A", "192.0.2.2"))}, bad + "[Tried to delete resource record set [name='b.a.com.', type='A'] but it was not found]"},
		{"it is different", []dnstypes.Change{deletes(set("there.a.com", "A", "192.0.2.2"))}, bad + "[Tried to delete resource record set [name='there.a.com.', type='A'] but the values provided do not match the current values]"},
		{"two faults in one answer", []dnstypes.Change{deletes(set("b.a.com", "A", "192.0.2.2")), creates(set("c.a.com", "A", "x"))},
			bad + "[Tried to delete resource record set [name='b.a.com.', type='A'] but it was not found, Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with 'x'']"},
		{"another domain", []dnstypes.Change{creates(set("ba.com", "A", "192.0.2.2"))}, bad + "[RRSet with DNS name ba.com. is not permitted in zone a.com.]"},
		{"CNAME of the zone", []dnstypes.Change{creates(set("a.com", "CNAME", "b.com"))}, bad + "[RRSet of type CNAME with DNS name a.com. is not permitted at apex in zone a.com.]"},
		{"CNAME beside A", []dnstypes.Change{upserts(set("there.a.com", "CNAME", "b.com"))}, bad + "[RRSet of type CNAME with DNS name there.a.com. is not permitted as it conflicts with other records with the same DNS name in zone a.com.]"},
		{"twice", []dnstypes.Change{upserts(set("b.a.com", "A", "192.0.2.2")), upserts(set("b.a.com", "A", "192.0.2.2"))}, bad + "[The request contains an invalid set of changes for a resource record set 'A b.a.com.']"},
		{"simple beside weighted", []dnstypes.Change{creates(set("w.a.com", "A", "192.0.2.2"))}, bad + "[RRSet with DNS name w.a.com., type A cannot be created as other RRSets exist with the same name and type.]"},
		{"no TTL", []dnstypes.Change{creates(bare(set("b.a.com", "A", "192.0.2.2")))}, "InvalidInput: Invalid request: Missing field 'TTL' in Change with [Action=CREATE, Name=b.a.com., Type=A, SetIdentifier=null]"},
		{"nothing to answer", []dnstypes.Change{creates(bare(set("b.a.com", "A")))}, "InvalidInput: Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Action=CREATE, Name=b.a.com., Type=A, SetIdentifier=null]"},
		{"text without marks", []dnstypes.Change{creates(set("b.a.com", "TXT", "t"))}, bad + "[Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with 't'']"},
		{"alias under the wrong zone", []dnstypes.Change{creates(alias("b.a.com", "A", nlbZone, lb))}, bad + "[Tried to create an alias that targets " + lb + "., type A in zone " + nlbZone + ", but the alias target name does not lie within the target zone]"},
		{"alias to nothing", []dnstypes.Change{creates(alias("b.a.com", "A", albZone, "none.elb.amazonaws.com"))}, bad + "[Tried to create an alias that targets none.elb.amazonaws.com., type A in zone " + albZone + ", but that target was not found]"},
		{"alias of a type that a load balancer has not", []dnstypes.Change{creates(alias("b.a.com", "TXT", albZone, lb))}, bad + "[Tried to create an alias that targets " + lb + "., type TXT in zone " + albZone + ", but that target was not found]"},
		{"alias to a record that is not there", []dnstypes.Change{creates(alias("b.a.com", "A", own, "c.a.com"))}, bad + "[Tried to create an alias that targets c.a.com., type A in zone " + own + ", but that target was not found]"},
		{"SOA", []dnstypes.Change{deletes(set("a.com", "SOA", "x"))}, bad + "[Tried to delete resource record set [name='a.com.', type='SOA'] but the values provided do not match the current values]"},
	}
	for _, row := range rows {
		if len(row.changes) > 0 {
			row.changes = append(row.changes, creates(set("good.a.com", "A", "192.0.2.9")))
		}
		_, err := f.change(zone, row.changes...)
		if err == nil || !strings.HasSuffix(err.Error(), row.message) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
	if diff := cmp.Diff([]string{"there.a.com. A", "w.a.com. A one"}, f.records(zone, 100)); diff != "" {
		t.Errorf("a refused batch changes nothing: %s", diff)
	}
	_, err = f.change(aws.String("Z0"), creates(set("b.a.com", "A", "192.0.2.2")))
	contract.WantCode(t, err, "NoSuchHostedZone")
	_, err = f.change(zone, creates(&dnstypes.ResourceRecordSet{Name: aws.String("b.a.com"), Type: "A", HealthCheckId: aws.String("h")}))
	contract.WantCode(t, err, "NoSuchHealthCheck")
}

func TestRequiredRecordsStay(t *testing.T) {
	t.Parallel()
	f := start(t)
	zone := f.zone("a.com")
	out, err := f.dns.ListResourceRecordSets(t.Context(), &sdk.ListResourceRecordSetsInput{HostedZoneId: zone})
	for i, r := range contract.Must(t, out, err).ResourceRecordSets {
		_, err := f.change(zone, deletes(&r))
		want := []string{"[A HostedZone must contain at least one NS record for the zone itself.]", "[A HostedZone must contain exactly one SOA record.]"}[i]
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", r.Type, err)
		}
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	f := start(t)
	zone := f.zone("a.com")
	f.Balancer("web", "application")
	lb := f.Sim.LoadBalancers()[0].DNSName
	made, err := f.change(zone,
		creates(set("x.b.a.com", "TXT", `"one" "two"`)), creates(set("*.a.com", "A", "192.0.2.1")), creates(set("B.a.com", "CNAME", "c.a.com")),
		creates(weighted(set("w.a.com", "A", "192.0.2.2"), "two")), creates(weighted(set("w.a.com", "A", "192.0.2.1"), "one")),
		creates(set("w.a.com", "AAAA", "2001:db8::1")), creates(alias("a.com", "A", "Z1H1FL5HABSF5", "dualstack."+lb)),
	)
	id := contract.Must(t, made, err).ChangeInfo.Id
	want := []string{"a.com. A", "\\052.a.com. A", "b.a.com. CNAME", "x.b.a.com. TXT", "w.a.com. A one", "w.a.com. A two", "w.a.com. AAAA"}
	for _, page := range []int32{1, 2, 100} {
		if diff := cmp.Diff(want, f.records(zone, page)); diff != "" {
			t.Errorf("pages of %d: %s", page, diff)
		}
	}
	status := func() dnstypes.ChangeStatus {
		out, err := f.dns.GetChange(t.Context(), &sdk.GetChangeInput{Id: id})
		return contract.Must(t, out, err).ChangeInfo.Status
	}
	before := status()
	f.Pass(time.Minute)
	if after := status(); before != dnstypes.ChangeStatusPending || after != dnstypes.ChangeStatusInsync {
		t.Errorf("%s, then %s", before, after)
	}
	_, err = f.change(zone, deletes(set("b.a.com", "CNAME", "c.a.com")), creates(set("b.a.com", "A", "192.0.2.1")), upserts(set("*.a.com", "A", "192.0.2.7")))
	contract.WantCode(t, err, "")
	_, err = f.dns.GetChange(t.Context(), &sdk.GetChangeInput{Id: aws.String("C0")})
	contract.WantCode(t, err, "NoSuchChange")
	_, err = f.dns.ListResourceRecordSets(t.Context(), &sdk.ListResourceRecordSetsInput{HostedZoneId: zone, StartRecordType: "A"})
	contract.WantCode(t, err, "InvalidInput")
}

func TestCertificateIsProven(t *testing.T) {
	t.Parallel()
	f := start(t)
	certificates, zone := acm.NewFromConfig(f.Config), f.zone("a.com")
	made, err := certificates.RequestCertificate(t.Context(), &acm.RequestCertificateInput{
		DomainName: aws.String("www.a.com"), ValidationMethod: acmtypes.ValidationMethodDns, KeyAlgorithm: acmtypes.KeyAlgorithmEcPrime256v1,
	})
	arn := contract.Must(t, made, err).CertificateArn
	describe := func() *acmtypes.CertificateDetail {
		out, err := certificates.DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: arn})
		return contract.Must(t, out, err).Certificate
	}
	f.Pass(time.Hour)
	before := describe()
	record := before.DomainValidationOptions[0].ResourceRecord
	_, err = f.change(zone, creates(set(*record.Name, dnstypes.RRType(record.Type), *record.Value)))
	contract.WantCode(t, err, "")
	f.Pass(time.Minute)
	if after := describe().Status; before.Status != acmtypes.CertificateStatusPendingValidation || after != acmtypes.CertificateStatusIssued {
		t.Errorf("%s, then %s", before.Status, after)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := aws.String(strings.TrimPrefix(*f.zone("a.com"), "/hostedzone/"))
	edit := func(id string, add map[string]string, remove ...string) string {
		in := &sdk.ChangeTagsForResourceInput{ResourceType: dnstypes.TagResourceTypeHostedzone, ResourceId: &id, RemoveTagKeys: remove}
		for k, v := range add {
			in.AddTags = append(in.AddTags, dnstypes.Tag{Key: &k, Value: &v})
		}
		_, err := f.dns.ChangeTagsForResource(t.Context(), in)
		return contract.APICode(err)
	}
	codes := []string{edit(*id, map[string]string{"a": "1", "b": "2"}), edit(*id, nil, "a"), edit(*id, nil), edit(*id, map[string]string{"aws:x": ""}), edit("Z0", nil, "a")}
	if diff := cmp.Diff([]string{"", "", "InvalidInput", "InvalidInput", "NoSuchHostedZone"}, codes); diff != "" {
		t.Error(diff)
	}
	one, err := f.dns.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceType: dnstypes.TagResourceTypeHostedzone, ResourceId: id})
	many, err2 := f.dns.ListTagsForResources(t.Context(), &sdk.ListTagsForResourcesInput{ResourceType: dnstypes.TagResourceTypeHostedzone, ResourceIds: []string{*id}})
	for _, set := range []dnstypes.ResourceTagSet{*contract.Must(t, one, err).ResourceTagSet, contract.Must(t, many, err2).ResourceTagSets[0]} {
		if len(set.Tags) != 1 || *set.Tags[0].Key != "b" || *set.ResourceId != *id {
			t.Errorf("tags %+v", set)
		}
	}
	found, err := resourcegroupstaggingapi.NewFromConfig(f.Config).GetResources(t.Context(), &resourcegroupstaggingapi.GetResourcesInput{ResourceTypeFilters: []string{"route53"}})
	if all := contract.Must(t, found, err).ResourceTagMappingList; len(all) != 1 || *all[0].ResourceARN != "arn:aws:route53:::hostedzone/"+*id {
		t.Errorf("by tag %+v", all)
	}
	_, err = f.dns.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceType: dnstypes.TagResourceTypeHealthcheck, ResourceId: id})
	contract.WantCode(t, err, "NoSuchHealthCheck")
}
