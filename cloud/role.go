package cloud

import (
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/model"
)

// roles are the accounts that a role lets us into, with one client for each role and external ID.
type roles struct {
	options Options
	config  aws.Config
	tokens  *sts.Client

	mu    sync.Mutex
	known map[model.Role]*Targets
}

// roles are the other accounts, with the configuration that their calls begin with.
func (o Options) roles(plain aws.Config) *roles {
	tokens := sts.NewFromConfig(o.at(o.paced(plain), "sts"))
	o.Limits = nil // those are the operator's own account's
	return &roles{options: o, config: plain, tokens: tokens}
}

// As is another account, as far as targets go: what a role of it lets us do. The role is assumed at the first call, and again before
// its credentials end.
func (c *Client) As(role model.Role) *Targets {
	r := c.roles
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.known[role]; ok {
		return known
	}
	// Another account has limits of its own.
	cfg := r.options.paced(r.config)
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(r.tokens, role.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "headgate"
		if role.ExternalID != "" {
			o.ExternalID = aws.String(role.ExternalID)
		}
	}))
	made := &Targets{elb: elbv2.New(r.options.at(cfg, "elasticloadbalancing", "elbv2"))}
	if r.known == nil {
		r.known = map[model.Role]*Targets{}
	}
	r.known[role] = made
	return made
}
