// Package route53 writes the DNS records that show to whom the names of a certificate belong.
//
// It may import model and the AWS SDK. Its invariant: it writes CNAME records that a certificate authority asked for, and no others.
package route53

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
)

// ttl of the records, in seconds: the incumbent's.
const ttl = 60

// Client is the Route 53 API of one account.
type Client struct {
	api *sdk.Client
}

// New makes a client.
func New(cfg aws.Config) *Client { return &Client{api: sdk.NewFromConfig(cfg)} }

// Zones are the public hosted zones of an account: the ID by the name, which ends in a dot.
type Zones map[string]string

// Of is the ID of the zone that holds a name: that with the longest name. It is empty where no zone does.
func (z Zones) Of(name string) string {
	name = strings.TrimSuffix(strings.ToLower(name), ".") + "."
	for rest := name; rest != ""; {
		if id, ok := z[rest]; ok {
			return id
		}
		_, rest, _ = strings.Cut(rest, ".")
	}
	return ""
}

// Zones lists the public hosted zones.
func (c *Client) Zones(ctx context.Context) (Zones, error) {
	out := Zones{}
	pages := sdk.NewListHostedZonesPaginator(c.api, &sdk.ListHostedZonesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing hosted zones: %w", call.Bare(err))
		}
		for _, z := range page.HostedZones {
			name := strings.ToLower(aws.ToString(z.Name))
			id := aws.ToString(z.Id)
			// Of zones of one name the first by ID, each time.
			if private := z.Config != nil && z.Config.PrivateZone; !private && (out[name] == "" || id < out[name]) {
				out[name] = id
			}
		}
	}
	return out, nil
}

// Upsert writes records into a zone, in one call.
func (c *Client) Upsert(ctx context.Context, zone string, records []model.DNSRecord) error {
	batch := &types.ChangeBatch{}
	for _, r := range slices.Compact(slices.Clone(records)) {
		batch.Changes = append(batch.Changes, types.Change{
			Action: types.ChangeActionUpsert,
			ResourceRecordSet: &types.ResourceRecordSet{
				Name: aws.String(r.Name), Type: types.RRTypeCname, TTL: aws.Int64(ttl), ResourceRecords: []types.ResourceRecord{{Value: aws.String(r.Value)}},
			},
		})
	}
	_, err := c.api.ChangeResourceRecordSets(ctx, &sdk.ChangeResourceRecordSetsInput{HostedZoneId: aws.String(zone), ChangeBatch: batch})
	if err != nil {
		return fmt.Errorf("writing records: %w", call.Bare(err))
	}
	return nil
}
