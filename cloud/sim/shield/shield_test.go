package shield_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/shield"
	shieldtypes "github.com/aws/aws-sdk-go-v2/service/shield/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/shield"
)

type fixture struct {
	*contract.Fixture

	shield *sdk.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := contract.Start(t)
	return &fixture{f, sdk.NewFromConfig(f.Config)}
}

func (f *fixture) subscribe() {
	f.Helper()
	_, err := f.shield.CreateSubscription(f.Context(), &sdk.CreateSubscriptionInput{})
	contract.WantCode(f, err, "")
}

func (f *fixture) protect(name string, arn *string) (*string, error) {
	f.Helper()
	out, err := f.shield.CreateProtection(f.Context(), &sdk.CreateProtectionInput{
		Name: &name, ResourceArn: arn, Tags: []shieldtypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
	})
	if err != nil {
		return nil, fmt.Errorf("protecting %s: %w", *arn, err)
	}
	return out.ProtectionId, nil
}

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, shield.New(&account.Account{}, nil).Service(), shield.Checks())
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	f := start(t)
	state := func() shieldtypes.SubscriptionState {
		out, err := f.shield.GetSubscriptionState(t.Context(), &sdk.GetSubscriptionStateInput{})
		return contract.Must(t, out, err).SubscriptionState
	}
	if got := state(); got != shieldtypes.SubscriptionStateInactive {
		t.Errorf("at the start: %s", got)
	}
	_, err := f.shield.DescribeSubscription(t.Context(), &sdk.DescribeSubscriptionInput{})
	contract.WantCode(t, err, "ResourceNotFoundException")
	_, err = f.shield.ListProtections(t.Context(), &sdk.ListProtectionsInput{})
	contract.WantCode(t, err, "ResourceNotFoundException")
	_, err = f.protect("web", f.Balancer("web", elbtypes.LoadBalancerTypeEnumApplication))
	contract.WantCode(t, err, "ResourceNotFoundException")
	f.subscribe()
	if got := state(); got != shieldtypes.SubscriptionStateActive {
		t.Errorf("with a subscription: %s", got)
	}
	_, err = f.shield.CreateSubscription(t.Context(), &sdk.CreateSubscriptionInput{})
	contract.WantCode(t, err, "ResourceAlreadyExistsException")
	out, err := f.shield.DescribeSubscription(t.Context(), &sdk.DescribeSubscriptionInput{})
	if got := contract.Must(t, out, err).Subscription; got.EndTime.Sub(*got.StartTime) != 365*24*time.Hour || got.AutoRenew != shieldtypes.AutoRenewEnabled {
		t.Errorf("subscription: %+v", got)
	}
	off := &sdk.UpdateSubscriptionInput{AutoRenew: shieldtypes.AutoRenewDisabled}
	_, err = f.shield.UpdateSubscription(t.Context(), off)
	contract.WantCode(t, err, "LockedSubscriptionException")
	f.Pass(340 * 24 * time.Hour)
	_, err = f.shield.UpdateSubscription(t.Context(), off)
	contract.WantCode(t, err, "")
}

func TestCreateProtection(t *testing.T) {
	f := start(t)
	f.subscribe()
	web, net := f.Balancer("web", elbtypes.LoadBalancerTypeEnumApplication), f.Balancer("net", elbtypes.LoadBalancerTypeEnumNetwork)
	made, err := ec2.NewFromConfig(f.Config).AllocateAddress(t.Context(), &ec2.AllocateAddressInput{})
	address := aws.String("arn:aws:ec2:us-west-2:123456789012:eip-allocation/" + *contract.Must(t, made, err).AllocationId)
	rows := []struct {
		why, code, name string
		arn             *string
	}{
		{"a name has no slash", "InvalidParameterException", "a/b", web},
		{"network load balancers are protected by their addresses", "InvalidResourceException", "a", net},
		{"the load balancer exists", "InvalidResourceException", "a", aws.String(*web + "0")},
		{"the address is allocated", "InvalidResourceException", "a", aws.String(*address + "0")},
		{"a resource has an ARN", "InvalidResourceException", "a", aws.String("web")},
		{"a load balancer", "", "managed by a controller", web},
		{"one a resource", "ResourceAlreadyExistsException", "b", web},
		{"an address", "", "c", address},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.protect(row.name, row.arn)
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestProtectionLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.subscribe()
	web := f.Balancer("web", elbtypes.LoadBalancerTypeEnumApplication)
	find := &sdk.DescribeProtectionInput{ResourceArn: web}
	_, err := f.shield.DescribeProtection(t.Context(), find)
	contract.WantCode(t, err, "ResourceNotFoundException")
	id, err := f.protect("web", web)
	contract.WantCode(t, err, "")
	byARN, err := f.shield.DescribeProtection(t.Context(), find)
	byID, err2 := f.shield.DescribeProtection(t.Context(), &sdk.DescribeProtectionInput{ProtectionId: id})
	got := contract.Must(t, byID, err2).Protection
	if *got.Id != *contract.Must(t, byARN, err).Protection.Id || *got.Name != "web" || *got.ResourceArn != *web {
		t.Errorf("protection: %+v", got)
	}
	_, err = f.shield.DescribeProtection(t.Context(), &sdk.DescribeProtectionInput{ProtectionId: id, ResourceArn: web})
	contract.WantCode(t, err, "InvalidParameterException")
	_, err = f.shield.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceARN: got.ProtectionArn, TagKeys: []string{"a"}})
	contract.WantCode(t, err, "")
	_, err = f.shield.TagResource(t.Context(), &sdk.TagResourceInput{
		ResourceARN: got.ProtectionArn, Tags: []shieldtypes.Tag{{Key: aws.String("b"), Value: aws.String("2")}},
	})
	contract.WantCode(t, err, "")
	tags, err := f.shield.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: got.ProtectionArn})
	if list := contract.Must(t, tags, err).Tags; len(list) != 1 || *list[0].Key != "b" {
		t.Errorf("tags: %+v", list)
	}
	_, err = f.shield.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: web})
	contract.WantCode(t, err, "InvalidResourceException")
	for _, code := range []string{"", "ResourceNotFoundException"} {
		_, err = f.shield.DeleteProtection(t.Context(), &sdk.DeleteProtectionInput{ProtectionId: id})
		contract.WantCode(t, err, code)
	}
}

func TestListProtections(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.subscribe()
	for i := range 3 {
		name := fmt.Sprint("web", i)
		_, err := f.protect(name, f.Balancer(name, elbtypes.LoadBalancerTypeEnumApplication))
		contract.WantCode(t, err, "")
	}
	count := func(in *sdk.ListProtectionsInput) int {
		number := 0
		pages := sdk.NewListProtectionsPaginator(f.shield, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			number += len(contract.Must(t, page, err).Protections)
		}
		return number
	}
	rows := []struct {
		why     string
		filters *shieldtypes.InclusionProtectionFilters
		want    int
	}{
		{"all", nil, 3},
		{"by name", &shieldtypes.InclusionProtectionFilters{ProtectionNames: []string{"web1"}}, 1},
		{"by type", &shieldtypes.InclusionProtectionFilters{ResourceTypes: []shieldtypes.ProtectedResourceType{
			shieldtypes.ProtectedResourceTypeElasticIpAllocation,
		}}, 0},
		{"all filters fit", &shieldtypes.InclusionProtectionFilters{ProtectionNames: []string{"web1"}, ResourceArns: []string{"arn:x"}}, 0},
	}
	for _, row := range rows {
		if got := count(&sdk.ListProtectionsInput{InclusionFilters: row.filters, MaxResults: aws.Int32(2)}); got != row.want {
			t.Errorf("%s: %d protections, want %d", row.why, got, row.want)
		}
	}
	_, err := f.shield.ListProtections(t.Context(), &sdk.ListProtectionsInput{NextToken: aws.String("?")})
	contract.WantCode(t, err, "InvalidPaginationTokenException")
	_, err = f.shield.ListProtections(t.Context(), &sdk.ListProtectionsInput{
		InclusionFilters: &shieldtypes.InclusionProtectionFilters{ProtectionNames: []string{"a", "b"}},
	})
	contract.WantCode(t, err, "InvalidParameterException")
}
