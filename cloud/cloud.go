// Package cloud is AWS as the rest of Headgate sees it: facts and observations in model types, and plans carried out.
//
// It may import model, the packages below it except the simulator, the AWS SDK and the Prometheus client; never Kubernetes and
// never controllers. Its invariants: every error is made of [fault.Error] classes; one change of a plan is one writing call in the
// good case; a create that was not answered is looked for before it is reported, so that nothing is made twice; and only what
// carries our ownership tags is adopted.
package cloud

import (
	"context"
	"fmt"
	"time"

	"github.com/headgate/headgate/cloud/acm"
	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/cloud/ec2"
	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/cloud/inventory"
	"github.com/headgate/headgate/cloud/route53"
	"github.com/headgate/headgate/cloud/s3"
	"github.com/headgate/headgate/model"
)

// Client is AWS for one cluster. It is safe for concurrent use.
type Client struct {
	*Targets

	cluster string
	vpc     string
	elb     *elbv2.Client
	ec2     *ec2.Client
	acm     *acm.Client
	dns     *route53.Client
	s3      *s3.Client
	secrets Secrets
	// authorities reads what trust stores are made of.
	authorities Authorities
	now         func() time.Time
	inventory   *inventory.Inventory
	roles       *roles

	protectors inventory.Protectors
}

// Lane is how urgent calls are; see package call.
type Lane = call.Lane

// Background is the lane of what nobody waits for: put it into the context of a sweep.
const Background = call.Background

// WithLane returns a context whose calls go in the lane.
func WithLane(ctx context.Context, lane Lane) context.Context { return call.WithLane(ctx, lane) }

// Trial marks calls that only find out whether AWS takes now what it refused: see package call. Touched says that it may have taken some.
func Trial(ctx context.Context) (trial context.Context, touched func() bool) {
	trial, t := call.WithTrial(ctx)
	return trial, t.Touched
}

// VPC is the ID of the cluster's VPC.
func (c *Client) VPC() string { return c.vpc }

// Facts are what a build must know of the world; see [inventory.Inventory.Facts].
func (c *Client) Facts(ctx context.Context, need model.Needs) (model.Facts, error) {
	facts, err := c.inventory.Facts(ctx, need)
	return facts, doing("asking for what "+need.Owner.String()+" needs", err)
}

// Observe is what AWS holds for an owner; see [inventory.Inventory.Observe].
func (c *Client) Observe(ctx context.Context, owner model.Owner, keys []model.Key) (model.Stack, error) {
	stack, err := c.inventory.Observe(ctx, owner, keys)
	return stack, doing("looking at "+owner.String(), err)
}

// Owners are the owners of the cluster's stacks in AWS; see [inventory.Inventory.Owners].
func (c *Client) Owners(ctx context.Context) ([]model.Owner, error) {
	owners, err := c.inventory.Owners(ctx)
	return owners, doing("looking for the cluster's stacks", err)
}

// Belongings are the resources of the cluster's stacks as far as they are known; see [inventory.Inventory.Belongings].
func (c *Client) Belongings() []model.Belonging { return c.inventory.Belongings() }

// Usage is how much of the region's quotas is used, as far as it is known; see [inventory.Inventory.Usage].
func (c *Client) Usage() []model.QuotaUse { return c.inventory.Usage() }

// Unused are imported certificates that nothing has; see [inventory.Inventory.Unused].
func (c *Client) Unused(ctx context.Context) ([]model.OwnCertificate, error) {
	unused, err := c.inventory.Unused(ctx)
	return unused, doing("looking for certificates that nothing has", err)
}

// Forget has everything of an owner read from AWS again at the next observation.
func (c *Client) Forget(owner model.Owner) { c.inventory.Forget(owner) }

// doing says what failed; nil stays nil.
func doing(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
