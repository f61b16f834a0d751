package vpc

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) regionOperations() []wire.Operation {
	return []wire.Operation{
		wire.Reads("DescribeRegions", n.describeRegions),
		wire.Reads("DescribeAccountAttributes", n.describeAccountAttributes),
	}
}

// region is a Region, its fields named as on the wire.
type region struct{ OptInStatus, RegionEndpoint, RegionName *string }

type describeRegionsInput struct {
	AllRegions *bool
	Filters    []ec2types.Filter
	RegionName []string
}

type describeRegionsOutput struct{ RegionInfo []region }

// describeRegions knows the Region that is simulated, and no other.
func (n *Network) describeRegions(in *describeRegionsInput) (*describeRegionsOutput, error) {
	for _, name := range in.RegionName {
		if name != n.account.Region {
			return nil, wire.Errorf("InvalidParameterValue", "Invalid region provided: [%s]", name)
		}
	}
	here := region{aws.String("opt-in-not-required"), aws.String("ec2." + n.account.Region + ".amazonaws.com"), &n.account.Region}
	list, err := sift([]region{here}, in.Filters, fields[region]{
		"endpoint":      func(r region) []string { return optional(r.RegionEndpoint) },
		"opt-in-status": func(r region) []string { return optional(r.OptInStatus) },
		"region-name":   func(r region) []string { return optional(r.RegionName) },
	})
	return &describeRegionsOutput{list}, err
}

type accountAttributesInput struct {
	AttributeName []ec2types.AccountAttributeName
}

type accountAttribute struct {
	AttributeName     *string
	AttributeValueSet []ec2types.AccountAttributeValue
}

type accountAttributesOutput struct{ AccountAttributeSet []accountAttribute }

func (n *Network) describeAccountAttributes(in *accountAttributesInput) (*accountAttributesOutput, error) {
	out := &accountAttributesOutput{AccountAttributeSet: []accountAttribute{}}
	for _, a := range []struct{ name, value string }{
		{"supported-platforms", "VPC"}, {"default-vpc", "none"}, {"max-instances", "20"},
		{"vpc-max-security-groups-per-interface", strconv.Itoa(n.Quotas.GroupsPerInterface)},
		{"max-elastic-ips", strconv.Itoa(n.Quotas.Addresses)}, {"vpc-max-elastic-ips", strconv.Itoa(n.Quotas.Addresses)},
	} {
		named := slices.Contains(in.AttributeName, ec2types.AccountAttributeName(a.name))
		if len(in.AttributeName) == 0 || named {
			out.AccountAttributeSet = append(out.AccountAttributeSet, accountAttribute{
				AttributeName: aws.String(a.name), AttributeValueSet: []ec2types.AccountAttributeValue{{AttributeValue: aws.String(a.value)}},
			})
		}
	}
	return out, nil
}
