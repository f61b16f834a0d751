package accelerator

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) acceleratorOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateAccelerator", n.create), wire.Reads("DescribeAccelerator", n.describe), wire.Writes("UpdateAccelerator", n.update),
		wire.Reads("ListAccelerators", n.list), wire.Writes("DeleteAccelerator", n.remove),
		wire.Reads("DescribeAcceleratorAttributes", n.describeAttributes), wire.Writes("UpdateAcceleratorAttributes", n.updateAttributes),
	}
}

// nameForm is the form of names (Global Accelerator API reference, CreateAccelerator).
var nameForm = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,62}[a-zA-Z0-9])?$`)

// maxAccelerators is the default quota (developer guide, "Quotas").
const maxAccelerators = 20

func (n *Network) create(in *sdk.CreateAcceleratorInput) (*sdk.CreateAcceleratorOutput, error) {
	before, err := n.made("accelerator ", in.IdempotencyToken)
	if err != nil {
		return nil, err
	}
	if a, ok := n.accelerators.Get(before); ok {
		return &sdk.CreateAcceleratorOutput{Accelerator: n.show(a)}, nil
	}
	if err := checkSettings(in.Name, in.IpAddresses); err != nil {
		return nil, err
	}
	tags, err := listing.Read(n.Tags, in.Tags, tagParts)
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	if n.accelerators.Len() >= maxAccelerators {
		return nil, limited(maxAccelerators, "accelerators")
	}
	a := n.build(in)
	n.accelerators.Put(*a.shape.AcceleratorArn, a)
	n.Tags.Put(*a.shape.AcceleratorArn, tags)
	n.tokens["accelerator "+*in.IdempotencyToken] = *a.shape.AcceleratorArn
	return &sdk.CreateAcceleratorOutput{Accelerator: n.show(a)}, nil
}

// checkSettings checks the name. Addresses of one's own would have to be brought to AWS before.
func checkSettings(name *string, addresses []string) error {
	if !nameForm.MatchString(aws.ToString(name)) {
		return invalid("The name '%s' must have 1 to 64 letters, digits, periods and hyphens.", aws.ToString(name))
	}
	if len(addresses) > 0 {
		return invalid("The address %s does not belong to an address range that was brought to AWS.", addresses[0])
	}
	return nil
}

func (n *Network) build(in *sdk.CreateAcceleratorInput) *accelerator {
	arn := fmt.Sprintf("arn:%s:globalaccelerator::%s:accelerator/%s", n.account.Partition, n.account.ID, n.account.UUID())
	a := &accelerator{
		attributes: gatypes.AcceleratorAttributes{FlowLogsEnabled: aws.Bool(false)},
		shape: gatypes.Accelerator{
			AcceleratorArn: aws.String(arn), Name: in.Name, Enabled: aws.Bool(in.Enabled == nil || *in.Enabled), IpAddressType: in.IpAddressType,
			CreatedTime: aws.Time(n.account.Now()), DnsName: aws.String("a" + n.account.Hex(16) + ".awsglobalaccelerator.com"),
			IpSets: []gatypes.IpSet{{
				IpAddressFamily: gatypes.IpAddressFamilyIPv4, IpAddresses: n.addresses("198.51.100.%d"),
			}},
		},
	}
	n.setFamily(a, in.IpAddressType)
	n.touch(a)
	return a
}

// setFamily gives an accelerator the addresses of its type; the IPv4 addresses stay.
func (n *Network) setFamily(a *accelerator, of gatypes.IpAddressType) {
	if of == "" {
		of = gatypes.IpAddressTypeIpv4
	}
	a.shape.IpAddressType, a.shape.IpSets, a.shape.DualStackDnsName = of, a.shape.IpSets[:1], nil
	if of == gatypes.IpAddressTypeDualStack {
		a.shape.IpSets = append(slices.Clone(a.shape.IpSets), gatypes.IpSet{
			IpAddressFamily: gatypes.IpAddressFamilyIPv6, IpAddresses: n.addresses("2001:db8:ace::%x"),
		})
		name := *a.shape.DnsName
		a.shape.DualStackDnsName = aws.String(name[:len("a0123456789abcdef")] + ".dualstack.awsglobalaccelerator.com")
	}
}

// addresses gives two addresses, of a block for documentation, that no other accelerator has.
func (n *Network) addresses(format string) []string {
	taken := map[string]bool{}
	for _, a := range n.accelerators.All() {
		for _, s := range a.shape.IpSets {
			for _, address := range s.IpAddresses {
				taken[address] = true
			}
		}
	}
	const each = 2
	var free []string
	for i := 1; len(free) < each; i++ {
		if address := fmt.Sprintf(format, i); !taken[address] {
			free = append(free, address)
		}
	}
	return free
}

func (n *Network) show(a *accelerator) *gatypes.Accelerator {
	shown := a.shape
	shown.Status = gatypes.AcceleratorStatusInProgress
	if n.deployed(a) {
		shown.Status = gatypes.AcceleratorStatusDeployed
	}
	return &shown
}

func (n *Network) describe(in *sdk.DescribeAcceleratorInput) (*sdk.DescribeAcceleratorOutput, error) {
	a, err := n.find(in.AcceleratorArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeAcceleratorOutput{Accelerator: n.show(a)}, nil
}

func (n *Network) update(in *sdk.UpdateAcceleratorInput) (*sdk.UpdateAcceleratorOutput, error) {
	a, err := n.find(in.AcceleratorArn)
	if err != nil {
		return nil, err
	}
	name := a.shape.Name
	if in.Name != nil {
		name = in.Name
	}
	if err := checkSettings(name, in.IpAddresses); err != nil {
		return nil, err
	}
	a.shape.Name = name
	if in.Enabled != nil {
		a.shape.Enabled = in.Enabled
	}
	if in.IpAddressType != "" && in.IpAddressType != a.shape.IpAddressType {
		n.setFamily(a, in.IpAddressType)
	}
	n.touch(a)
	return &sdk.UpdateAcceleratorOutput{Accelerator: n.show(a)}, nil
}

func (n *Network) list(in *sdk.ListAcceleratorsInput) (*sdk.ListAcceleratorsOutput, error) {
	page, next, err := cut(n.accelerators.Values(), in.MaxResults, in.NextToken)
	out := &sdk.ListAcceleratorsOutput{NextToken: next, Accelerators: []gatypes.Accelerator{}}
	for _, a := range page {
		out.Accelerators = append(out.Accelerators, *n.show(a))
	}
	return out, err
}

func (n *Network) remove(in *sdk.DeleteAcceleratorInput) (*sdk.DeleteAcceleratorOutput, error) {
	a, err := n.find(in.AcceleratorArn)
	if err != nil {
		return nil, err
	}
	arn := *a.shape.AcceleratorArn
	if *a.shape.Enabled || !n.deployed(a) {
		return nil, wire.Errorf("AcceleratorNotDisabledException", "Cannot delete accelerator %s before it is disabled and that is deployed.", arn)
	}
	if a.listeners.Len() > 0 {
		return nil, wire.Errorf("AssociatedListenerFoundException", "Cannot delete accelerator %s because an associated listener was found.", arn)
	}
	n.accelerators.Delete(arn)
	n.Tags.Drop(arn)
	return &sdk.DeleteAcceleratorOutput{}, nil
}

func (n *Network) describeAttributes(in *sdk.DescribeAcceleratorAttributesInput) (*sdk.DescribeAcceleratorAttributesOutput, error) {
	a, err := n.find(in.AcceleratorArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeAcceleratorAttributesOutput{AcceleratorAttributes: &a.attributes}, nil
}

func (n *Network) updateAttributes(in *sdk.UpdateAcceleratorAttributesInput) (*sdk.UpdateAcceleratorAttributesOutput, error) {
	a, err := n.find(in.AcceleratorArn)
	if err != nil {
		return nil, err
	}
	set := a.attributes
	for _, f := range []struct{ from, to **string }{{&in.FlowLogsS3Bucket, &set.FlowLogsS3Bucket}, {&in.FlowLogsS3Prefix, &set.FlowLogsS3Prefix}} {
		if *f.from != nil {
			*f.to = *f.from
		}
	}
	if in.FlowLogsEnabled != nil {
		set.FlowLogsEnabled = in.FlowLogsEnabled
	}
	if *set.FlowLogsEnabled && (aws.ToString(set.FlowLogsS3Bucket) == "" || aws.ToString(set.FlowLogsS3Prefix) == "") {
		return nil, invalid("Flow logs need a bucket and a prefix.")
	}
	a.attributes = set
	return &sdk.UpdateAcceleratorAttributesOutput{AcceleratorAttributes: &a.attributes}, nil
}
