package vpc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) addressOperations() []wire.Operation {
	return []wire.Operation{
		wire.Reads("DescribeAvailabilityZones", n.describeAvailabilityZones),
		wire.Writes("ModifyAvailabilityZoneGroup", n.modifyZoneGroup),
		wire.Writes("AllocateAddress", n.allocateAddress),
		wire.Reads("DescribeAddresses", n.describeAddresses),
		wire.Writes("ReleaseAddress", n.releaseAddress),
		wire.Writes("AssociateAddress", n.associateAddress),
		wire.Writes("DisassociateAddress", n.disassociateAddress),
	}
}

// zones gives the three zones of the region, and a local zone.
func (n *Network) zones() []ec2types.AvailabilityZone {
	var all []ec2types.AvailabilityZone
	for i, letter := range []string{"a", "b", "c"} {
		all = append(all, ec2types.AvailabilityZone{
			ZoneName: aws.String(n.account.Region + letter), ZoneId: aws.String(fmt.Sprintf("%s-az%d", shortRegion(n.account.Region), i+1)),
			RegionName: aws.String(n.account.Region), GroupName: aws.String(n.account.Region), NetworkBorderGroup: aws.String(n.account.Region),
			State: ec2types.AvailabilityZoneStateAvailable, OptInStatus: ec2types.AvailabilityZoneOptInStatusOptInNotRequired,
			ZoneType: aws.String("availability-zone"),
		})
	}
	return append(all, n.localZone())
}

// localZone gives the one local zone, which is there once its group is opted into.
func (n *Network) localZone() ec2types.AvailabilityZone {
	group := n.account.Region + "-sim-1"
	status := ec2types.AvailabilityZoneOptInStatusNotOptedIn
	if n.optedIn {
		status = ec2types.AvailabilityZoneOptInStatusOptedIn
	}
	return ec2types.AvailabilityZone{
		ZoneName: aws.String(group + "a"), ZoneId: aws.String(shortRegion(n.account.Region) + "-sim1-az1"), RegionName: aws.String(n.account.Region),
		GroupName: &group, NetworkBorderGroup: &group, State: ec2types.AvailabilityZoneStateAvailable, OptInStatus: status,
		ZoneType: aws.String("local-zone"), ParentZoneName: aws.String(n.account.Region + "a"),
		ParentZoneId: aws.String(shortRegion(n.account.Region) + "-az1"),
	}
}

func (n *Network) modifyZoneGroup(in *sdk.ModifyAvailabilityZoneGroupInput) (*sdk.ModifyAvailabilityZoneGroupOutput, error) {
	switch {
	case aws.ToString(in.GroupName) != *n.localZone().GroupName:
		return nil, wire.Errorf("InvalidParameterValue", "The zone group '%s' cannot be opted into.", aws.ToString(in.GroupName))
	case in.OptInStatus == "":
		return nil, missing("OptInStatus")
	case in.OptInStatus == ec2types.ModifyAvailabilityZoneOptInStatusNotOptedIn && n.optedIn:
		return nil, wire.Errorf("OptInNotAllowed", "Opting out of a zone group is for AWS Support.")
	}
	n.optedIn = in.OptInStatus == ec2types.ModifyAvailabilityZoneOptInStatusOptedIn
	return &sdk.ModifyAvailabilityZoneGroupOutput{Return: aws.Bool(true)}, nil
}

// shortRegion gives the form of a region in zone identifiers: us-west-2 is usw2, ap-southeast-1 is apse1.
func shortRegion(region string) string {
	short := strings.NewReplacer("northeast", "ne", "northwest", "nw", "southeast", "se", "southwest", "sw",
		"north", "n", "south", "s", "east", "e", "west", "w", "central", "c", "-", "")
	return short.Replace(region)
}

// zone finds a zone by name or identifier; with neither it is the first.
func (n *Network) zone(name, id string) (ec2types.AvailabilityZone, error) {
	for _, z := range n.zones() {
		if (name == "" || *z.ZoneName == name) && (id == "" || *z.ZoneId == id) && z.OptInStatus != ec2types.AvailabilityZoneOptInStatusNotOptedIn {
			return z, nil
		}
	}
	return ec2types.AvailabilityZone{}, wire.Errorf("InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid.", name+id)
}

func (n *Network) describeAvailabilityZones(in *sdk.DescribeAvailabilityZonesInput) (*sdk.DescribeAvailabilityZonesOutput, error) {
	out := &sdk.DescribeAvailabilityZonesOutput{AvailabilityZones: []ec2types.AvailabilityZone{}}
	there := slices.DeleteFunc(n.zones(), func(z ec2types.AvailabilityZone) bool {
		return z.OptInStatus == ec2types.AvailabilityZoneOptInStatusNotOptedIn && !aws.ToBool(in.AllAvailabilityZones)
	})
	names := each(there, func(z ec2types.AvailabilityZone) *string { return z.ZoneName })
	ids := each(there, func(z ec2types.AvailabilityZone) *string { return z.ZoneId })
	for _, wanted := range slices.Concat(in.ZoneNames, in.ZoneIds) {
		if !slices.Contains(names, wanted) && !slices.Contains(ids, wanted) {
			return nil, wire.Errorf("InvalidParameterValue", "Invalid availability zone: [%s]", wanted)
		}
	}
	zones, err := sift(there, in.Filters, zoneFields())
	if err != nil {
		return nil, err
	}
	for _, z := range zones {
		named := in.ZoneNames == nil || slices.Contains(in.ZoneNames, *z.ZoneName)
		identified := in.ZoneIds == nil || slices.Contains(in.ZoneIds, *z.ZoneId)
		if named && identified {
			out.AvailabilityZones = append(out.AvailabilityZones, z)
		}
	}
	return out, nil
}

func zoneFields() fields[ec2types.AvailabilityZone] {
	type zone = ec2types.AvailabilityZone
	return fields[zone]{
		"zone-name":        func(z zone) []string { return optional(z.ZoneName) },
		"zone-id":          func(z zone) []string { return optional(z.ZoneId) },
		"zone-type":        func(z zone) []string { return optional(z.ZoneType) },
		"opt-in-status":    func(z zone) []string { return []string{string(z.OptInStatus)} },
		"state":            func(z zone) []string { return []string{string(z.State)} },
		"region-name":      func(z zone) []string { return optional(z.RegionName) },
		"group-name":       func(z zone) []string { return optional(z.GroupName) },
		"group-long-name":  func(z zone) []string { return optional(z.GroupLongName) },
		"parent-zone-id":   func(z zone) []string { return optional(z.ParentZoneId) },
		"parent-zone-name": func(z zone) []string { return optional(z.ParentZoneName) },
	}.none("message")
}

func (n *Network) addressView(a *ec2types.Address) ec2types.Address {
	out := *a
	out.Tags = n.tagList(*a.AllocationId)
	return out
}

func (n *Network) describeAddresses(in *sdk.DescribeAddressesInput) (*sdk.DescribeAddressesOutput, error) {
	n.sweep()
	filters := in.Filters
	for _, ip := range in.PublicIps {
		if _, err := n.allocation(nil, &ip); err != nil {
			return nil, err
		}
	}
	if in.PublicIps != nil {
		filters = append(filters, ec2types.Filter{Name: aws.String("public-ip"), Values: in.PublicIps})
	}
	list, err := pick(n, selection{ids: in.AllocationIds, filters: filters}, &n.addresses, addressFields())
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeAddressesOutput{Addresses: []ec2types.Address{}}
	for _, a := range list {
		out.Addresses = append(out.Addresses, n.addressView(a))
	}
	return out, nil
}

func addressFields() fields[*ec2types.Address] {
	type address = *ec2types.Address
	return fields[address]{
		"allocation-id":              func(a address) []string { return optional(a.AllocationId) },
		"association-id":             func(a address) []string { return optional(a.AssociationId) },
		"public-ip":                  func(a address) []string { return optional(a.PublicIp) },
		"network-border-group":       func(a address) []string { return optional(a.NetworkBorderGroup) },
		"network-interface-id":       func(a address) []string { return optional(a.NetworkInterfaceId) },
		"network-interface-owner-id": func(a address) []string { return optional(a.NetworkInterfaceOwnerId) },
		"instance-id":                func(a address) []string { return optional(a.InstanceId) },
		"private-ip-address":         func(a address) []string { return optional(a.PrivateIpAddress) },
		"domain":                     func(a address) []string { return []string{string(a.Domain)} },
	}
}
