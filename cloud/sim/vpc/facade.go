package vpc

import (
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// What load balancers need to know of the network, and the interfaces that they own in it.

// VPC reports whether a VPC exists.
func (n *Network) VPC(id string) bool { return has(&n.vpcs, id) }

// Subnet finds a subnet, with its free addresses.
func (n *Network) Subnet(id string) (ec2types.Subnet, bool) {
	n.sweep()
	s, ok := n.subnets.Get(id)
	if !ok {
		return ec2types.Subnet{}, false
	}
	return n.subnetView(s), true
}

// GroupVPC gives the VPC of a security group.
func (n *Network) GroupVPC(id string) (string, bool) {
	g, ok := n.groups.Get(id)
	if !ok {
		return "", false
	}
	return g.vpc, true
}

// DefaultGroup gives the default security group of a VPC.
func (n *Network) DefaultGroup(vpc string) string {
	for _, g := range n.groups.All() {
		if g.vpc == vpc && g.name == defaultGroup {
			return g.id
		}
	}
	return ""
}

// Instance finds an instance.
func (n *Network) Instance(id string) (ec2types.Instance, bool) {
	i, ok := n.instances.Get(id)
	if !ok {
		return ec2types.Instance{}, false
	}
	return *i, true
}

// Address finds an Elastic IP address by its allocation.
func (n *Network) Address(allocation string) (ec2types.Address, bool) {
	n.sweep()
	a, ok := n.addresses.Get(allocation)
	if !ok {
		return ec2types.Address{}, false
	}
	return *a, true
}

// ZoneOf gives the zone of the subnet that an address of a VPC is in; false means that no block of the VPC contains it.
func (n *Network) ZoneOf(vpc string, a netip.Addr) (string, bool) {
	for _, s := range n.subnets.All() {
		if *s.VpcId == vpc && (s.block.Contains(a) || holdsSix(s.Ipv6CidrBlockAssociationSet, a)) {
			return *s.AvailabilityZone, true
		}
	}
	v, ok := n.vpcs.Get(vpc)
	if !ok {
		return "", false
	}
	four := slices.ContainsFunc(v.CidrBlockAssociationSet, func(b ec2types.VpcCidrBlockAssociation) bool { return within(b.CidrBlock, a) })
	six := slices.ContainsFunc(v.Ipv6CidrBlockAssociationSet, func(b ec2types.VpcIpv6CidrBlockAssociation) bool { return within(b.Ipv6CidrBlock, a) })
	return "", four || six
}

// HasZone reports whether a VPC has a subnet in a zone.
func (n *Network) HasZone(vpc, zone string) bool {
	for _, s := range n.subnets.All() {
		if *s.VpcId == vpc && *s.AvailabilityZone == zone {
			return true
		}
	}
	return false
}

func holdsSix(blocks []ec2types.SubnetIpv6CidrBlockAssociation, a netip.Addr) bool {
	return slices.ContainsFunc(blocks, func(b ec2types.SubnetIpv6CidrBlockAssociation) bool { return within(b.Ipv6CidrBlock, a) })
}

func within(block *string, a netip.Addr) bool {
	p, err := netip.ParsePrefix(aws.ToString(block))
	return err == nil && p.Contains(a)
}

// Pool is what load balancers must know of a pool of addresses.
type Pool struct {
	// Public says that it has public IPv4 addresses of this Region.
	Public bool
	// Free says that one of them is free.
	Free bool
}

// Pool finds a pool of IPAM.
func (n *Network) Pool(id string) (Pool, bool) {
	p, ok := n.pools.Get(id)
	if !ok {
		return Pool{}, false
	}
	_, err := n.nextPublic(id)
	public := p.IpamScopeType == ec2types.IpamScopeTypePublic && p.AddressFamily == ec2types.AddressFamilyIpv4
	return Pool{Public: public && *p.Locale == n.account.Region, Free: err == nil}, true
}

// OwnedPool finds a pool of customer-owned addresses. They are not public ones of the Region.
func (n *Network) OwnedPool(id string) (Pool, bool) {
	if !has(&n.coipPools, id) {
		return Pool{}, false
	}
	_, err := n.ownedAddress(&ec2types.Address{}, id)
	return Pool{Free: err == nil}, true
}

// LoadBalancer is a load balancer as the network sees it.
type LoadBalancer struct {
	ARN string
	// Description is what its interfaces carry, as in "ELB app/name/id".
	Description string
	Subnets     []string
	Groups      []string
	Network     bool
	// Allocations are the Elastic IP addresses by subnet, if it has any.
	Allocations map[string]string
	// Private are the private IPv4 addresses that were asked for, by subnet. One is chosen where there is none.
	Private map[string]netip.Addr
}

// Attach gives a load balancer one interface in each of its subnets and its groups on all of them. Interfaces in other subnets go.
// An address that somebody else has is the error AddressTaken.
func (n *Network) Attach(lb LoadBalancer, linger time.Duration) error {
	kind := ec2types.NetworkInterfaceTypeInterface
	if lb.Network {
		kind = ec2types.NetworkInterfaceTypeNetworkLoadBalancer
	}
	held := map[string]bool{}
	for _, i := range n.interfaces.All() {
		if i.owner != lb.ARN || !i.release.IsZero() {
			continue
		}
		if !slices.Contains(lb.Subnets, *i.SubnetId) {
			n.letGo(i, linger)
			continue
		}
		groups, err := n.identifyGroups(*i.VpcId, lb.Groups)
		if err != nil {
			return err
		}
		i.Groups, held[*i.SubnetId] = groups, true
		n.settle(i, lb.Allocations[*i.SubnetId])
	}
	for _, id := range lb.Subnets {
		s, ok := n.subnets.Get(id)
		if held[id] || !ok {
			continue
		}
		planned := plannedInterface{id: n.identify("eni"), description: lb.Description, subnet: s, groups: lb.Groups, kind: kind, owner: lb.ARN}
		if a, ok := lb.Private[id]; ok {
			planned.addresses = []netip.Addr{a}
		}
		made, err := n.addInterface(planned)
		if err != nil {
			return err
		}
		n.settle(made, lb.Allocations[id])
	}
	return nil
}

// settle gives an interface of a load balancer the Elastic IP address of an allocation, and no other; the empty one is none.
func (n *Network) settle(i *networkInterface, allocation string) {
	if i.Association != nil {
		if *i.Association.AllocationId == allocation {
			return
		}
		if a, ok := n.addresses.Get(*i.Association.AllocationId); ok {
			n.dissociate(a)
		}
	}
	if a, ok := n.addresses.Get(allocation); ok {
		n.dissociate(a)
		n.bind(a, i, 0)
	}
}

// Detach lets the interfaces of a load balancer go after a while, as AWS does.
func (n *Network) Detach(arn string, linger time.Duration) {
	for _, i := range n.interfaces.All() {
		if i.owner == arn && i.release.IsZero() {
			n.letGo(i, linger)
		}
	}
	n.sweep()
}

// OwnedByLoadBalancer reports whether an address of a VPC belongs to a load balancer.
func (n *Network) OwnedByLoadBalancer(vpc string, a netip.Addr) bool {
	i, ok := n.interfaces.Get(n.used[place{vpc, a}])
	return ok && i.owner != ""
}

// Interface is a network interface that the caller describes, as for a node or its pods.
type Interface struct {
	// ID names the interface (eni-…). Describing it again replaces it; the empty string makes a new one.
	ID string `json:"-"`
	// Subnet is the subnet; without it, the one that contains the first address.
	Subnet string `json:"subnet,omitempty"`
	// VPC narrows the search for the subnet. Without it, any VPC.
	VPC string `json:"vpc,omitempty"`
	// SecurityGroups are the groups; without them, the default group of the VPC.
	SecurityGroups []string `json:"securityGroups,omitempty"`
	// Addresses are the private IPv4 addresses, the primary one first.
	Addresses []string `json:"addresses"`
	// Prefixes are the /28 blocks that are delegated to it, for the addresses of pods.
	Prefixes []string `json:"prefixes,omitempty"`
	// Instance is the instance that it is attached to, if any.
	Instance    string            `json:"instance,omitempty"`
	Description string            `json:"description,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// PutInterface makes or replaces an interface and gives its identifier. The errors are those of CreateNetworkInterface.
func (n *Network) PutInterface(i Interface) (string, error) {
	n.sweep()
	addresses, err := parseAddresses(i.Addresses)
	if err != nil {
		return "", err
	}
	s, err := n.subnetFor(i, addresses)
	if err != nil {
		return "", err
	}
	if i.Instance != "" && !has(&n.instances, i.Instance) {
		return "", notFound(i.Instance)
	}
	if i.ID == "" {
		i.ID = n.identify("eni")
	}
	if len(i.SecurityGroups) == 0 {
		i.SecurityGroups = []string{n.DefaultGroup(*s.VpcId)}
	}
	n.RemoveInterface(i.ID)
	made, err := n.addInterface(plannedInterface{
		id: i.ID, description: i.Description, subnet: s, groups: i.SecurityGroups, addresses: addresses, kind: ec2types.NetworkInterfaceTypeInterface,
	})
	if err != nil {
		return "", err
	}
	if _, err := n.delegate4(made, s, i.Prefixes, nil); err != nil {
		n.removeInterface(made)
		return "", err
	}
	if i.Instance != "" {
		made.Status = ec2types.NetworkInterfaceStatusInUse
		made.Attachment = &ec2types.NetworkInterfaceAttachment{
			AttachmentId: aws.String(n.identify("eni-attach")), InstanceId: aws.String(i.Instance), DeviceIndex: aws.Int32(1),
			InstanceOwnerId: aws.String(n.account.ID), Status: ec2types.AttachmentStatusAttached,
		}
	}
	n.setTags(i.ID, i.Tags)
	return i.ID, nil
}

func (n *Network) subnetFor(i Interface, addresses []netip.Addr) (*subnet, error) {
	if i.Subnet != "" {
		s, ok := n.subnets.Get(i.Subnet)
		if !ok {
			return nil, notFound(i.Subnet)
		}
		return s, nil
	}
	if len(addresses) == 0 {
		return nil, missing("addresses")
	}
	for _, s := range n.subnets.All() {
		if s.block.Contains(addresses[0]) && (i.VPC == "" || i.VPC == *s.VpcId) {
			return s, nil
		}
	}
	return nil, notFound("subnet-for-" + addresses[0].String())
}

// RemoveInterface removes an interface, if it is there and no load balancer owns it.
func (n *Network) RemoveInterface(id string) {
	if i, ok := n.interfaces.Get(id); ok && i.owner == "" {
		n.removeInterface(i)
	}
}
