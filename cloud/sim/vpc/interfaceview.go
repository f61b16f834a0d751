package vpc

import (
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) describeNetworkInterfaces(in *sdk.DescribeNetworkInterfacesInput) (*sdk.DescribeNetworkInterfacesOutput, error) {
	n.sweep()
	list, err := pick(n, selection{ids: in.NetworkInterfaceIds, filters: in.Filters}, &n.interfaces, interfaceFields())
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, byID: in.NetworkInterfaceIds != nil})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeNetworkInterfacesOutput{NextToken: next, NetworkInterfaces: []ec2types.NetworkInterface{}}
	for _, i := range some {
		out.NetworkInterfaces = append(out.NetworkInterfaces, n.interfaceView(i))
	}
	return out, nil
}

func (n *Network) modifyNetworkInterface(in *sdk.ModifyNetworkInterfaceAttributeInput) (*sdk.ModifyNetworkInterfaceAttributeOutput, error) {
	i, ok := n.interfaces.Get(aws.ToString(in.NetworkInterfaceId))
	if !ok {
		return nil, notFound(aws.ToString(in.NetworkInterfaceId))
	}
	if i.owner != "" {
		return nil, wire.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
	}
	if in.Groups != nil {
		groups, err := n.identifyGroups(*i.VpcId, in.Groups)
		if err != nil {
			return nil, err
		}
		i.Groups = groups
	}
	if in.Description != nil {
		i.Description = in.Description.Value
	}
	if in.SourceDestCheck != nil {
		i.SourceDestCheck = in.SourceDestCheck.Value
	}
	return &sdk.ModifyNetworkInterfaceAttributeOutput{}, nil
}

func (n *Network) assignPrivateIPAddresses(in *sdk.AssignPrivateIpAddressesInput) (*sdk.AssignPrivateIpAddressesOutput, error) {
	i, ok := n.interfaces.Get(aws.ToString(in.NetworkInterfaceId))
	if !ok {
		return nil, notFound(aws.ToString(in.NetworkInterfaceId))
	}
	s, ok := n.subnets.Get(*i.SubnetId)
	if !ok {
		return nil, notFound(*i.SubnetId)
	}
	if i.owner != "" {
		return nil, wire.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
	}
	addresses, err := n.wantedAddresses(s, in)
	if err != nil {
		return nil, err
	}
	prefixes, err := n.delegate4(i, s, in.Ipv4Prefixes, in.Ipv4PrefixCount)
	if err != nil {
		return nil, err
	}
	out := &sdk.AssignPrivateIpAddressesOutput{NetworkInterfaceId: i.NetworkInterfaceId, AssignedIpv4Prefixes: prefixes}
	for _, a := range addresses {
		n.take(i, a)
		out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, ec2types.AssignedPrivateIpAddress{PrivateIpAddress: aws.String(a.String())})
	}
	return out, nil
}

// wantedAddresses gives the addresses that are asked for by value or by number.
func (n *Network) wantedAddresses(s *subnet, in *sdk.AssignPrivateIpAddressesInput) ([]netip.Addr, error) {
	prefixed, listed := len(in.Ipv4Prefixes) > 0 || in.Ipv4PrefixCount != nil, len(in.PrivateIpAddresses) > 0
	counted := in.SecondaryPrivateIpAddressCount != nil
	if listed && counted || prefixed && (listed || counted) {
		return nil, wire.Errorf("InvalidParameterCombination", "Specify one of addresses, their number, prefixes and their number.")
	}
	if counted {
		var all []netip.Addr
		for a := last(s.block).Prev(); s.block.Contains(a) && len(all) < int(*in.SecondaryPrivateIpAddressCount); a = a.Prev() {
			if n.checkAddress(s, a) == nil {
				all = append(all, a)
			}
		}
		if len(all) < int(*in.SecondaryPrivateIpAddressCount) {
			return nil, wire.Errorf("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s'.", *s.SubnetId)
		}
		return all, nil
	}
	all, err := parseAddresses(in.PrivateIpAddresses)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if err := n.checkAddress(s, a); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (n *Network) unassignPrivateIPAddresses(in *sdk.UnassignPrivateIpAddressesInput) (*sdk.UnassignPrivateIpAddressesOutput, error) {
	i, ok := n.interfaces.Get(aws.ToString(in.NetworkInterfaceId))
	if !ok {
		return nil, notFound(aws.ToString(in.NetworkInterfaceId))
	}
	held := map[string]bool{}
	for _, p := range i.PrivateIpAddresses {
		held[*p.PrivateIpAddress] = !aws.ToBool(p.Primary)
	}
	for _, a := range in.PrivateIpAddresses {
		if !held[a] {
			return nil, wire.Errorf("InvalidParameterValue", "Some of the specified addresses are not assigned to interface %s", *i.NetworkInterfaceId)
		}
	}
	if err := n.undelegate4(i, in.Ipv4Prefixes); err != nil {
		return nil, err
	}
	for _, a := range in.PrivateIpAddresses {
		n.drop(i, a)
	}
	return &sdk.UnassignPrivateIpAddressesOutput{}, nil
}
