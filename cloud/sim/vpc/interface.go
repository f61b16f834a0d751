package vpc

import (
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// networkInterface is a network interface. One whose owner is gone stays until its time is over.
type networkInterface struct {
	ec2types.NetworkInterface
	// owner is the ARN of the load balancer that the interface belongs to, or empty.
	owner string
	// release is when the interface goes; zero means that it stays.
	release time.Time
}

func (n *Network) interfaceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Reads("DescribeNetworkInterfaces", n.describeNetworkInterfaces),
		wire.Writes("CreateNetworkInterface", once(n, n.createNetworkInterface, func(in *sdk.CreateNetworkInterfaceInput) **string {
			return &in.ClientToken
		})),
		wire.Writes("DeleteNetworkInterface", n.deleteNetworkInterface),
		wire.Writes("ModifyNetworkInterfaceAttribute", n.modifyNetworkInterface),
		wire.Writes("AssignPrivateIpAddresses", n.assignPrivateIPAddresses),
		wire.Writes("AssignIpv6Addresses", n.assignIpv6),
		wire.Writes("UnassignIpv6Addresses", n.unassignIpv6),
		wire.Writes("UnassignPrivateIpAddresses", n.unassignPrivateIPAddresses),
	}
}

// plannedInterface is what a new interface shall be.
type plannedInterface struct {
	id, description string
	subnet          *subnet
	groups          []string
	// addresses are the private addresses, the primary one first. With none given, one is chosen.
	addresses []netip.Addr
	kind      ec2types.NetworkInterfaceType
	owner     string
}

// addInterface makes an interface or fails without a trace.
func (n *Network) addInterface(p plannedInterface) (*networkInterface, error) {
	groups, err := n.identifyGroups(*p.subnet.VpcId, p.groups)
	if err != nil {
		return nil, err
	}
	if len(p.addresses) == 0 {
		chosen, err := n.chooseAddress(p.subnet)
		if err != nil {
			return nil, err
		}
		p.addresses = []netip.Addr{chosen}
	}
	for i, a := range p.addresses {
		if slices.Contains(p.addresses[:i], a) {
			return nil, wire.Errorf("InvalidParameterValue", "Duplicate private IP address %s", a)
		}
		if err := n.checkAddress(p.subnet, a); err != nil {
			return nil, err
		}
	}
	i := &networkInterface{owner: p.owner, NetworkInterface: ec2types.NetworkInterface{
		NetworkInterfaceId: aws.String(p.id), Description: aws.String(p.description), SubnetId: p.subnet.SubnetId, VpcId: p.subnet.VpcId,
		AvailabilityZone: p.subnet.AvailabilityZone, AvailabilityZoneId: p.subnet.AvailabilityZoneId, OwnerId: aws.String(n.account.ID),
		InterfaceType: p.kind, Status: ec2types.NetworkInterfaceStatusAvailable, Groups: groups, SourceDestCheck: aws.Bool(true),
		RequesterManaged: aws.Bool(p.owner != ""), PrivateIpAddress: aws.String(p.addresses[0].String()),
		MacAddress: aws.String(mac(n.account.Hex(10))),
	}}
	if p.owner != "" {
		i.RequesterId, i.Status = aws.String("amazon-elb"), ec2types.NetworkInterfaceStatusInUse
		i.Attachment = &ec2types.NetworkInterfaceAttachment{
			AttachmentId: aws.String(n.identify("ela-attach")), InstanceOwnerId: aws.String("amazon-elb"), DeviceIndex: aws.Int32(1),
			Status: ec2types.AttachmentStatusAttached, DeleteOnTermination: aws.Bool(false), AttachTime: aws.Time(n.now()),
		}
	}
	n.interfaces.Put(p.id, i)
	for _, a := range p.addresses {
		n.take(i, a)
	}
	return i, nil
}

func mac(hex string) string {
	return "02:" + hex[:2] + ":" + hex[2:4] + ":" + hex[4:6] + ":" + hex[6:8] + ":" + hex[8:10]
}

// take gives an interface one more address.
func (n *Network) take(i *networkInterface, a netip.Addr) {
	n.used[place{*i.VpcId, a}] = *i.NetworkInterfaceId
	i.PrivateIpAddresses = append(slices.Clone(i.PrivateIpAddresses), ec2types.NetworkInterfacePrivateIpAddress{
		PrivateIpAddress: aws.String(a.String()), Primary: aws.Bool(a.String() == *i.PrivateIpAddress),
	})
	if s, ok := n.subnets.Get(*i.SubnetId); ok {
		s.taken++
	}
}

// drop takes an address from an interface.
func (n *Network) drop(i *networkInterface, address string) {
	if a, err := netip.ParseAddr(address); err == nil {
		delete(n.used, place{*i.VpcId, a})
	}
	i.PrivateIpAddresses = slices.DeleteFunc(slices.Clone(i.PrivateIpAddresses), func(p ec2types.NetworkInterfacePrivateIpAddress) bool {
		return *p.PrivateIpAddress == address
	})
	if s, ok := n.subnets.Get(*i.SubnetId); ok {
		s.taken--
	}
}

func (n *Network) removeInterface(i *networkInterface) {
	for _, a := range n.addresses.All() {
		if aws.ToString(a.NetworkInterfaceId) == *i.NetworkInterfaceId {
			n.dissociate(a)
		}
	}
	for _, p := range i.Ipv4Prefixes {
		_ = n.undelegate4(i, []string{*p.Ipv4Prefix}) // it is there
	}
	for _, p := range i.PrivateIpAddresses {
		n.drop(i, *p.PrivateIpAddress)
	}
	n.forget(&n.interfaces, *i.NetworkInterfaceId)
	delete(n.leaving, *i.NetworkInterfaceId)
}

// letGo lets an interface go after a while.
func (n *Network) letGo(i *networkInterface, linger time.Duration) {
	i.release = n.now().Add(linger)
	n.leaving[*i.NetworkInterfaceId] = i
}

// sweep removes the interfaces whose time is over.
func (n *Network) sweep() {
	for _, i := range n.leaving {
		if !n.now().Before(i.release) {
			n.removeInterface(i)
		}
	}
}

// AddressTaken is the code of an address that an interface has already.
const AddressTaken = "InvalidIPAddress.InUse"

// checkAddress demands a free address of the subnet that AWS does not keep for itself.
func (n *Network) checkAddress(s *subnet, a netip.Addr) error {
	if !s.block.Contains(a) || Reserved(s.block, a) {
		return wire.Errorf("InvalidParameterValue", "Address %s does not fall within the subnet's address range", a)
	}
	if n.taken(s, a) {
		return wire.Errorf(AddressTaken, "Address %s is in use.", a)
	}
	return nil
}

// taken reports whether an interface has an address.
func (n *Network) taken(s *subnet, a netip.Addr) bool {
	_, taken := n.used[place{*s.VpcId, a}]
	return taken
}

// Reserved reports whether AWS keeps the address: the first four and the last of each subnet.
func Reserved(block netip.Prefix, a netip.Addr) bool {
	first := block.Addr()
	for range reservedAddresses - 1 {
		if a == first {
			return true
		}
		first = first.Next()
	}
	return !block.Contains(a.Next())
}

// chooseAddress gives a free address. The search starts at the top, where fewer callers choose their own.
func (n *Network) chooseAddress(s *subnet) (netip.Addr, error) {
	if s.free() > 0 {
		for a := last(s.block).Prev(); s.block.Contains(a); a = a.Prev() {
			if !n.taken(s, a) && !Reserved(s.block, a) {
				return a, nil
			}
		}
	}
	return netip.Addr{}, wire.Errorf("InsufficientFreeAddressesInSubnet",
		"There are not enough free addresses in subnet '%s' to satisfy the requested number of instances.", *s.SubnetId)
}

// last is the last address of an IPv4 block.
func last(block netip.Prefix) netip.Addr {
	raw := block.Addr().As4()
	for bit := block.Bits(); bit < 32; bit++ {
		raw[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(raw)
}

// identifyGroups checks the groups of an interface and gives their names.
func (n *Network) identifyGroups(vpc string, ids []string) ([]ec2types.GroupIdentifier, error) {
	if len(ids) > n.Quotas.GroupsPerInterface {
		return nil, wire.Errorf("SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has been reached.")
	}
	all := make([]ec2types.GroupIdentifier, 0, len(ids))
	for _, id := range ids {
		g, ok := n.groups.Get(id)
		if !ok {
			return nil, notFound(id)
		}
		if g.vpc != vpc && !n.associated(id, vpc) {
			return nil, wire.Errorf("InvalidParameterValue", "You have specified two resources that belong to different networks.")
		}
		all = append(all, ec2types.GroupIdentifier{GroupId: aws.String(id), GroupName: aws.String(g.name)})
	}
	return all, nil
}

func (n *Network) createNetworkInterface(in *sdk.CreateNetworkInterfaceInput) (*sdk.CreateNetworkInterfaceOutput, error) {
	s, ok := n.subnets.Get(aws.ToString(in.SubnetId))
	if !ok {
		return nil, notFound(aws.ToString(in.SubnetId))
	}
	texts := optional(in.PrivateIpAddress)
	for _, p := range in.PrivateIpAddresses {
		texts = append(texts, optional(p.PrivateIpAddress)...)
	}
	addresses, err := parseAddresses(texts)
	if err != nil {
		return nil, err
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeNetworkInterface)
	if err != nil {
		return nil, err
	}
	groups := in.Groups
	if len(groups) == 0 {
		groups = []string{n.DefaultGroup(*s.VpcId)}
	}
	i, err := n.addInterface(plannedInterface{
		id: n.identify("eni"), description: aws.ToString(in.Description), subnet: s, groups: groups, addresses: addresses,
		kind: ec2types.NetworkInterfaceTypeInterface,
	})
	if err != nil {
		return nil, err
	}
	prefixes := each(in.Ipv4Prefixes, func(p ec2types.Ipv4PrefixSpecificationRequest) *string { return p.Ipv4Prefix })
	if _, err := n.delegate4(i, s, prefixes, in.Ipv4PrefixCount); err != nil {
		n.removeInterface(i)
		return nil, err
	}
	n.setTags(*i.NetworkInterfaceId, tags)
	out := n.interfaceView(i)
	return &sdk.CreateNetworkInterfaceOutput{NetworkInterface: &out}, nil
}

func parseAddresses(texts []string) ([]netip.Addr, error) {
	all := make([]netip.Addr, 0, len(texts))
	for _, t := range texts {
		a, err := netip.ParseAddr(t)
		if err != nil {
			return nil, wire.Errorf("InvalidParameterValue", "Value (%s) for parameter privateIpAddress is invalid.", t)
		}
		all = append(all, a)
	}
	return all, nil
}

func (n *Network) interfaceView(i *networkInterface) ec2types.NetworkInterface {
	out := i.NetworkInterface
	out.TagSet = n.tagList(*i.NetworkInterfaceId)
	return out
}

func (n *Network) deleteNetworkInterface(in *sdk.DeleteNetworkInterfaceInput) (*sdk.DeleteNetworkInterfaceOutput, error) {
	n.sweep()
	i, ok := n.interfaces.Get(aws.ToString(in.NetworkInterfaceId))
	if !ok {
		return nil, notFound(aws.ToString(in.NetworkInterfaceId))
	}
	if i.owner != "" || i.Attachment != nil {
		return nil, wire.Errorf("InvalidParameterValue", "Network interface '%s' is currently in use.", *i.NetworkInterfaceId)
	}
	n.removeInterface(i)
	return &sdk.DeleteNetworkInterfaceOutput{}, nil
}
