package waf

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/wafregional"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// Classic is the API of WAF Classic, Regional, of one account and region. Its web ACLs go by their IDs.
type Classic struct {
	api *sdk.Client
}

// NewClassic makes a client.
func NewClassic(cfg aws.Config) *Classic { return &Classic{api: sdk.NewFromConfig(cfg)} }

// Of is the ID of the web ACL of a load balancer, empty without one.
func (c *Classic) Of(ctx context.Context, lb model.ARN) (string, error) {
	got, err := c.api.GetWebACLForResource(ctx, &sdk.GetWebACLForResourceInput{ResourceArn: aws.String(string(lb))})
	if fault.Of(err) == fault.NotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the classic web ACL of %s: %w", lb, call.Bare(err))
	}
	if got.WebACLSummary == nil {
		return "", nil
	}
	return aws.ToString(got.WebACLSummary.WebACLId), nil
}

// Associate gives a load balancer a web ACL in place of the one that it has.
func (c *Classic) Associate(ctx context.Context, lb model.ARN, acl string) error {
	_, err := c.api.AssociateWebACL(ctx, &sdk.AssociateWebACLInput{ResourceArn: aws.String(string(lb)), WebACLId: aws.String(acl)})
	if err != nil {
		return fmt.Errorf("associating classic web ACL %s: %w", acl, call.Bare(err))
	}
	return nil
}

// Disassociate takes a load balancer's web ACL away. One without is no error.
func (c *Classic) Disassociate(ctx context.Context, lb model.ARN) error {
	_, err := c.api.DisassociateWebACL(ctx, &sdk.DisassociateWebACLInput{ResourceArn: aws.String(string(lb))})
	if err != nil {
		return fmt.Errorf("disassociating the classic web ACL of %s: %w", lb, call.Bare(err))
	}
	return nil
}

// Exists tells whether there is a web ACL of that ID in this account and region.
func (c *Classic) Exists(ctx context.Context, acl string) (bool, error) {
	_, err := c.api.GetWebACL(ctx, &sdk.GetWebACLInput{WebACLId: aws.String(acl)})
	return found("reading classic web ACL "+acl, err)
}
