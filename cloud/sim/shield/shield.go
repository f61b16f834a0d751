// Package shield simulates Shield Advanced: the subscription, and which resources are protected. It may import the SDK's shapes and the
// simulator's wire, account, table and listing packages. Its invariant: there are protections only with a subscription, one a resource.
package shield

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/shield"
	shieldtypes "github.com/aws/aws-sdk-go-v2/service/shield/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Resources knows what can be protected.
type Resources interface {
	// Balancer gives the state of a load balancer. It reports false if there is none with this ARN.
	Balancer(arn string) (state string, ok bool)
	// Allocated reports whether an address is allocated.
	Allocated(allocation string) bool
}

// Guard is Shield Advanced.
type Guard struct {
	// Tags are those of protections.
	Tags *listing.Tags

	account     *account.Account
	resources   Resources
	subscribed  time.Time
	renew       shieldtypes.AutoRenew
	protections table.Table[*shieldtypes.Protection]
}

// New makes an account without a subscription.
func New(a *account.Account, r Resources) *Guard {
	const code = "InvalidParameterException"
	return &Guard{Tags: listing.NewTags(listing.Codes{Invalid: code, TooMany: code}), account: a, resources: r}
}

// Service gives the Shield API.
func (g *Guard) Service() wire.Service {
	return wire.Service{
		Name: "shield", Target: "AWSShield_20160616", Protocol: wire.JSON{Invalid: "InvalidParameterException"},
		Operations: wire.Table(
			wire.Reads("GetSubscriptionState", g.getSubscriptionState), wire.Reads("DescribeSubscription", g.describeSubscription),
			wire.Writes("CreateSubscription", g.createSubscription), wire.Writes("UpdateSubscription", g.updateSubscription),
			wire.Writes("CreateProtection", g.createProtection), wire.Reads("DescribeProtection", g.describeProtection),
			wire.Reads("ListProtections", g.listProtections), wire.Writes("DeleteProtection", g.deleteProtection),
			wire.Writes("TagResource", g.tagResource), wire.Writes("UntagResource", g.untagResource), wire.Reads("ListTagsForResource", g.listTags),
		),
	}
}

// Dump gives everything that the service holds, in the shapes of the API.
func (g *Guard) Dump() any {
	out := struct {
		Subscription *shieldtypes.Subscription
		Protections  []*shieldtypes.Protection
		Tags         map[string]map[string]string
	}{nil, g.protections.Values(), g.Tags.Tagged()}
	if !g.subscribed.IsZero() {
		out.Subscription = g.subscription()
	}
	return out
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

func missing(what string) error {
	return wire.Errorf("ResourceNotFoundException", "The referenced %s does not exist.", what)
}

func (g *Guard) getSubscriptionState(*sdk.GetSubscriptionStateInput) (*sdk.GetSubscriptionStateOutput, error) {
	state := shieldtypes.SubscriptionStateActive
	if g.subscribed.IsZero() {
		state = shieldtypes.SubscriptionStateInactive
	}
	return &sdk.GetSubscriptionStateOutput{SubscriptionState: state}, nil
}

// Terms of a subscription and default quotas (Shield API reference; developer guide, "AWS Shield Advanced quotas").
const (
	commitment     = 365 * 24 * time.Hour
	lastDays       = 30 * 24 * time.Hour
	maxProtections = 1000
	maxGroups      = 100
	maxMembers     = 10000
)

func (g *Guard) createSubscription(*sdk.CreateSubscriptionInput) (*sdk.CreateSubscriptionOutput, error) {
	if !g.subscribed.IsZero() {
		return nil, wire.Errorf("ResourceAlreadyExistsException", "The subscription already exists.")
	}
	g.subscribed, g.renew = g.account.Now(), shieldtypes.AutoRenewEnabled
	return &sdk.CreateSubscriptionOutput{}, nil
}

func (g *Guard) checkSubscribed() error {
	if g.subscribed.IsZero() {
		return missing("subscription")
	}
	return nil
}

func (g *Guard) subscription() *shieldtypes.Subscription {
	limits := []shieldtypes.Limit{}
	for _, kind := range shieldtypes.ProtectedResourceType("").Values() {
		limits = append(limits, shieldtypes.Limit{Type: aws.String(string(kind)), Max: maxProtections})
	}
	return &shieldtypes.Subscription{
		StartTime: aws.Time(g.subscribed), EndTime: aws.Time(g.subscribed.Add(commitment)), TimeCommitmentInSeconds: int64(commitment.Seconds()),
		AutoRenew: g.renew, Limits: limits, ProactiveEngagementStatus: shieldtypes.ProactiveEngagementStatusDisabled,
		SubscriptionArn: aws.String("arn:" + g.account.Partition + ":shield::" + g.account.ID + ":subscription"),
		SubscriptionLimits: &shieldtypes.SubscriptionLimits{
			ProtectionLimits: &shieldtypes.ProtectionLimits{ProtectedResourceTypeLimits: limits},
			ProtectionGroupLimits: &shieldtypes.ProtectionGroupLimits{
				MaxProtectionGroups: maxGroups,
				PatternTypeLimits: &shieldtypes.ProtectionGroupPatternTypeLimits{
					ArbitraryPatternLimits: &shieldtypes.ProtectionGroupArbitraryPatternLimits{MaxMembers: maxMembers},
				},
			},
		},
	}
}

func (g *Guard) describeSubscription(*sdk.DescribeSubscriptionInput) (*sdk.DescribeSubscriptionOutput, error) {
	if err := g.checkSubscribed(); err != nil {
		return nil, err
	}
	return &sdk.DescribeSubscriptionOutput{Subscription: g.subscription()}, nil
}

// updateSubscription changes the renewal, in the last days of the commitment only.
func (g *Guard) updateSubscription(in *sdk.UpdateSubscriptionInput) (*sdk.UpdateSubscriptionOutput, error) {
	if err := g.checkSubscribed(); err != nil {
		return nil, err
	}
	if in.AutoRenew == "" || in.AutoRenew == g.renew {
		return &sdk.UpdateSubscriptionOutput{}, nil
	}
	if g.account.Now().Before(g.subscribed.Add(commitment - lastDays)) {
		return nil, wire.Errorf("LockedSubscriptionException", "The renewal can be changed in the last 30 days of the subscription only.")
	}
	g.renew = in.AutoRenew
	return &sdk.UpdateSubscriptionOutput{}, nil
}
