package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/fault"
)

// late starts a simulator where things take ten seconds to be listed and four to be found.
func late(t *testing.T) *fixture {
	t.Helper()
	return start(t, disturbed(sim.Disturbances{Consistency: sim.Consistency{
		Lists: fault.Duration(10 * time.Second), Names: fault.Duration(4 * time.Second),
	}}))
}

// tagged lists what the tagging API shows with a tag.
func (f *fixture) tagged(key string) []string {
	f.Helper()
	out, err := tagging.NewFromConfig(f.Sim.AWSConfig()).GetResources(f.Context(), &tagging.GetResourcesInput{TagFilters: []tagtypes.TagFilter{{Key: &key}}})
	var all []string
	for _, r := range contract.Must(f, out, err).ResourceTagMappingList {
		all = append(all, *r.ResourceARN)
	}
	return all
}

func TestCreatedThingsAreListedLater(t *testing.T) {
	t.Parallel()
	f := late(t)
	arn := f.group("web")
	find := func(in *elb.DescribeTargetGroupsInput) (int, error) {
		out, err := f.elb.DescribeTargetGroups(t.Context(), in)
		if err != nil {
			return 0, err
		}
		return len(out.TargetGroups), nil
	}
	_, err := find(&elb.DescribeTargetGroupsInput{TargetGroupArns: []string{*arn}})
	contract.WantCode(t, err, "TargetGroupNotFound")
	_, err = f.elb.AddTags(t.Context(), &elb.AddTagsInput{ResourceArns: []string{*arn}, Tags: tags("a", "1")})
	contract.WantCode(t, err, "TargetGroupNotFound")
	f.Pass(4 * time.Second)
	rows := []struct {
		why  string
		in   *elb.DescribeTargetGroupsInput
		want int
	}{
		{"all", &elb.DescribeTargetGroupsInput{}, 0},
		{"by ARN", &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{*arn}}, 1},
		{"by name", &elb.DescribeTargetGroupsInput{Names: []string{"web"}}, 1},
	}
	for _, row := range rows {
		if n, err := find(row.in); n != row.want || err != nil {
			t.Errorf("%s: %d, %v", row.why, n, err)
		}
	}
	f.Pass(6 * time.Second)
	if n, err := find(&elb.DescribeTargetGroupsInput{}); n != 1 || err != nil {
		t.Errorf("at last %d, %v", n, err)
	}
	if got := f.group("web"); *got != *arn {
		t.Errorf("made again, got %s", *got)
	}
	if n, err := find(&elb.DescribeTargetGroupsInput{}); n != 1 || err != nil {
		t.Errorf("what was made again and is old: %d, %v", n, err)
	}
}

func TestSecurityGroupsAreFoundLater(t *testing.T) {
	t.Parallel()
	f := late(t)
	made, err := f.ec2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("a"), Description: aws.String("a"), VpcId: aws.String(f.Sim.World().VPC),
		TagSpecifications: []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeSecurityGroup, Tags: []ec2types.Tag{{Key: aws.String("mine"), Value: aws.String("1")}},
		}},
	})
	id := contract.Must(t, made, err).GroupId
	byTag := &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{filter("tag:mine", "1")}}
	_, err = f.ec2.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*id}})
	contract.WantCode(t, err, "InvalidGroup.NotFound")
	none, err := f.ec2.DescribeSecurityGroups(t.Context(), byTag)
	if n := len(contract.Must(t, none, err).SecurityGroups); n != 0 {
		t.Errorf("%d groups at once", n)
	}
	f.Pass(10 * time.Second)
	some, err := f.ec2.DescribeSecurityGroups(t.Context(), byTag)
	if n := len(contract.Must(t, some, err).SecurityGroups); n != 1 {
		t.Errorf("%d groups at last", n)
	}
	if got := f.tagged("mine"); len(got) != 1 {
		t.Errorf("tagged at last: %v", got)
	}
}

func TestTagsAreIndexedLater(t *testing.T) {
	t.Parallel()
	f := late(t)
	arn := f.group("web")
	f.Pass(time.Minute)
	_, err := f.elb.AddTags(t.Context(), &elb.AddTagsInput{ResourceArns: []string{*arn}, Tags: tags("a", "1")})
	contract.WantCode(t, err, "")
	own, err := f.elb.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{*arn}})
	if n := len(contract.Must(t, own, err).TagDescriptions[0].Tags); n != 1 {
		t.Errorf("the service itself shows %d tags", n)
	}
	if got := f.tagged("a"); got != nil {
		t.Errorf("indexed at once: %v", got)
	}
	f.Pass(10 * time.Second)
	if got := f.tagged("a"); !slices.Equal(got, []string{*arn}) {
		t.Errorf("indexed at last: %v", got)
	}
	_, err = f.elb.DeleteTargetGroup(t.Context(), &elb.DeleteTargetGroupInput{TargetGroupArn: arn})
	contract.WantCode(t, err, "")
	if got := f.tagged("a"); !slices.Equal(got, []string{*arn}) {
		t.Errorf("a deleted resource stays in the index for a while: %v", got)
	}
	f.Pass(10 * time.Second)
	if got := f.tagged("a"); got != nil {
		t.Errorf("but not for ever: %v", got)
	}
}
