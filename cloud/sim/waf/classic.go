package waf

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/wafregional"
	classictypes "github.com/aws/aws-sdk-go-v2/service/wafregional/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Classic is WAF Regional: web ACLs without rules, and what has them.
type Classic struct {
	// Tags are those of the web ACLs.
	Tags *listing.Tags

	account *account.Account
	used    associations
	acls    table.Table[*classictypes.WebACL]
	// tokens holds the change tokens that were given out, and when they were used; unused is the one that nobody used yet.
	tokens map[string]time.Time
	unused string
}

// NewClassic makes an account without web ACLs.
func NewClassic(a *account.Account, b Balancers) *Classic {
	return &Classic{
		Tags:    listing.NewTags(listing.Codes{Invalid: "WAFInvalidParameterException", TooMany: "WAFLimitsExceededException"}),
		account: a, used: associations{balancers: b, held: map[string]string{}}, tokens: map[string]time.Time{},
	}
}

// Service gives the WAF Regional API.
func (c *Classic) Service() wire.Service {
	return wire.Service{
		Name: "waf-regional", Target: "AWSWAF_Regional_20161128", Protocol: wire.JSON{Invalid: "WAFInvalidParameterException"},
		Operations: wire.Table(slices.Concat(c.aclOperations(), c.associationOperations(), c.tagOperations())...),
	}
}

func (c *Classic) aclOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("GetChangeToken", c.getChangeToken), wire.Reads("GetChangeTokenStatus", c.getChangeTokenStatus),
		wire.Writes("CreateWebACL", c.createACL), wire.Reads("GetWebACL", c.getACL), wire.Writes("UpdateWebACL", c.updateACL),
		wire.Writes("DeleteWebACL", c.deleteACL), wire.Reads("ListWebACLs", c.listACLs),
	}
}

// Dump gives everything that the service holds, in the shapes of the API.
func (c *Classic) Dump() any {
	c.used.sweep()
	return struct {
		WebACLs      []*classictypes.WebACL
		Associations map[string]string
		Tags         map[string]map[string]string
	}{c.acls.Values(), c.used.held, c.Tags.Tagged()}
}

func wrong(format string, args ...any) error {
	return wire.Errorf("WAFInvalidParameterException", format, args...)
}

func missing() error {
	return wire.Errorf("WAFNonexistentItemException", "The referenced item does not exist.")
}

// getChangeToken gives the same token until somebody uses it. It is a write: what follows needs the token that it keeps.
func (c *Classic) getChangeToken(*sdk.GetChangeTokenInput) (*sdk.GetChangeTokenOutput, error) {
	if c.unused == "" {
		c.unused = c.account.UUID()
		c.tokens[c.unused] = time.Time{}
	}
	return &sdk.GetChangeTokenOutput{ChangeToken: aws.String(c.unused)}, nil
}

// spread is how long a change takes to reach all servers.
const spread = 30 * time.Second

func (c *Classic) getChangeTokenStatus(in *sdk.GetChangeTokenStatusInput) (*sdk.GetChangeTokenStatusOutput, error) {
	used, ok := c.tokens[aws.ToString(in.ChangeToken)]
	if !ok {
		return nil, missing()
	}
	status := classictypes.ChangeTokenStatusInsync
	switch {
	case used.IsZero():
		status = classictypes.ChangeTokenStatusProvisioned
	case c.account.Now().Before(used.Add(c.account.Scale(spread))):
		status = classictypes.ChangeTokenStatusPending
	}
	return &sdk.GetChangeTokenStatusOutput{ChangeTokenStatus: status}, nil
}

// checkToken refuses a token that was not given out, or was used before.
func (c *Classic) checkToken(token *string) error {
	if used, ok := c.tokens[aws.ToString(token)]; !ok || !used.IsZero() {
		return wire.Errorf("WAFStaleDataException", "The input token is no longer current.")
	}
	return nil
}

func (c *Classic) use(token *string) {
	c.tokens[*token], c.unused = c.account.Now(), ""
}

// Form of metric names, and the quota of web ACLs (WAF classic API reference and quotas).
var classicMetric = regexp.MustCompile(`^[A-Za-z0-9]{1,128}$`)

const (
	maxClassicACLs = 50
	maxClassicName = 128
)

func checkDefault(a *classictypes.WafAction) error {
	if a == nil || a.Type != classictypes.WafActionTypeAllow && a.Type != classictypes.WafActionTypeBlock {
		return wrong("The default action must be ALLOW or BLOCK.")
	}
	return nil
}

func (c *Classic) createACL(in *sdk.CreateWebACLInput) (*sdk.CreateWebACLOutput, error) {
	if err := c.checkToken(in.ChangeToken); err != nil {
		return nil, err
	}
	name, metric := aws.ToString(in.Name), aws.ToString(in.MetricName)
	if name == "" || len(name) > maxClassicName || !classicMetric.MatchString(metric) || metric == "All" {
		return nil, wrong("The name '%s' or the metric name '%s' is not valid.", name, metric)
	}
	if err := checkDefault(in.DefaultAction); err != nil {
		return nil, err
	}
	tags, err := listing.Read(c.Tags, in.Tags, func(t classictypes.Tag) (*string, *string) { return t.Key, t.Value })
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	if c.acls.Len() >= maxClassicACLs {
		return nil, wire.Errorf("WAFLimitsExceededException", "Operation would result in exceeding resource limits: %d web ACLs.", maxClassicACLs)
	}
	id := c.account.UUID()
	a := &classictypes.WebACL{
		WebACLId: aws.String(id), WebACLArn: aws.String(c.account.ARN("waf-regional", "webacl/"+id)), Name: in.Name, MetricName: in.MetricName,
		DefaultAction: in.DefaultAction, Rules: []classictypes.ActivatedRule{},
	}
	c.acls.Put(id, a)
	c.Tags.Put(*a.WebACLArn, tags)
	c.use(in.ChangeToken)
	return &sdk.CreateWebACLOutput{WebACL: a, ChangeToken: in.ChangeToken}, nil
}

func (c *Classic) find(id *string) (*classictypes.WebACL, error) {
	a, ok := c.acls.Get(aws.ToString(id))
	if !ok {
		return nil, missing()
	}
	return a, nil
}

func (c *Classic) getACL(in *sdk.GetWebACLInput) (*sdk.GetWebACLOutput, error) {
	a, err := c.find(in.WebACLId)
	if err != nil {
		return nil, err
	}
	return &sdk.GetWebACLOutput{WebACL: a}, nil
}

// updateACL changes the default action. There are no rules here that an update could name.
func (c *Classic) updateACL(in *sdk.UpdateWebACLInput) (*sdk.UpdateWebACLOutput, error) {
	if err := c.checkToken(in.ChangeToken); err != nil {
		return nil, err
	}
	a, err := c.find(in.WebACLId)
	if err != nil {
		return nil, err
	}
	if len(in.Updates) > 0 {
		return nil, missing()
	}
	if in.DefaultAction != nil {
		if err := checkDefault(in.DefaultAction); err != nil {
			return nil, err
		}
		a.DefaultAction = in.DefaultAction
	}
	c.use(in.ChangeToken)
	return &sdk.UpdateWebACLOutput{ChangeToken: in.ChangeToken}, nil
}

func (c *Classic) deleteACL(in *sdk.DeleteWebACLInput) (*sdk.DeleteWebACLOutput, error) {
	if err := c.checkToken(in.ChangeToken); err != nil {
		return nil, err
	}
	a, err := c.find(in.WebACLId)
	if err != nil {
		return nil, err
	}
	if len(c.used.resources(*a.WebACLId)) > 0 {
		return nil, wire.Errorf("WAFReferencedItemException", "This entity is still referenced by other entities.")
	}
	c.acls.Delete(*a.WebACLId)
	c.Tags.Drop(*a.WebACLArn)
	c.use(in.ChangeToken)
	return &sdk.DeleteWebACLOutput{ChangeToken: in.ChangeToken}, nil
}

func (c *Classic) listACLs(in *sdk.ListWebACLsInput) (*sdk.ListWebACLsOutput, error) {
	size := int(in.Limit)
	if size == 0 {
		size = mostListed
	}
	if size < 0 || size > mostListed {
		return nil, wrong("The limit is not valid.")
	}
	page, next, ok := listing.Page(c.acls.Values(), size, aws.ToString(in.NextMarker))
	if !ok {
		return nil, wrong("The next marker is not valid.")
	}
	out := &sdk.ListWebACLsOutput{WebACLs: []classictypes.WebACLSummary{}}
	for _, a := range page {
		out.WebACLs = append(out.WebACLs, classictypes.WebACLSummary{Name: a.Name, WebACLId: a.WebACLId})
	}
	if next != "" {
		out.NextMarker = &next
	}
	return out, nil
}
