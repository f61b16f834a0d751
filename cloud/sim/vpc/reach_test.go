package vpc_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/contract"
)

func TestPeering(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx := t.Context()
	here, there := f.Sim.World().VPC, f.vpc("172.16.0.0/16")
	ours, theirs := f.group(here, "ours"), f.group(*there, "theirs")
	refer := func() error {
		return f.authorize(ours, ec2types.IpPermission{UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: theirs}}})
	}
	connect := func(to *string) error {
		_, err := f.ec2.CreateVpcPeeringConnection(ctx, &sdk.CreateVpcPeeringConnectionInput{VpcId: &here, PeerVpcId: to})
		return err
	}
	f.run([]call{
		{"a group of another VPC", "InvalidGroup.NotFound", refer},
		{"addresses overlap", "InvalidParameterValue", func() error { return connect(f.vpc("10.0.128.0/24")) }},
		{"a VPC that is not there", "InvalidVpcID.NotFound", func() error { return connect(aws.String("vpc-1")) }},
		{"peering", "", func() error { return connect(there) }},
		{"twice", "VpcPeeringConnectionAlreadyExists", func() error { return connect(there) }},
		{"not accepted yet", "InvalidGroup.NotFound", refer},
	})
	found, err := f.ec2.DescribeVpcPeeringConnections(ctx, &sdk.DescribeVpcPeeringConnectionsInput{Filters: []ec2types.Filter{
		{Name: aws.String("accepter-vpc-info.vpc-id"), Values: []string{*there}},
	}})
	id := contract.Must(t, found, err).VpcPeeringConnections[0].VpcPeeringConnectionId
	accept := func() error {
		_, err := f.ec2.AcceptVpcPeeringConnection(ctx, &sdk.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: id})
		return err
	}
	f.run([]call{
		{"accepting", "", accept}, {"accepting twice", "InvalidStateTransition", accept}, {"a group of a peer", "", refer},
		{"the same rule", "InvalidPermission.Duplicate", refer},
	})
	references, err := f.ec2.DescribeSecurityGroupReferences(ctx, &sdk.DescribeSecurityGroupReferencesInput{GroupId: []string{*theirs}})
	if got := contract.Must(t, references, err).SecurityGroupReferenceSet; len(got) != 1 || *got[0].ReferencingVpcId != here {
		t.Errorf("references: %+v", got)
	}
	f.run([]call{{"a group that a peer refers to can go", "", func() error {
		_, err := f.ec2.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: theirs})
		return err
	}}})
	stale, err := f.ec2.DescribeStaleSecurityGroups(ctx, &sdk.DescribeStaleSecurityGroupsInput{VpcId: &here})
	got := contract.Must(t, stale, err).StaleSecurityGroupSet
	if len(got) != 1 || *got[0].StaleIpPermissions[0].UserIdGroupPairs[0].GroupId != *theirs {
		t.Errorf("stale groups: %+v", got)
	}
}

func TestElasticAddresses(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx := t.Context()
	var ids []*string
	for range 5 {
		out, err := f.ec2.AllocateAddress(ctx, &sdk.AllocateAddressInput{})
		ids = append(ids, contract.Must(t, out, err).AllocationId)
	}
	face, err := f.ec2.CreateNetworkInterface(ctx, &sdk.CreateNetworkInterfaceInput{SubnetId: &f.Sim.World().PublicSubnets[0]})
	eni := contract.Must(t, face, err).NetworkInterface.NetworkInterfaceId
	associate := func(id *string) error {
		_, err := f.ec2.AssociateAddress(ctx, &sdk.AssociateAddressInput{AllocationId: id, NetworkInterfaceId: eni})
		return err
	}
	release := func(id *string) error {
		_, err := f.ec2.ReleaseAddress(ctx, &sdk.ReleaseAddressInput{AllocationId: id})
		return err
	}
	f.run([]call{
		{"a sixth", "AddressLimitExceeded", func() error {
			_, err := f.ec2.AllocateAddress(ctx, &sdk.AllocateAddressInput{})
			return err
		}},
		{"associating", "", func() error { return associate(ids[0]) }},
		{"what has an address", "Resource.AlreadyAssociated", func() error { return associate(ids[1]) }},
		{"releasing what is in use", "InvalidIPAddress.InUse", func() error { return release(ids[0]) }},
		{"an association that is not there", "InvalidAssociationID.NotFound", func() error {
			_, err := f.ec2.DisassociateAddress(ctx, &sdk.DisassociateAddressInput{AssociationId: aws.String("eipassoc-1")})
			return err
		}},
		{"an address that is not there", "InvalidAddress.NotFound", func() error {
			_, err := f.ec2.DescribeAddresses(ctx, &sdk.DescribeAddressesInput{PublicIps: []string{"192.0.2.9"}})
			return err
		}},
		{"its interface goes", "", func() error {
			_, err := f.ec2.DeleteNetworkInterface(ctx, &sdk.DeleteNetworkInterfaceInput{NetworkInterfaceId: eni})
			return err
		}},
		{"and then it can be released", "", func() error { return release(ids[0]) }},
		{"once", "InvalidAllocationID.NotFound", func() error { return release(ids[0]) }},
	})
}

func TestPools(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx := t.Context()
	manager, err := f.ec2.CreateIpam(ctx, &sdk.CreateIpamInput{})
	scope := contract.Must(t, manager, err).Ipam.PublicDefaultScopeId
	made, err := f.ec2.CreateIpamPool(ctx, &sdk.CreateIpamPoolInput{
		IpamScopeId: scope, AddressFamily: ec2types.AddressFamilyIpv4, AwsService: ec2types.IpamPoolAwsServiceEc2, PublicIpSource: ec2types.IpamPoolPublicIpSourceAmazon,
	})
	id := contract.Must(t, made, err).IpamPool.IpamPoolId
	take := func(bits int32) error {
		_, err := f.ec2.AllocateIpamPoolCidr(ctx, &sdk.AllocateIpamPoolCidrInput{IpamPoolId: id, NetmaskLength: &bits})
		return err
	}
	f.run([]call{
		{"an empty pool", "InsufficientCidrBlocks", func() error { return take(31) }},
		{"a block of Amazon's", "", func() error {
			_, err := f.ec2.ProvisionIpamPoolCidr(ctx, &sdk.ProvisionIpamPoolCidrInput{IpamPoolId: id, NetmaskLength: aws.Int32(30)})
			return err
		}},
		{"half of it", "", func() error { return take(31) }}, {"and the other", "", func() error { return take(31) }},
		{"and no more", "InsufficientCidrBlocks", func() error { return take(32) }},
		{"deleting what is in use", "DependencyViolation", func() error {
			_, err := f.ec2.DeleteIpamPool(ctx, &sdk.DeleteIpamPoolInput{IpamPoolId: id})
			return err
		}},
		{"a pool that is not there", "InvalidIpamPoolId.NotFound", func() error {
			_, err := f.ec2.DescribeIpamPools(ctx, &sdk.DescribeIpamPoolsInput{IpamPoolIds: []string{"ipam-pool-1"}})
			return err
		}},
		{"a customer's pool that is not there", "InvalidPoolID.NotFound", func() error {
			_, err := f.ec2.DescribeCoipPools(ctx, &sdk.DescribeCoipPoolsInput{PoolIds: []string{"ipv4pool-coip-1"}})
			return err
		}},
	})
	pools, err := f.ec2.DescribeIpamPools(ctx, &sdk.DescribeIpamPoolsInput{IpamPoolIds: []string{*id}})
	if got := contract.Must(t, pools, err).IpamPools; len(got) != 1 || got[0].IpamScopeType != ec2types.IpamScopeTypePublic {
		t.Errorf("pools: %+v", got)
	}
}

func TestDelegatedPrefixes(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx := t.Context()
	subnet := f.Sim.World().PrivateSubnets[0]
	face, err := f.ec2.CreateNetworkInterface(ctx, &sdk.CreateNetworkInterfaceInput{SubnetId: &subnet})
	eni := contract.Must(t, face, err).NetworkInterface.NetworkInterfaceId
	given, err := f.ec2.AssignPrivateIpAddresses(ctx, &sdk.AssignPrivateIpAddressesInput{NetworkInterfaceId: eni, Ipv4PrefixCount: aws.Int32(2)})
	if got := contract.Must(t, given, err).AssignedIpv4Prefixes; len(got) != 2 || *got[0].Ipv4Prefix != "10.0.128.16/28" {
		t.Errorf("prefixes: %+v", got)
	}
	shown, err := f.ec2.DescribeSubnets(ctx, &sdk.DescribeSubnetsInput{SubnetIds: []string{subnet}})
	if got := *contract.Must(t, shown, err).Subnets[0].AvailableIpAddressCount; got != 4096-5-1-32 {
		t.Errorf("%d free addresses", got)
	}
	assign := func(in sdk.AssignPrivateIpAddressesInput) func() error {
		return func() error {
			in.NetworkInterfaceId = eni
			_, err := f.ec2.AssignPrivateIpAddresses(ctx, &in)
			return err
		}
	}
	four, err := f.ec2.CreateSubnet(ctx, &sdk.CreateSubnetInput{VpcId: aws.String(f.Sim.World().VPC), CidrBlock: aws.String("10.0.200.0/24")})
	other, err := f.ec2.CreateNetworkInterface(ctx, &sdk.CreateNetworkInterfaceInput{SubnetId: contract.Must(t, four, err).Subnet.SubnetId})
	six := func(face *string) func() error {
		return func() error {
			_, err := f.ec2.AssignIpv6Addresses(ctx, &sdk.AssignIpv6AddressesInput{NetworkInterfaceId: face, Ipv6PrefixCount: aws.Int32(1)})
			return err
		}
	}
	f.run([]call{
		{"an address of a prefix", "InvalidIPAddress.InUse", assign(sdk.AssignPrivateIpAddressesInput{PrivateIpAddresses: []string{"10.0.128.20"}})},
		{"a prefix that is taken", "InvalidIPAddress.InUse", assign(sdk.AssignPrivateIpAddressesInput{Ipv4Prefixes: []string{"10.0.128.16/28"}})},
		{"another size", "InvalidParameterValue", assign(sdk.AssignPrivateIpAddressesInput{Ipv4Prefixes: []string{"10.0.128.64/27"}})},
		{"two ways at once", "InvalidParameterCombination", assign(sdk.AssignPrivateIpAddressesInput{
			Ipv4PrefixCount: aws.Int32(1), SecondaryPrivateIpAddressCount: aws.Int32(1),
		})},
		{"a prefix of IPv6", "", six(eni)},
		{"more addresses of IPv6 than an interface has", "PrivateIpAddressLimitExceeded", func() error {
			_, err := f.ec2.AssignIpv6Addresses(ctx, &sdk.AssignIpv6AddressesInput{NetworkInterfaceId: eni, Ipv6AddressCount: aws.Int32(1 << 30)})
			return err
		}},
		{"no IPv6 in the subnet", "InvalidParameterValue", six(contract.Must(t, other, err).NetworkInterface.NetworkInterfaceId)},
		{"giving one back", "", func() error {
			_, err := f.ec2.UnassignPrivateIpAddresses(ctx, &sdk.UnassignPrivateIpAddressesInput{NetworkInterfaceId: eni, Ipv4Prefixes: []string{"10.0.128.16/28"}})
			return err
		}},
		{"and taking an address of it", "", assign(sdk.AssignPrivateIpAddressesInput{PrivateIpAddresses: []string{"10.0.128.20"}})},
	})
}

func TestUnknownFilters(t *testing.T) {
	t.Parallel()
	f := start(t)
	filters := []ec2types.Filter{{Name: aws.String("colour"), Values: []string{"red"}}}
	f.run([]call{
		{"though there are no instances", "InvalidParameterValue", func() error {
			_, err := f.ec2.DescribeInstances(t.Context(), &sdk.DescribeInstancesInput{Filters: filters})
			return err
		}},
		{"zones have no tags", "InvalidParameterValue", func() error {
			_, err := f.ec2.DescribeAvailabilityZones(t.Context(), &sdk.DescribeAvailabilityZonesInput{Filters: []ec2types.Filter{
				{Name: aws.String("tag:a"), Values: []string{"b"}},
			}})
			return err
		}},
	})
}
