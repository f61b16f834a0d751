package vpc

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// describeVpcEndpoints answers that there are no endpoints: nothing here can make one.
func (n *Network) describeVpcEndpoints(in *sdk.DescribeVpcEndpointsInput) (*sdk.DescribeVpcEndpointsOutput, error) {
	if len(in.VpcEndpointIds) > 0 {
		return nil, wire.Errorf("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", in.VpcEndpointIds[0])
	}
	var nothing table.Table[*ec2types.VpcEndpoint]
	known := fields[*ec2types.VpcEndpoint]{
		"vpc-id":       func(e *ec2types.VpcEndpoint) []string { return optional(e.VpcId) },
		"service-name": func(e *ec2types.VpcEndpoint) []string { return optional(e.ServiceName) },
	}.none("ip-address-type", "service-region", "vpc-endpoint-id", "vpc-endpoint-state", "vpc-endpoint-type")
	list, err := pick(n, selection{filters: in.Filters}, &nothing, known)
	if err != nil {
		return nil, err
	}
	if _, _, err := cut(list, page{size: in.MaxResults, token: in.NextToken}); err != nil {
		return nil, err
	}
	return &sdk.DescribeVpcEndpointsOutput{VpcEndpoints: []ec2types.VpcEndpoint{}}, nil
}
