// Package zones simulates Route 53: hosted zones, public and private, their records, and changes that take their time to arrive. It may
// import the SDK's shapes and the simulator's wire, account, table and listing packages. Its invariant: a zone has one SOA record and the
// NS records of its own name as long as it exists, and a batch of changes is there as a whole or not at all.
package zones

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Resources knows what zones and alias records name.
type Resources interface {
	// VPC reports whether there is a VPC.
	VPC(id string) bool
	// HostedZone gives the zone that AWS keeps the name of a resource in, as in Z1H1FL5HABSF5 for a load balancer. The name is in lower
	// case and has no period at its end.
	HostedZone(name string) (zone string, ok bool)
}

// Zones holds the hosted zones of the account.
type Zones struct {
	// Tags are those of hosted zones.
	Tags *listing.Tags

	account   *account.Account
	resources Resources
	// changed is told after each change of records.
	changed func()
	zones   table.Table[*zone]
	// callers holds the references that made zones, also those that are deleted.
	callers map[string]bool
	changes map[string]dnstypes.ChangeInfo
}

// zone is a hosted zone with its records.
type zone struct {
	shape   dnstypes.HostedZone
	servers []string
	vpcs    []dnstypes.VPC
	records map[key]dnstypes.ResourceRecordSet
}

func (z *zone) private() bool { return z.shape.Config.PrivateZone }

// spreading is how long a change takes to reach all name servers (developer guide, "Checking the status of your changes": within 60 seconds).
const spreading = time.Minute

// New makes an account without zones. What is given is told after each change of records.
func New(a *account.Account, r Resources, changed func()) *Zones {
	const code = "InvalidInput"
	return &Zones{
		Tags: listing.NewTags(listing.Codes{Invalid: code, TooMany: code}), account: a, resources: r, changed: changed, callers: map[string]bool{},
		changes: map[string]dnstypes.ChangeInfo{},
	}
}

// Service gives the Route 53 API.
func (s *Zones) Service() wire.Service {
	return wire.Service{
		Name: "route53", Protocol: wire.RESTXML{
			Namespace: "https://route53.amazonaws.com/doc/2013-04-01/", Invalid: "InvalidInput",
			Names: map[string]string{"ChangeTagsForResourceInput.RemoveTagKeys": "RemoveTagKeys>Key"},
		},
		Operations: wire.Table(slices.Concat(s.zoneOperations(), s.networkOperations(), s.recordOperations(), s.tagOperations())...),
	}
}

// Has reports whether the public DNS has a value under a name. Names and values are in lower case and have no period at their end.
func (s *Zones) Has(name, kind, value string) bool {
	for _, z := range s.zones.All() {
		if z.private() {
			continue
		}
		for k, r := range z.records {
			if bare(k.name) == name && string(k.kind) == kind && holds(r, value) {
				return true
			}
		}
	}
	return false
}

func holds(r dnstypes.ResourceRecordSet, value string) bool {
	return slices.ContainsFunc(r.ResourceRecords, func(one dnstypes.ResourceRecord) bool {
		return strings.ToLower(bare(aws.ToString(one.Value))) == value
	})
}

// Dump gives everything that the service holds, in the shapes of the API.
func (s *Zones) Dump() any {
	type one struct {
		dnstypes.HostedZone
		VPCs               []dnstypes.VPC
		ResourceRecordSets []dnstypes.ResourceRecordSet
		Tags               map[string]string
	}
	var all []one
	for id, z := range s.zones.All() {
		all = append(all, one{*z.show(), z.vpcs, z.sorted(), s.Tags.Of(s.arn(id))})
	}
	return all
}

func (z *zone) show() *dnstypes.HostedZone {
	shown := z.shape
	shown.ResourceRecordSetCount = aws.Int64(int64(len(z.records)))
	return &shown
}

func (s *Zones) arn(id string) string {
	return "arn:" + s.account.Partition + ":route53:::hostedzone/" + id
}

// longestID is how long the identifier of a zone is at most (API reference).
const longestID = 32

// find gives a zone by its identifier, with or without /hostedzone/ before it.
func (s *Zones) find(id *string) (*zone, error) {
	if len(plain(id)) > longestID {
		return nil, invalid("The ID '%s' has more than %d characters.", plain(id), longestID)
	}
	z, ok := s.zones.Get(plain(id))
	if !ok {
		return nil, absent("NoSuchHostedZone", "No hosted zone found with ID: %s", plain(id))
	}
	return z, nil
}

func plain(id *string) string {
	text := aws.ToString(id)
	return text[strings.LastIndex(text, "/")+1:]
}

func invalid(format string, args ...any) error { return wire.Errorf("InvalidInput", format, args...) }

// absent is an error for what is not there.
func absent(code, format string, args ...any) error {
	return &wire.Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusNotFound}
}

// submit notes a change, which is everywhere after a while.
func (s *Zones) submit(comment *string) *dnstypes.ChangeInfo {
	const digits = 20
	id := "C" + strings.ToUpper(s.account.Hex(digits))
	info := dnstypes.ChangeInfo{
		Id: aws.String("/change/" + id), Status: dnstypes.ChangeStatusPending, SubmittedAt: aws.Time(s.account.Now()), Comment: comment,
	}
	s.changes[id] = info
	return &info
}
