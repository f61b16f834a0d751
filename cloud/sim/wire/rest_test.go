package wire_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice"
	latticetypes "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// serve answers for one service and gives a configuration for its client.
func serve(t *testing.T, s wire.Service) aws.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		q := wire.NewRequest(r, body)
		response, err := call(s, q)
		if err != nil {
			response = s.Protocol.Fail(wire.AsError(err), "request-1")
		}
		maps.Copy(w.Header(), response.Header)
		w.WriteHeader(response.Status)
		if _, err := w.Write(response.Body); err != nil && r.Method != http.MethodHead {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return aws.Config{
		Region: "us-west-2", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	}
}

func call(s wire.Service, q *wire.Request) (wire.Response, error) {
	operation, ok := s.Find(q)
	if !ok {
		return wire.Response{}, wire.Errorf("UnknownOperationException", "%s %s", q.Method, q.Path)
	}
	in := operation.New()
	if err := s.Protocol.Decode(q, in); err != nil {
		return wire.Response{}, err
	}
	out, err := operation.Run(in)
	if err != nil {
		return wire.Response{}, err
	}
	return s.Protocol.Encode(wire.Reply{Operation: operation, RequestID: "request-1", Output: out})
}

// heard makes an operation that keeps its input and gives an output.
func heard[In, Out any](in **In, out *Out) func(*In) (*Out, error) {
	return func(got *In) (*Out, error) {
		*in = got
		return out, nil
	}
}

func refusing[In, Out any](err error) func(*In) (*Out, error) {
	return func(*In) (*Out, error) { return nil, err }
}

// same compares shapes without what the SDK keeps in them.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	options := cmp.Options{
		cmpopts.IgnoreFields(vpclattice.GetRuleOutput{}, "ResultMetadata"), cmpopts.IgnoreFields(route53.ListResourceRecordSetsOutput{}, "ResultMetadata"),
		cmpopts.IgnoreFields(route53.CreateHostedZoneOutput{}, "ResultMetadata"), cmpopts.IgnoreFields(s3.ListObjectsV2Output{}, "ResultMetadata"),
		cmp.FilterPath(func(p cmp.Path) bool {
			return strings.HasPrefix(p.Last().String(), ".noSmithyDocumentSerde") || strings.HasPrefix(p.Last().String(), ".Body")
		}, cmp.Ignore()),
	}
	if diff := cmp.Diff(want, got, options); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

func TestLattice(t *testing.T) {
	t.Parallel()
	var made *vpclattice.CreateRuleInput
	var listed *vpclattice.ListServicesInput
	var untagged *vpclattice.UntagResourceInput
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	actions := &latticetypes.RuleActionMemberForward{Value: latticetypes.ForwardAction{TargetGroups: []latticetypes.WeightedTargetGroup{
		{TargetGroupIdentifier: aws.String("tg-1"), Weight: aws.Int32(0)},
	}}}
	match := &latticetypes.RuleMatchMemberHttpMatch{Value: latticetypes.HttpMatch{
		Method: aws.String("GET"), PathMatch: &latticetypes.PathMatch{Match: &latticetypes.PathMatchTypeMemberPrefix{Value: "/a"}},
		HeaderMatches: []latticetypes.HeaderMatch{},
	}}
	answer := &vpclattice.GetRuleOutput{Action: actions, Match: match, CreatedAt: &at, IsDefault: aws.Bool(false), Priority: aws.Int32(7)}
	client := vpclattice.NewFromConfig(serve(t, wire.Service{
		Name: "vpc-lattice", Protocol: wire.RESTJSON{
			Invalid: "ValidationException", ISOTimes: true, Unions: wire.NewUnions(
				latticetypes.RuleActionMemberForward{}, latticetypes.RuleActionMemberFixedResponse{}, latticetypes.RuleMatchMemberHttpMatch{},
				latticetypes.PathMatchTypeMemberPrefix{}, latticetypes.PathMatchTypeMemberExact{},
			),
		},
		Operations: wire.Table(
			wire.Writes("CreateRule", heard(&made, &vpclattice.CreateRuleOutput{Arn: aws.String("arn:rule")})).
				At("POST /services/{ServiceIdentifier}/listeners/{ListenerIdentifier}/rules", wire.Status(http.StatusCreated)),
			wire.Reads("GetRule", heard(new(*vpclattice.GetRuleInput), answer)).
				At("GET /services/{ServiceIdentifier}/listeners/{ListenerIdentifier}/rules/{RuleIdentifier}"),
			wire.Reads("ListServices", heard(&listed, &vpclattice.ListServicesOutput{Items: []latticetypes.ServiceSummary{}})).At("GET /services"),
			wire.Writes("CreateService", refusing[vpclattice.CreateServiceInput, vpclattice.CreateServiceOutput](wire.Errorf("ServiceQuotaExceededException", "too many").
				WithStatus(http.StatusPaymentRequired).With(map[string]any{"resourceType": "SERVICE", "quotaCode": "L-1"}))).At("POST /services"),
			wire.Writes("UntagResource", heard(&untagged, &vpclattice.UntagResourceOutput{})).At("DELETE /tags/{ResourceArn}?tagKeys={TagKeys}"),
		),
	}))
	in := &vpclattice.CreateRuleInput{
		ServiceIdentifier: aws.String("arn:aws:vpc-lattice:us-west-2:1:service/svc-1"), ListenerIdentifier: aws.String("l"), Name: aws.String("n"),
		Priority: aws.Int32(7), Action: actions, Match: match, ClientToken: aws.String("token"), Tags: map[string]string{"k": "v"},
	}
	out, err := client.CreateRule(t.Context(), in)
	if err != nil || aws.ToString(out.Arn) != "arn:rule" {
		t.Fatal(out, err)
	}
	same(t, "what was sent is what is heard", in, made)
	got, err := client.GetRule(t.Context(), &vpclattice.GetRuleInput{ServiceIdentifier: aws.String("s"), ListenerIdentifier: aws.String("l"), RuleIdentifier: aws.String("r")})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "what was answered is what is heard", answer, got)
	page := &vpclattice.ListServicesInput{MaxResults: aws.Int32(5), NextToken: aws.String("a=b&c")}
	if _, err := client.ListServices(t.Context(), page); err != nil {
		t.Error(err)
	}
	same(t, "fields without a place are in the query", page, listed)
	keys := &vpclattice.UntagResourceInput{ResourceArn: aws.String("arn:aws:x/y"), TagKeys: []string{"a", "b c"}}
	if _, err := client.UntagResource(t.Context(), keys); err != nil {
		t.Error(err)
	}
	same(t, "a list in the query", keys, untagged)
	_, err = client.CreateService(t.Context(), &vpclattice.CreateServiceInput{Name: aws.String("s")})
	var quota *latticetypes.ServiceQuotaExceededException
	if !errors.As(err, &quota) || aws.ToString(quota.ResourceType) != "SERVICE" || aws.ToString(quota.QuotaCode) != "L-1" {
		t.Errorf("an error has its members: %v", err)
	}
}

func TestRoute53(t *testing.T) {
	t.Parallel()
	var made *route53.CreateHostedZoneInput
	var changed *route53.ChangeResourceRecordSetsInput
	var listed *route53.ListResourceRecordSetsInput
	var tagged *route53.ChangeTagsForResourceInput
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	zone := &route53.CreateHostedZoneOutput{
		Location: aws.String("https://x/Z1"), HostedZone: &dnstypes.HostedZone{Id: aws.String("Z1"), Name: aws.String("a.b."), CallerReference: aws.String("1")},
		ChangeInfo:    &dnstypes.ChangeInfo{Id: aws.String("C1"), Status: dnstypes.ChangeStatusPending, SubmittedAt: &at},
		DelegationSet: &dnstypes.DelegationSet{NameServers: []string{"ns-1", "ns-2"}},
	}
	records := &route53.ListResourceRecordSetsOutput{
		IsTruncated: true, MaxItems: aws.Int32(1), NextRecordName: aws.String("n"), ResourceRecordSets: []dnstypes.ResourceRecordSet{
			{Name: aws.String("a.b."), Type: dnstypes.RRTypeA, TTL: aws.Int64(60), ResourceRecords: []dnstypes.ResourceRecord{{Value: aws.String("<1>")}, {Value: aws.String("2")}}},
		},
	}
	refused := wire.Errorf("InvalidChangeBatch", "x").With(map[string]any{"Messages": []string{"one", "two"}})
	client := route53.NewFromConfig(serve(t, wire.Service{
		Name: "route53",
		Protocol: wire.RESTXML{
			Namespace: "https://route53.amazonaws.com/doc/2013-04-01/", Invalid: "InvalidInput",
			Names: map[string]string{"ChangeTagsForResourceInput.RemoveTagKeys": "RemoveTagKeys>Key"},
		},
		Operations: wire.Table(
			wire.Writes("CreateHostedZone", heard(&made, zone)).At("POST /2013-04-01/hostedzone", wire.Headers("Location"), wire.Status(http.StatusCreated)),
			wire.Writes("ChangeResourceRecordSets", func(in *route53.ChangeResourceRecordSetsInput) (*route53.ChangeResourceRecordSetsOutput, error) {
				if *in.HostedZoneId == "Z2" {
					return nil, refused
				}
				changed = in
				return &route53.ChangeResourceRecordSetsOutput{ChangeInfo: zone.ChangeInfo}, nil
			}).
				At("POST /2013-04-01/hostedzone/{HostedZoneId}/rrset"),
			wire.Reads("ListResourceRecordSets", heard(&listed, records)).
				At("GET /2013-04-01/hostedzone/{HostedZoneId}/rrset?name={StartRecordName}&type={StartRecordType}&maxitems={MaxItems}"),
			wire.Writes("ChangeTagsForResource", heard(&tagged, &route53.ChangeTagsForResourceOutput{})).At("POST /2013-04-01/tags/{ResourceType}/{ResourceId}"),
			wire.Reads("GetHostedZone", refusing[route53.GetHostedZoneInput, route53.GetHostedZoneOutput](wire.Errorf("NoSuchHostedZone", "none").WithStatus(http.StatusNotFound))).
				At("GET /2013-04-01/hostedzone/{Id}"),
		),
	}))
	in := &route53.CreateHostedZoneInput{
		CallerReference: aws.String("1"), Name: aws.String("a.b"), HostedZoneConfig: &dnstypes.HostedZoneConfig{Comment: aws.String("c & d"), PrivateZone: true},
		VPC: &dnstypes.VPC{VPCId: aws.String("vpc-1"), VPCRegion: dnstypes.VPCRegionUsWest2},
	}
	out, err := client.CreateHostedZone(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "zone sent", in, made)
	same(t, "zone answered", zone, out)
	change := &route53.ChangeResourceRecordSetsInput{HostedZoneId: aws.String("Z1"), ChangeBatch: &dnstypes.ChangeBatch{Changes: []dnstypes.Change{
		{Action: dnstypes.ChangeActionUpsert, ResourceRecordSet: &records.ResourceRecordSets[0]},
		{Action: dnstypes.ChangeActionDelete, ResourceRecordSet: &dnstypes.ResourceRecordSet{
			Name: aws.String("c"), Type: dnstypes.RRTypeA, AliasTarget: &dnstypes.AliasTarget{DNSName: aws.String("d"), HostedZoneId: aws.String("Z2")},
		}},
	}}}
	if _, err := client.ChangeResourceRecordSets(t.Context(), change); err != nil {
		t.Error(err)
	}
	same(t, "changes sent", change, changed)
	page := &route53.ListResourceRecordSetsInput{HostedZoneId: aws.String("Z1"), StartRecordName: aws.String("a"), StartRecordType: dnstypes.RRTypeTxt, MaxItems: aws.Int32(1)}
	got, err := client.ListResourceRecordSets(t.Context(), page)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "page asked for", page, listed)
	same(t, "page answered", records, got)
	tags := &route53.ChangeTagsForResourceInput{
		ResourceType: dnstypes.TagResourceTypeHostedzone, ResourceId: aws.String("Z1"), AddTags: []dnstypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
		RemoveTagKeys: []string{"x", "y"},
	}
	if _, err := client.ChangeTagsForResource(t.Context(), tags); err != nil {
		t.Error(err)
	}
	same(t, "tags sent", tags, tagged)
	_, err = client.GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: aws.String("Z1")})
	if _, ok := errors.AsType[*dnstypes.NoSuchHostedZone](err); !ok {
		t.Errorf("an error has its type: %v", err)
	}
	change.HostedZoneId = aws.String("Z2")
	_, err = client.ChangeResourceRecordSets(t.Context(), change)
	if batch, ok := errors.AsType[*dnstypes.InvalidChangeBatch](err); !ok || !cmp.Equal(batch.Messages, []string{"one", "two"}) {
		t.Errorf("messages of an error: %v", err)
	}
}
