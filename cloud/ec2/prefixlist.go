package ec2

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
)

// PrefixLists are the sizes of prefix lists by ID; one that does not exist is left out.
func (c *Client) PrefixLists(ctx context.Context, ids []string) (map[string]model.PrefixList, error) {
	out := map[string]model.PrefixList{}
	pages := sdk.NewDescribeManagedPrefixListsPaginator(c.api, &sdk.DescribeManagedPrefixListsInput{
		Filters: []types.Filter{filter("prefix-list-id", ids...)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading prefix lists: %w", call.Bare(err))
		}
		for _, l := range page.PrefixLists {
			out[aws.ToString(l.PrefixListId)] = model.PrefixList{MaxEntries: entries(l), IPv6: aws.ToString(l.AddressFamily) == "IPv6"}
		}
	}
	return out, nil
}

// entries is how many rules a list counts as. AWS does not say it of its own lists but in the VPC guide (AWS-managed prefix list weight).
func entries(l types.ManagedPrefixList) int {
	if l.MaxEntries != nil {
		return int(*l.MaxEntries)
	}
	name := aws.ToString(l.PrefixListName)
	for part, weight := range map[string]int{
		"cloudfront": 55, "route53-healthchecks": 25, "vpc-lattice": 10, "s3express": 6, "groundstation": 5, "ec2-instance-connect": 2,
	} {
		if strings.Contains(name, part) {
			return weight
		}
	}
	return 1
}
