package shield

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/shield"
	shieldtypes "github.com/aws/aws-sdk-go-v2/service/shield/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// nameForm is the form of the name of a protection (Shield API reference, CreateProtection).
var nameForm = regexp.MustCompile(`^[ a-zA-Z0-9_.\-]{1,128}$`)

// kind gives the type of a resource by its ARN, or "" for a type that cannot be protected: network load balancers are by their addresses.
func kind(arn string) shieldtypes.ProtectedResourceType {
	for part, is := range map[string]shieldtypes.ProtectedResourceType{
		":loadbalancer/app/": shieldtypes.ProtectedResourceTypeApplicationLoadBalancer,
		":eip-allocation/":   shieldtypes.ProtectedResourceTypeElasticIpAllocation,
		":distribution/":     shieldtypes.ProtectedResourceTypeCloudfrontDistribution,
		":hostedzone/":       shieldtypes.ProtectedResourceTypeRoute53HostedZone,
		":accelerator/":      shieldtypes.ProtectedResourceTypeGlobalAccelerator,
	} {
		if strings.HasPrefix(arn, "arn:") && strings.Contains(arn, part) {
			return is
		}
	}
	return ""
}

// exists looks a resource up. Of the types that can be protected, load balancers and addresses can exist here.
func (g *Guard) exists(arn string) bool {
	switch kind(arn) {
	case shieldtypes.ProtectedResourceTypeApplicationLoadBalancer:
		_, ok := g.resources.Balancer(arn)
		return ok
	case shieldtypes.ProtectedResourceTypeElasticIpAllocation:
		own := g.account.ARN("ec2", "eip-allocation/")
		return strings.HasPrefix(arn, own) && g.resources.Allocated(strings.TrimPrefix(arn, own))
	default:
		return false
	}
}

func (g *Guard) createProtection(in *sdk.CreateProtectionInput) (*sdk.CreateProtectionOutput, error) {
	if err := g.checkSubscribed(); err != nil {
		return nil, err
	}
	if !nameForm.MatchString(aws.ToString(in.Name)) {
		return nil, invalid("The name '%s' must have 1 to 128 letters, digits, spaces and _.-", aws.ToString(in.Name))
	}
	tags, err := listing.Read(g.Tags, in.Tags, parts)
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	arn := aws.ToString(in.ResourceArn)
	if !g.exists(arn) {
		return nil, wire.Errorf("InvalidResourceException", "The resource '%s' is invalid: it does not exist, or cannot be protected.", arn)
	}
	if _, taken := g.of(arn); taken {
		return nil, wire.Errorf("ResourceAlreadyExistsException", "The resource '%s' is protected already.", arn)
	}
	if g.count(kind(arn)) >= maxProtections {
		return nil, wire.Errorf("LimitsExceededException", "The operation would exceed the limit of %d protections of a type.", maxProtections)
	}
	id := g.account.UUID()
	p := &shieldtypes.Protection{
		Id: aws.String(id), Name: in.Name, ResourceArn: in.ResourceArn, HealthCheckIds: []string{},
		ProtectionArn: aws.String("arn:" + g.account.Partition + ":shield::" + g.account.ID + ":protection/" + id),
	}
	g.protections.Put(id, p)
	g.Tags.Put(*p.ProtectionArn, tags)
	return &sdk.CreateProtectionOutput{ProtectionId: p.Id}, nil
}

// of finds the protection of a resource.
func (g *Guard) of(arn string) (*shieldtypes.Protection, bool) {
	for _, p := range g.protections.All() {
		if *p.ResourceArn == arn {
			return p, true
		}
	}
	return nil, false
}

func (g *Guard) count(of shieldtypes.ProtectedResourceType) int {
	number := 0
	for _, p := range g.protections.All() {
		if kind(*p.ResourceArn) == of {
			number++
		}
	}
	return number
}

func (g *Guard) describeProtection(in *sdk.DescribeProtectionInput) (*sdk.DescribeProtectionOutput, error) {
	if (in.ProtectionId == nil) == (in.ResourceArn == nil) {
		return nil, invalid("Either the ID of a protection or the ARN of a resource must be given, and not both.")
	}
	p, ok := g.of(aws.ToString(in.ResourceArn))
	if in.ProtectionId != nil {
		p, ok = g.protections.Get(*in.ProtectionId)
	}
	if !ok {
		return nil, missing("protection")
	}
	return &sdk.DescribeProtectionOutput{Protection: p}, nil
}

const mostListed = 10000

func (g *Guard) listProtections(in *sdk.ListProtectionsInput) (*sdk.ListProtectionsOutput, error) {
	if err := g.checkSubscribed(); err != nil {
		return nil, err
	}
	matching, err := g.matching(in.InclusionFilters)
	if err != nil {
		return nil, err
	}
	size := mostListed
	if in.MaxResults != nil {
		size = int(*in.MaxResults)
	}
	if size < 0 || size > mostListed {
		return nil, invalid("MaxResults must be between 0 and %d.", mostListed)
	}
	page, next, ok := listing.Page(matching, max(size, 1), aws.ToString(in.NextToken))
	if !ok {
		return nil, wire.Errorf("InvalidPaginationTokenException", "The next token is not valid.")
	}
	out := &sdk.ListProtectionsOutput{Protections: []shieldtypes.Protection{}}
	for _, p := range page {
		out.Protections = append(out.Protections, *p)
	}
	if next != "" {
		out.NextToken = &next
	}
	return out, nil
}

// matching gives the protections that all filters let through.
func (g *Guard) matching(f *shieldtypes.InclusionProtectionFilters) ([]*shieldtypes.Protection, error) {
	if f == nil {
		return g.protections.Values(), nil
	}
	if len(f.ProtectionNames) > 1 || len(f.ResourceArns) > 1 || len(f.ResourceTypes) > 1 {
		return nil, invalid("A filter takes one value.")
	}
	return slices.DeleteFunc(g.protections.Values(), func(p *shieldtypes.Protection) bool {
		return !passes(f.ProtectionNames, *p.Name) || !passes(f.ResourceArns, *p.ResourceArn) || !passes(f.ResourceTypes, kind(*p.ResourceArn))
	}), nil
}

// passes reports whether a filter lets a value through. One without values lets all through.
func passes[T comparable](values []T, value T) bool {
	return len(values) == 0 || slices.Contains(values, value)
}

func (g *Guard) deleteProtection(in *sdk.DeleteProtectionInput) (*sdk.DeleteProtectionOutput, error) {
	p, ok := g.protections.Get(aws.ToString(in.ProtectionId))
	if !ok {
		return nil, missing("protection")
	}
	g.protections.Delete(*p.Id)
	g.Tags.Drop(*p.ProtectionArn)
	return &sdk.DeleteProtectionOutput{}, nil
}

func parts(t shieldtypes.Tag) (*string, *string) { return t.Key, t.Value }

func (g *Guard) checkTagged(arn *string) error {
	switch {
	case !strings.Contains(aws.ToString(arn), ":shield::"):
		return wire.Errorf("InvalidResourceException", "The resource '%s' is invalid.", aws.ToString(arn))
	case !g.Tags.Has(*arn):
		return missing("protection")
	default:
		return nil
	}
}

func (g *Guard) tagResource(in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	if err := g.checkTagged(in.ResourceARN); err != nil {
		return nil, err
	}
	fresh, err := listing.Read(g.Tags, in.Tags, parts)
	if err == nil {
		_, err = g.Tags.Tag(*in.ResourceARN, fresh)
	}
	if err != nil {
		return nil, fmt.Errorf("tagging %s: %w", *in.ResourceARN, err)
	}
	return &sdk.TagResourceOutput{}, nil
}

func (g *Guard) untagResource(in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	if err := g.checkTagged(in.ResourceARN); err != nil {
		return nil, err
	}
	if err := g.Tags.CheckKeys(in.TagKeys); err != nil {
		return nil, fmt.Errorf("untagging %s: %w", *in.ResourceARN, err)
	}
	g.Tags.Untag(*in.ResourceARN, in.TagKeys)
	return &sdk.UntagResourceOutput{}, nil
}

func (g *Guard) listTags(in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	if err := g.checkTagged(in.ResourceARN); err != nil {
		return nil, err
	}
	all := listing.Write(g.Tags, *in.ResourceARN, func(k, v *string) shieldtypes.Tag { return shieldtypes.Tag{Key: k, Value: v} })
	return &sdk.ListTagsForResourceOutput{Tags: all}, nil
}
