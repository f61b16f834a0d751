// Package waf reads and writes which web ACL a load balancer has: of AWS WAF, and of its predecessor WAF Classic, Regional.
//
// It may import model, cloud/call and the AWS SDK. Its invariants: a web ACL itself is never changed, only what it is associated with;
// and a write is one API call.
package waf

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// pageSize is the most that ListWebACLs returns at once.
const pageSize = 100

// Client is the WAF API of one account and region.
type Client struct {
	api *sdk.Client
}

// New makes a client.
func New(cfg aws.Config) *Client { return &Client{api: sdk.NewFromConfig(cfg)} }

// Of is the ARN of the web ACL of a load balancer, empty without one.
func (c *Client) Of(ctx context.Context, lb model.ARN) (string, error) {
	got, err := c.api.GetWebACLForResource(ctx, &sdk.GetWebACLForResourceInput{ResourceArn: aws.String(string(lb))})
	if fault.Of(err) == fault.NotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the web ACL of %s: %w", lb, call.Bare(err))
	}
	if got.WebACL == nil {
		return "", nil
	}
	return aws.ToString(got.WebACL.ARN), nil
}

// Associate gives a load balancer a web ACL in place of the one that it has.
func (c *Client) Associate(ctx context.Context, lb model.ARN, acl string) error {
	_, err := c.api.AssociateWebACL(ctx, &sdk.AssociateWebACLInput{ResourceArn: aws.String(string(lb)), WebACLArn: aws.String(acl)})
	if err != nil {
		return fmt.Errorf("associating web ACL %s: %w", acl, call.Bare(err))
	}
	return nil
}

// Disassociate takes a load balancer's web ACL away. One without is no error.
func (c *Client) Disassociate(ctx context.Context, lb model.ARN) error {
	_, err := c.api.DisassociateWebACL(ctx, &sdk.DisassociateWebACLInput{ResourceArn: aws.String(string(lb))})
	if err != nil {
		return fmt.Errorf("disassociating the web ACL of %s: %w", lb, call.Bare(err))
	}
	return nil
}

// Named are the ARNs of all web ACLs for load balancers, by name.
func (c *Client) Named(ctx context.Context) (map[string]model.ARN, error) {
	out := map[string]model.ARN{}
	in := &sdk.ListWebACLsInput{Scope: types.ScopeRegional, Limit: aws.Int32(pageSize)}
	for {
		page, err := c.api.ListWebACLs(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("listing web ACLs: %w", call.Bare(err))
		}
		for _, s := range page.WebACLs {
			out[aws.ToString(s.Name)] = model.ARN(aws.ToString(s.ARN))
		}
		if aws.ToString(page.NextMarker) == "" || len(page.WebACLs) == 0 {
			return out, nil
		}
		in.NextMarker = page.NextMarker
	}
}

// Exists tells whether there is a web ACL of that ARN in this account and region. One that AWS does not take for an ARN is not there.
func (c *Client) Exists(ctx context.Context, acl string) (bool, error) {
	_, err := c.api.GetWebACL(ctx, &sdk.GetWebACLInput{ARN: aws.String(acl)})
	return found("reading web ACL "+acl, err)
}

func found(what string, err error) (bool, error) {
	switch fault.Of(err) {
	case "":
		return true, nil
	case fault.NotFound, fault.Invalid:
		return false, nil
	default:
		return false, fmt.Errorf("%s: %w", what, call.Bare(err))
	}
}
