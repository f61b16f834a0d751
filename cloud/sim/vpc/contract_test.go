package vpc_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/vpc"
)

type fixture struct {
	*contract.Fixture

	ec2 *sdk.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := contract.Start(t)
	return &fixture{f, sdk.NewFromConfig(f.Config)}
}

// call is a row of a table: a call and the code that AWS answers, the empty one for success.
type call struct {
	why, code string
	do        func() error
}

func (f *fixture) run(calls []call) {
	f.Helper()
	for _, c := range calls {
		if got := contract.APICode(c.do()); got != c.code {
			f.Errorf("%s: code %q, want %q", c.why, got, c.code)
		}
	}
}

func (f *fixture) vpc(block string) *string {
	f.Helper()
	out, err := f.ec2.CreateVpc(f.Context(), &sdk.CreateVpcInput{CidrBlock: &block})
	return contract.Must(f, out, err).Vpc.VpcId
}

func (f *fixture) group(in, name string) *string {
	f.Helper()
	out, err := f.ec2.CreateSecurityGroup(f.Context(), &sdk.CreateSecurityGroupInput{GroupName: &name, Description: aws.String("d"), VpcId: &in})
	return contract.Must(f, out, err).GroupId
}

func (f *fixture) authorize(group *string, p ec2types.IpPermission) error {
	p.IpProtocol, p.FromPort, p.ToPort = aws.String("tcp"), aws.Int32(80), aws.Int32(80)
	_, err := f.ec2.AuthorizeSecurityGroupIngress(f.Context(), &sdk.AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: []ec2types.IpPermission{p}})
	return err
}

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, vpc.New(&account.Account{}).Service(), vpc.Checks())
}

func TestPrefixLists(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx := t.Context()
	in := sdk.CreateManagedPrefixListInput{
		PrefixListName: aws.String("office"), AddressFamily: aws.String("IPv4"), MaxEntries: aws.Int32(2), ClientToken: aws.String("once"),
		Entries: []ec2types.AddPrefixListEntry{{Cidr: aws.String("192.0.2.1/24")}},
	}
	made, err := f.ec2.CreateManagedPrefixList(ctx, &in)
	id := contract.Must(t, made, err).PrefixList.PrefixListId
	again, err := f.ec2.CreateManagedPrefixList(ctx, &in)
	if *contract.Must(t, again, err).PrefixList.PrefixListId != *id {
		t.Error("a token made two lists")
	}
	create := func(change func(*sdk.CreateManagedPrefixListInput)) func() error {
		return func() error {
			other := in
			other.ClientToken = nil
			change(&other)
			_, err := f.ec2.CreateManagedPrefixList(ctx, &other)
			return err
		}
	}
	modify := func(change func(*sdk.ModifyManagedPrefixListInput)) func() error {
		return func() error {
			other := sdk.ModifyManagedPrefixListInput{PrefixListId: id}
			change(&other)
			_, err := f.ec2.ModifyManagedPrefixList(ctx, &other)
			return err
		}
	}
	entry := func(cidr string) []ec2types.AddPrefixListEntry { return []ec2types.AddPrefixListEntry{{Cidr: &cidr}} }
	f.run([]call{
		{"a token with other parameters", "IdempotentParameterMismatch", create(func(o *sdk.CreateManagedPrefixListInput) {
			o.ClientToken, o.MaxEntries = in.ClientToken, aws.Int32(3)
		})},
		{"a family", "InvalidParameterValue", create(func(o *sdk.CreateManagedPrefixListInput) { o.AddressFamily = aws.String("IPv5") })},
		{"names of AWS", "InvalidParameterValue", create(func(o *sdk.CreateManagedPrefixListInput) { o.PrefixListName = aws.String("com.amazonaws.a") })},
		{"a block of the family", "InvalidParameterValue", create(func(o *sdk.CreateManagedPrefixListInput) { o.Entries = entry("2001:db8::/32") })},
		{"a size", "InvalidParameterValue", create(func(o *sdk.CreateManagedPrefixListInput) { o.MaxEntries = aws.Int32(1001) })},
		{"an entry that is not there", "InvalidPrefixListModification", modify(func(o *sdk.ModifyManagedPrefixListInput) {
			o.RemoveEntries = []ec2types.RemovePrefixListEntry{{Cidr: aws.String("10.0.0.0/8")}}
		})},
		{"another version", "PrefixListVersionMismatch", modify(func(o *sdk.ModifyManagedPrefixListInput) { o.CurrentVersion = aws.Int64(7) })},
		{"entries and size at once", "InvalidParameterCombination", modify(func(o *sdk.ModifyManagedPrefixListInput) {
			o.AddEntries, o.MaxEntries = entry("10.0.0.0/8"), aws.Int32(9)
		})},
		{"one more entry", "", modify(func(o *sdk.ModifyManagedPrefixListInput) {
			o.AddEntries, o.CurrentVersion = entry("10.0.0.0/8"), aws.Int64(1)
		})},
		{"one too many", "PrefixListMaxEntriesExceeded", modify(func(o *sdk.ModifyManagedPrefixListInput) { o.AddEntries = entry("10.1.0.0/16") })},
		{"a list of AWS's", "UnauthorizedOperation", modify(func(o *sdk.ModifyManagedPrefixListInput) { o.PrefixListId = aws.String("pl-82a045eb") })},
		{"a list that is not there", "InvalidPrefixListID.NotFound", modify(func(o *sdk.ModifyManagedPrefixListInput) { o.PrefixListId = aws.String("pl-1") })},
	})
	entries, err := f.ec2.GetManagedPrefixListEntries(ctx, &sdk.GetManagedPrefixListEntriesInput{PrefixListId: id})
	if got := contract.Must(t, entries, err).Entries; len(got) != 2 || *got[0].Cidr != "192.0.2.0/24" {
		t.Errorf("entries: %+v", got)
	}
	old, err := f.ec2.GetManagedPrefixListEntries(ctx, &sdk.GetManagedPrefixListEntriesInput{PrefixListId: id, TargetVersion: aws.Int64(1)})
	if got := contract.Must(t, old, err).Entries; len(got) != 1 {
		t.Errorf("entries of the first version: %+v", got)
	}
}

// A rule that refers to CloudFront's list counts as 55 of the 60 that a group may have.
func TestWeightOfPrefixLists(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx := t.Context()
	lists, err := f.ec2.DescribeManagedPrefixLists(ctx, &sdk.DescribeManagedPrefixListsInput{Filters: []ec2types.Filter{
		{Name: aws.String("prefix-list-name"), Values: []string{"com.amazonaws.global.cloudfront.origin-facing"}},
	}})
	cloudfront := contract.Must(t, lists, err).PrefixLists[0].PrefixListId
	made, err := f.ec2.CreateManagedPrefixList(ctx, &sdk.CreateManagedPrefixListInput{
		PrefixListName: aws.String("own"), AddressFamily: aws.String("IPv4"), MaxEntries: aws.Int32(6),
	})
	own := contract.Must(t, made, err).PrefixList.PrefixListId
	group := f.group(f.Sim.World().VPC, "weighed")
	from := func(id *string) ec2types.IpPermission {
		return ec2types.IpPermission{PrefixListIds: []ec2types.PrefixListId{{PrefixListId: id}}}
	}
	resize := func(size int32) error {
		_, err := f.ec2.ModifyManagedPrefixList(ctx, &sdk.ModifyManagedPrefixListInput{PrefixListId: own, MaxEntries: &size})
		return err
	}
	f.run([]call{
		{"55", "", func() error { return f.authorize(group, from(cloudfront)) }},
		{"and 6 are 61", "RulesPerSecurityGroupLimitExceeded", func() error { return f.authorize(group, from(own)) }},
		{"the list gets smaller", "", func() error { return resize(5) }},
		{"and 5 are 60", "", func() error { return f.authorize(group, from(own)) }},
		{"growing begins well", "", func() error { return resize(6) }},
		{"a list that is not there", "InvalidPrefixListID.NotFound", func() error { return f.authorize(group, from(aws.String("pl-1"))) }},
		{"deleting begins well", "", func() error {
			_, err := f.ec2.DeleteManagedPrefixList(ctx, &sdk.DeleteManagedPrefixListInput{PrefixListId: own})
			return err
		}},
	})
	after, err := f.ec2.DescribeManagedPrefixLists(ctx, &sdk.DescribeManagedPrefixListsInput{PrefixListIds: []string{*own}})
	if got := contract.Must(t, after, err).PrefixLists[0]; got.State != ec2types.PrefixListStateDeleteFailed || *got.MaxEntries != 5 {
		t.Errorf("a list in use: %s %d", got.State, *got.MaxEntries)
	}
}
