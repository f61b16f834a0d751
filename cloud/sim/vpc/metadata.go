package vpc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// Numbers of network hops that a token of the metadata service may travel (API reference, "InstanceMetadataOptionsRequest").
const (
	fewestHops = 1
	mostHops   = 64
)

// metadataOptions gives how an instance serves its metadata: what is asked for, and AWS's defaults for the rest.
func metadataOptions(wanted *ec2types.InstanceMetadataOptionsRequest) *ec2types.InstanceMetadataOptionsResponse {
	o := &ec2types.InstanceMetadataOptionsResponse{
		State: ec2types.InstanceMetadataOptionsStateApplied, HttpEndpoint: ec2types.InstanceMetadataEndpointStateEnabled,
		HttpTokens: ec2types.HttpTokensStateOptional, HttpPutResponseHopLimit: aws.Int32(fewestHops),
		HttpProtocolIpv6: ec2types.InstanceMetadataProtocolStateDisabled, InstanceMetadataTags: ec2types.InstanceMetadataTagsStateDisabled,
	}
	if wanted == nil {
		return o
	}
	return changedMetadata(o, &sdk.ModifyInstanceMetadataOptionsInput{
		HttpEndpoint: wanted.HttpEndpoint, HttpTokens: wanted.HttpTokens, HttpPutResponseHopLimit: wanted.HttpPutResponseHopLimit,
		HttpProtocolIpv6: wanted.HttpProtocolIpv6, InstanceMetadataTags: wanted.InstanceMetadataTags,
	})
}

// changedMetadata gives options with the ones that a call names replaced.
func changedMetadata(held *ec2types.InstanceMetadataOptionsResponse, in *sdk.ModifyInstanceMetadataOptionsInput) *ec2types.InstanceMetadataOptionsResponse {
	o := *held
	if in.HttpEndpoint != "" {
		o.HttpEndpoint = in.HttpEndpoint
	}
	if in.HttpTokens != "" {
		o.HttpTokens = in.HttpTokens
	}
	if in.HttpPutResponseHopLimit != nil {
		o.HttpPutResponseHopLimit = in.HttpPutResponseHopLimit
	}
	if in.HttpProtocolIpv6 != "" {
		o.HttpProtocolIpv6 = in.HttpProtocolIpv6
	}
	if in.InstanceMetadataTags != "" {
		o.InstanceMetadataTags = in.InstanceMetadataTags
	}
	return &o
}

func checkHops(limit *int32) error {
	if limit != nil && (*limit < fewestHops || *limit > mostHops) {
		return wire.Errorf("InvalidParameterValue", "The value of HttpPutResponseHopLimit must be between %d and %d", fewestHops, mostHops)
	}
	return nil
}

func (n *Network) modifyInstanceMetadata(in *sdk.ModifyInstanceMetadataOptionsInput) (*sdk.ModifyInstanceMetadataOptionsOutput, error) {
	i, ok := n.instances.Get(aws.ToString(in.InstanceId))
	if !ok {
		return nil, notFound(aws.ToString(in.InstanceId))
	}
	if i.State.Name == ec2types.InstanceStateNameTerminated {
		return nil, wire.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which its options can be modified", *i.InstanceId)
	}
	if err := checkHops(in.HttpPutResponseHopLimit); err != nil {
		return nil, err
	}
	fresh := *i
	fresh.MetadataOptions = changedMetadata(i.MetadataOptions, in)
	n.instances.Put(*i.InstanceId, &fresh)
	return &sdk.ModifyInstanceMetadataOptionsOutput{InstanceId: in.InstanceId, InstanceMetadataOptions: fresh.MetadataOptions}, nil
}
