// Package shield reads and writes the protections that Shield Advanced gives load balancers.
//
// It may import model, cloud/call and the AWS SDK. Its invariants: nothing is ever subscribed to, and a write is one API call.
package shield

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/shield"
	"github.com/aws/aws-sdk-go-v2/service/shield/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// home is the one region that has the API, whatever region is protected.
const home = "us-east-1"

// Client is the Shield API of one account.
type Client struct {
	api *sdk.Client
}

// New makes a client.
func New(cfg aws.Config) *Client {
	return &Client{api: sdk.NewFromConfig(cfg, func(o *sdk.Options) { o.Region = home })}
}

// Protection of a resource.
type Protection struct{ ID, Name string }

// Of is the protection of a load balancer, the zero value without one.
func (c *Client) Of(ctx context.Context, lb model.ARN) (Protection, error) {
	got, err := c.api.DescribeProtection(ctx, &sdk.DescribeProtectionInput{ResourceArn: aws.String(string(lb))})
	if fault.Of(err) == fault.NotFound {
		return Protection{}, nil
	}
	if err != nil {
		return Protection{}, fmt.Errorf("reading the protection of %s: %w", lb, call.Bare(err))
	}
	if got.Protection == nil {
		return Protection{}, nil
	}
	return Protection{ID: aws.ToString(got.Protection.Id), Name: aws.ToString(got.Protection.Name)}, nil
}

// Protect makes a protection of a load balancer. Where it has one the error is of the class Conflict.
func (c *Client) Protect(ctx context.Context, lb model.ARN, name string) error {
	_, err := c.api.CreateProtection(ctx, &sdk.CreateProtectionInput{Name: aws.String(name), ResourceArn: aws.String(string(lb))},
		func(o *sdk.Options) { o.Retryer = call.Once(o.Retryer) })
	if err != nil {
		return fmt.Errorf("protecting %s: %w", lb, call.Bare(err))
	}
	return nil
}

// Unprotect deletes a protection. One that is gone is no error.
func (c *Client) Unprotect(ctx context.Context, p Protection) error {
	_, err := c.api.DeleteProtection(ctx, &sdk.DeleteProtectionInput{ProtectionId: aws.String(p.ID)})
	if err != nil && fault.Of(err) != fault.NotFound {
		return fmt.Errorf("deleting protection %q: %w", p.Name, call.Bare(err))
	}
	return nil
}

// Subscribed tells whether the account subscribes to Shield Advanced.
func (c *Client) Subscribed(ctx context.Context) (bool, error) {
	got, err := c.api.GetSubscriptionState(ctx, &sdk.GetSubscriptionStateInput{})
	if err != nil {
		return false, fmt.Errorf("reading the subscription to Shield: %w", call.Bare(err))
	}
	return got.SubscriptionState == types.SubscriptionStateActive, nil
}
