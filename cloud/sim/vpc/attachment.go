package vpc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) attachmentOperations() []wire.Operation {
	return []wire.Operation{wire.Writes("AttachNetworkInterface", n.attachInterface), wire.Writes("DetachNetworkInterface", n.detachInterface)}
}

// mostDevices is how many interfaces the largest instances have (EC2 user guide, "Network cards").
const mostDevices = 15

// attachInterface gives an instance one more interface, in its zone and at a place that is free.
func (n *Network) attachInterface(in *sdk.AttachNetworkInterfaceInput) (*sdk.AttachNetworkInterfaceOutput, error) {
	e, ok := n.interfaces.Get(aws.ToString(in.NetworkInterfaceId))
	if !ok {
		return nil, notFound(ofKind("eni", aws.ToString(in.NetworkInterfaceId)))
	}
	i, ok := n.instances.Get(aws.ToString(in.InstanceId))
	if !ok {
		return nil, notFound(ofKind("i", aws.ToString(in.InstanceId)))
	}
	if err := n.checkAttachment(e, i, aws.ToInt32(in.DeviceIndex)); err != nil {
		return nil, err
	}
	e.Status = ec2types.NetworkInterfaceStatusInUse
	e.Attachment = &ec2types.NetworkInterfaceAttachment{
		AttachmentId: aws.String(n.identify("eni-attach")), InstanceId: i.InstanceId, InstanceOwnerId: aws.String(n.account.ID),
		DeviceIndex: in.DeviceIndex, Status: ec2types.AttachmentStatusAttached, DeleteOnTermination: aws.Bool(false), AttachTime: aws.Time(n.now()),
	}
	return &sdk.AttachNetworkInterfaceOutput{AttachmentId: e.Attachment.AttachmentId, NetworkCardIndex: aws.Int32(0)}, nil
}

func (n *Network) checkAttachment(e *networkInterface, i *ec2types.Instance, device int32) error {
	switch {
	case e.owner != "":
		return wire.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
	case e.Attachment != nil:
		return wire.Errorf("InvalidNetworkInterface.InUse", "Interface: %s in use.", *e.NetworkInterfaceId)
	case i.State.Name != ec2types.InstanceStateNameRunning && i.State.Name != ec2types.InstanceStateNameStopped:
		return wire.Errorf("IncorrectState", "The instance '%s' is neither running nor stopped.", *i.InstanceId)
	case *e.AvailabilityZone != *i.Placement.AvailabilityZone:
		return wire.Errorf("InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone")
	case device < 0 || device >= mostDevices:
		return wire.Errorf("AttachmentLimitExceeded", "Interface count %d exceeds the limit for the instance", device+1)
	}
	for _, other := range n.facesOf(*i.InstanceId) {
		if aws.ToInt32(other.Attachment.DeviceIndex) == device {
			return wire.Errorf("InvalidParameterValue", "Instance '%s' already has an interface attached at device index '%d'.", *i.InstanceId, device)
		}
	}
	return nil
}

// detachInterface takes an interface from its instance, whose first one stays.
func (n *Network) detachInterface(in *sdk.DetachNetworkInterfaceInput) (*sdk.DetachNetworkInterfaceOutput, error) {
	for _, e := range n.interfaces.All() {
		if e.Attachment == nil || aws.ToString(e.Attachment.AttachmentId) != aws.ToString(in.AttachmentId) {
			continue
		}
		if e.owner != "" || e.Attachment.InstanceId == nil {
			return nil, wire.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
		}
		if aws.ToInt32(e.Attachment.DeviceIndex) == 0 {
			return nil, wire.Errorf("OperationNotPermitted", "The network interface at device index 0 cannot be detached.")
		}
		e.Attachment, e.Status = nil, ec2types.NetworkInterfaceStatusAvailable
		return &sdk.DetachNetworkInterfaceOutput{}, nil
	}
	return nil, wire.Errorf("InvalidAttachmentID.NotFound", "The attachment '%s' does not exist", aws.ToString(in.AttachmentId))
}
