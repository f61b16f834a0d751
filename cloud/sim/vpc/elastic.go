package vpc

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// publicAddresses is how many addresses of the documentation block 203.0.113.0/24 are given out, so that none is ever real.
const publicAddresses = 254

func (n *Network) allocateAddress(in *sdk.AllocateAddressInput) (*sdk.AllocateAddressOutput, error) {
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeElasticIp)
	if err != nil {
		return nil, err
	}
	if n.addresses.Len() >= n.Quotas.Addresses {
		return nil, wire.Errorf("AddressLimitExceeded", "The maximum number of addresses has been reached.")
	}
	a, err := n.plannedAddress(in)
	if err != nil {
		return nil, err
	}
	id := n.identify("eipalloc")
	a.AllocationId = &id
	if pool := aws.ToString(in.IpamPoolId); pool != "" {
		n.allocatePublic(pool, id, *a.PublicIp)
	}
	n.addresses.Put(id, a)
	n.setTags(id, tags)
	return &sdk.AllocateAddressOutput{
		AllocationId: a.AllocationId, PublicIp: a.PublicIp, Domain: a.Domain, NetworkBorderGroup: a.NetworkBorderGroup, PublicIpv4Pool: a.PublicIpv4Pool,
		CustomerOwnedIp: a.CustomerOwnedIp, CustomerOwnedIpv4Pool: a.CustomerOwnedIpv4Pool,
	}, nil
}

// plannedAddress takes an address from where it is asked for.
func (n *Network) plannedAddress(in *sdk.AllocateAddressInput) (*ec2types.Address, error) {
	a := &ec2types.Address{Domain: ec2types.DomainTypeVpc, NetworkBorderGroup: aws.String(n.account.Region), PublicIpv4Pool: aws.String("amazon")}
	pools := optional(in.IpamPoolId, in.CustomerOwnedIpv4Pool, in.PublicIpv4Pool)
	switch {
	case in.Domain == ec2types.DomainTypeStandard:
		return nil, wire.Errorf("UnsupportedOperation", "Addresses of EC2-Classic are not available.")
	case len(pools) > 1:
		return nil, wire.Errorf("InvalidParameterCombination", "An address comes from one pool only.")
	case in.Address != nil:
		return nil, wire.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", *in.Address)
	case aws.ToString(in.NetworkBorderGroup) != "" && *in.NetworkBorderGroup != n.account.Region:
		return nil, wire.Errorf("InvalidParameterValue", "Value (%s) for parameter networkBorderGroup is invalid.", *in.NetworkBorderGroup)
	case aws.ToString(in.PublicIpv4Pool) != "" && *in.PublicIpv4Pool != "amazon":
		return nil, wire.Errorf("InvalidPublicIpv4PoolID.NotFound", "The pool ID '%s' does not exist", *in.PublicIpv4Pool)
	case aws.ToString(in.IpamPoolId) != "":
		ip, err := n.nextPublic(*in.IpamPoolId)
		a.PublicIp, a.PublicIpv4Pool = &ip, in.IpamPoolId
		return a, err
	case aws.ToString(in.CustomerOwnedIpv4Pool) != "":
		return n.ownedAddress(a, *in.CustomerOwnedIpv4Pool)
	}
	ip, err := n.nextAddress()
	a.PublicIp = &ip
	return a, err
}

// nextAddress gives the first public address that is free.
func (n *Network) nextAddress() (string, error) {
	held := map[string]bool{}
	for _, a := range n.addresses.All() {
		held[aws.ToString(a.PublicIp)] = true
	}
	for last := 1; last <= publicAddresses; last++ {
		if ip := fmt.Sprintf("203.0.113.%d", last); !held[ip] {
			return ip, nil
		}
	}
	return "", wire.Errorf("InsufficientAddressCapacity", "Not enough addresses available to fulfill the requested number of addresses.")
}

// allocation finds an address by its allocation or, as older callers name it, by itself.
func (n *Network) allocation(id, ip *string) (*ec2types.Address, error) {
	n.sweep()
	if id != nil && ip != nil {
		return nil, wire.Errorf("InvalidParameterCombination", "You may specify public IP or allocation id, but not both in the same call")
	}
	if id != nil {
		a, ok := n.addresses.Get(*id)
		if !ok {
			return nil, notFound(*id)
		}
		return a, nil
	}
	if ip == nil {
		return nil, wire.Errorf("MissingParameter", "Either public IP or allocation id must be specified")
	}
	for _, a := range n.addresses.All() {
		if *a.PublicIp == *ip {
			return a, nil
		}
	}
	return nil, wire.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", *ip)
}

func (n *Network) associateAddress(in *sdk.AssociateAddressInput) (*sdk.AssociateAddressOutput, error) {
	a, err := n.allocation(in.AllocationId, in.PublicIp)
	if err != nil {
		return nil, err
	}
	i, err := n.addressee(in)
	if err != nil {
		return nil, err
	}
	private := aws.ToString(in.PrivateIpAddress)
	if private == "" {
		private = *i.PrivateIpAddress
	}
	at := slices.IndexFunc(i.PrivateIpAddresses, func(p ec2types.NetworkInterfacePrivateIpAddress) bool { return *p.PrivateIpAddress == private })
	switch {
	case at < 0:
		return nil, wire.Errorf("InvalidParameterValue", "The private IP address '%s' is not assigned to interface %s", private, *i.NetworkInterfaceId)
	case !n.HasInternetGateway(*i.VpcId):
		return nil, wire.Errorf("Gateway.NotAttached", "Network %s is not attached to any internet gateway", *i.VpcId)
	case a.AssociationId != nil && (!aws.ToBool(in.AllowReassociation) || n.ownedByBalancer(a)):
		return nil, wire.Errorf("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", *a.AllocationId, *a.AssociationId)
	case i.PrivateIpAddresses[at].Association != nil && !aws.ToBool(in.AllowReassociation):
		return nil, wire.Errorf("Resource.AlreadyAssociated", "The private IP address %s is already associated.", private)
	}
	n.dissociate(a)
	if held := i.PrivateIpAddresses[at].Association; held != nil {
		if other, ok := n.addresses.Get(*held.AllocationId); ok {
			n.dissociate(other)
		}
	}
	return &sdk.AssociateAddressOutput{AssociationId: aws.String(n.bind(a, i, at))}, nil
}

// addressee finds the interface that shall have an address.
func (n *Network) addressee(in *sdk.AssociateAddressInput) (*networkInterface, error) {
	switch {
	case in.InstanceId != nil && in.NetworkInterfaceId != nil:
		return nil, wire.Errorf("InvalidParameterCombination", "You may specify an instance or a network interface, but not both")
	case in.NetworkInterfaceId != nil:
		i, ok := n.interfaces.Get(*in.NetworkInterfaceId)
		if !ok {
			return nil, notFound(*in.NetworkInterfaceId)
		}
		if i.owner != "" {
			return nil, wire.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
		}
		return i, nil
	case in.InstanceId == nil:
		return nil, wire.Errorf("MissingParameter", "Either instance ID or network interface id must be specified")
	case !has(&n.instances, *in.InstanceId):
		return nil, notFound(*in.InstanceId)
	}
	faces := n.facesOf(*in.InstanceId)
	if len(faces) == 0 {
		return nil, wire.Errorf("IncorrectInstanceState", "The instance '%s' is not in a valid state for this operation", *in.InstanceId)
	}
	return faces[0], nil
}

// bind associates an address with a private address of an interface and gives the association.
func (n *Network) bind(a *ec2types.Address, i *networkInterface, at int) string {
	id := n.identify("eipassoc")
	a.AssociationId, a.NetworkInterfaceId, a.NetworkInterfaceOwnerId = &id, i.NetworkInterfaceId, i.OwnerId
	a.PrivateIpAddress = i.PrivateIpAddresses[at].PrivateIpAddress
	if i.Attachment != nil {
		a.InstanceId = i.Attachment.InstanceId
	}
	owner := n.account.ID
	if i.owner != "" {
		owner = "amazon-elb"
	}
	i.PrivateIpAddresses = slices.Clone(i.PrivateIpAddresses)
	i.PrivateIpAddresses[at].Association = &ec2types.NetworkInterfaceAssociation{
		AllocationId: a.AllocationId, AssociationId: &id, PublicIp: a.PublicIp, IpOwnerId: &owner,
	}
	if aws.ToBool(i.PrivateIpAddresses[at].Primary) {
		i.Association = i.PrivateIpAddresses[at].Association
	}
	return id
}

// dissociate undoes bind.
func (n *Network) dissociate(a *ec2types.Address) {
	if a.AssociationId == nil {
		return
	}
	if i, ok := n.interfaces.Get(*a.NetworkInterfaceId); ok {
		i.PrivateIpAddresses = slices.Clone(i.PrivateIpAddresses)
		for at, p := range i.PrivateIpAddresses {
			if p.Association != nil && *p.Association.AssociationId == *a.AssociationId {
				i.PrivateIpAddresses[at].Association = nil
			}
		}
		if i.Association != nil && *i.Association.AssociationId == *a.AssociationId {
			i.Association = nil
		}
	}
	a.AssociationId, a.NetworkInterfaceId, a.NetworkInterfaceOwnerId, a.PrivateIpAddress, a.InstanceId = nil, nil, nil, nil, nil
}

// ownedByBalancer reports whether a load balancer uses an address.
func (n *Network) ownedByBalancer(a *ec2types.Address) bool {
	i, ok := n.interfaces.Get(aws.ToString(a.NetworkInterfaceId))
	return ok && i.owner != ""
}

func (n *Network) disassociateAddress(in *sdk.DisassociateAddressInput) (*sdk.DisassociateAddressOutput, error) {
	for _, a := range n.addresses.All() {
		byID := in.AssociationId != nil && aws.ToString(a.AssociationId) == *in.AssociationId
		byIP := in.AssociationId == nil && in.PublicIp != nil && *a.PublicIp == *in.PublicIp
		switch {
		case !byID && !byIP:
			continue
		case n.ownedByBalancer(a):
			return nil, wire.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
		}
		n.dissociate(a)
		return &sdk.DisassociateAddressOutput{}, nil
	}
	if in.AssociationId == nil && in.PublicIp == nil {
		return nil, missing("AssociationId")
	}
	if in.AssociationId == nil {
		return nil, wire.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", *in.PublicIp)
	}
	return nil, wire.Errorf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", *in.AssociationId)
}

func (n *Network) releaseAddress(in *sdk.ReleaseAddressInput) (*sdk.ReleaseAddressOutput, error) {
	a, err := n.allocation(in.AllocationId, in.PublicIp)
	if err != nil {
		return nil, err
	}
	if a.AssociationId != nil {
		return nil, wire.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", *a.PublicIp)
	}
	n.releasePublic(*a.AllocationId)
	n.forget(&n.addresses, *a.AllocationId)
	return &sdk.ReleaseAddressOutput{}, nil
}
