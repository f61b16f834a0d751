package vpc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) instanceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("RunInstances", once(n, n.runInstances, func(in *sdk.RunInstancesInput) **string { return &in.ClientToken })),
		wire.Reads("DescribeInstances", n.describeInstances),
		wire.Writes("TerminateInstances", n.terminateInstances),
		wire.Writes("ModifyInstanceMetadataOptions", n.modifyInstanceMetadata),
	}
}

// Instance state codes of the EC2 API.
const (
	stateRunning    = 16
	stateTerminated = 48
)

const mostInstances = 100

// runInstances makes instances that run at once. Only what a load balancer can see of an instance is kept.
func (n *Network) runInstances(in *sdk.RunInstancesInput) (*sdk.RunInstancesOutput, error) {
	count := int(aws.ToInt32(in.MaxCount))
	if count < 1 || count > mostInstances || aws.ToInt32(in.MinCount) < 1 || *in.MinCount > *in.MaxCount {
		return nil, wire.Errorf("InvalidParameterValue", "MinCount and MaxCount must be between 1 and %d", mostInstances)
	}
	s, ok := n.subnets.Get(aws.ToString(in.SubnetId))
	if !ok {
		return nil, notFound(aws.ToString(in.SubnetId))
	}
	if in.MetadataOptions != nil {
		if err := checkHops(in.MetadataOptions.HttpPutResponseHopLimit); err != nil {
			return nil, err
		}
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeInstance)
	if err != nil {
		return nil, err
	}
	addresses, err := parseAddresses(optional(in.PrivateIpAddress))
	if err != nil {
		return nil, err
	}
	groups := in.SecurityGroupIds
	if len(groups) == 0 {
		groups = []string{n.DefaultGroup(*s.VpcId)}
	}
	out := &sdk.RunInstancesOutput{OwnerId: aws.String(n.account.ID), ReservationId: aws.String(n.identify("r"))}
	for range count {
		i, err := n.addInterface(plannedInterface{
			id: n.identify("eni"), subnet: s, groups: groups, addresses: addresses, kind: ec2types.NetworkInterfaceTypeInterface,
		})
		if err != nil {
			return nil, err
		}
		made := n.addInstance(n.identify("i"), i, in)
		n.setTags(*made.InstanceId, tags)
		out.Instances = append(out.Instances, n.instanceView(made))
	}
	return out, nil
}

func (n *Network) addInstance(id string, i *networkInterface, in *sdk.RunInstancesInput) *ec2types.Instance {
	i.Status = ec2types.NetworkInterfaceStatusInUse
	i.Attachment = &ec2types.NetworkInterfaceAttachment{
		AttachmentId: aws.String(n.identify("eni-attach")), InstanceId: aws.String(id), InstanceOwnerId: aws.String(n.account.ID),
		DeviceIndex: aws.Int32(0), Status: ec2types.AttachmentStatusAttached, DeleteOnTermination: aws.Bool(true), AttachTime: aws.Time(n.now()),
	}
	made := &ec2types.Instance{
		InstanceId: aws.String(id), ImageId: in.ImageId, InstanceType: in.InstanceType, SubnetId: i.SubnetId, VpcId: i.VpcId,
		PrivateIpAddress: i.PrivateIpAddress, LaunchTime: aws.Time(n.now()), MetadataOptions: metadataOptions(in.MetadataOptions),
		Placement: &ec2types.Placement{AvailabilityZone: i.AvailabilityZone},
		State:     &ec2types.InstanceState{Code: aws.Int32(stateRunning), Name: ec2types.InstanceStateNameRunning},
	}
	n.instances.Put(id, made)
	return made
}

func (n *Network) instanceView(i *ec2types.Instance) ec2types.Instance {
	out := *i
	out.Tags = n.tagList(*i.InstanceId)
	for _, e := range n.facesOf(*i.InstanceId) {
		view := ec2types.InstanceNetworkInterface{
			NetworkInterfaceId: e.NetworkInterfaceId, SubnetId: e.SubnetId, VpcId: e.VpcId, PrivateIpAddress: e.PrivateIpAddress,
			Groups: e.Groups, Status: e.Status, InterfaceType: aws.String(string(e.InterfaceType)), Description: e.Description, MacAddress: e.MacAddress,
			OwnerId: e.OwnerId, SourceDestCheck: e.SourceDestCheck,
			Attachment: &ec2types.InstanceNetworkInterfaceAttachment{
				AttachmentId: e.Attachment.AttachmentId, DeviceIndex: e.Attachment.DeviceIndex, Status: e.Attachment.Status,
			},
		}
		for _, p := range e.PrivateIpAddresses {
			view.PrivateIpAddresses = append(view.PrivateIpAddresses, ec2types.InstancePrivateIpAddress{
				Primary: p.Primary, PrivateIpAddress: p.PrivateIpAddress,
			})
		}
		out.NetworkInterfaces = append(out.NetworkInterfaces, view)
		out.SecurityGroups = e.Groups
	}
	return out
}

func (n *Network) describeInstances(in *sdk.DescribeInstancesInput) (*sdk.DescribeInstancesOutput, error) {
	for _, id := range in.InstanceIds {
		if malformedID(id, "i") {
			return nil, wire.Errorf("InvalidInstanceID.Malformed", "Invalid id: \"%s\"", id)
		}
	}
	list, err := pick(n, selection{ids: in.InstanceIds, filters: in.Filters}, &n.instances, n.instanceFields())
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, byID: in.InstanceIds != nil})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeInstancesOutput{NextToken: next, Reservations: []ec2types.Reservation{}}
	for _, i := range some {
		out.Reservations = append(out.Reservations, ec2types.Reservation{
			ReservationId: aws.String(reservationOf(i)), OwnerId: aws.String(n.account.ID), Instances: []ec2types.Instance{n.instanceView(i)},
		})
	}
	return out, nil
}

func (n *Network) terminateInstances(in *sdk.TerminateInstancesInput) (*sdk.TerminateInstancesOutput, error) {
	for _, id := range in.InstanceIds {
		if !has(&n.instances, id) {
			return nil, notFound(id)
		}
	}
	out := &sdk.TerminateInstancesOutput{}
	for _, id := range in.InstanceIds {
		i, ok := n.instances.Get(id)
		if !ok {
			continue
		}
		fresh, before := *i, i.State
		fresh.State = &ec2types.InstanceState{Code: aws.Int32(stateTerminated), Name: ec2types.InstanceStateNameTerminated}
		n.instances.Put(id, &fresh)
		for _, e := range n.facesOf(id) {
			n.removeInterface(e)
		}
		out.TerminatingInstances = append(out.TerminatingInstances, ec2types.InstanceStateChange{
			InstanceId: aws.String(id), PreviousState: before, CurrentState: fresh.State,
		})
	}
	return out, nil
}
