package sim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/contract"
)

// allocate gives a new Elastic IP address.
func (f *fixture) allocate() *string {
	f.Helper()
	out, err := f.ec2.AllocateAddress(f.Context(), &ec2.AllocateAddressInput{Domain: ec2types.DomainTypeVpc})
	return contract.Must(f, out, err).AllocationId
}

// holder gives the description of the interface that an address is associated with; empty for none.
func (f *fixture) holder(allocation *string) string {
	f.Helper()
	out, err := f.ec2.DescribeAddresses(f.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{*allocation}})
	held := contract.Must(f, out, err).Addresses[0]
	if held.AssociationId == nil {
		return ""
	}
	faces, err := f.ec2.DescribeNetworkInterfaces(f.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*held.NetworkInterfaceId}})
	face := contract.Must(f, faces, err).NetworkInterfaces[0]
	if face.Association == nil || *face.Association.AllocationId != *allocation || *held.PrivateIpAddress != *face.PrivateIpAddress ||
		*held.NetworkInterfaceOwnerId != *face.OwnerId {
		f.Errorf("address %+v and interface %+v do not say the same", held, face)
	}
	return *face.Description
}

func TestBalancerAllocations(t *testing.T) {
	t.Parallel()
	f := start(t)
	subnets := f.Sim.World().PublicSubnets
	first, second := f.allocate(), f.allocate()
	mapping := func(allocation *string) []elbtypes.SubnetMapping {
		return []elbtypes.SubnetMapping{{SubnetId: &subnets[0], AllocationId: allocation}}
	}
	create := func(name string, allocation *string) (elbtypes.LoadBalancer, error) {
		out, err := f.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
			Name: &name, Type: elbtypes.LoadBalancerTypeEnumNetwork, SubnetMappings: mapping(allocation),
		})
		if err != nil {
			return elbtypes.LoadBalancer{}, err
		}
		return out.LoadBalancers[0], nil
	}
	release := func(allocation *string) error {
		_, err := f.ec2.ReleaseAddress(t.Context(), &ec2.ReleaseAddressInput{AllocationId: allocation})
		return err
	}
	lb, err := create("one", first)
	contract.WantCode(t, err, "")
	own := "ELB " + (*lb.LoadBalancerArn)[len("arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/"):]
	wantHolders := func(when, one, two string) {
		t.Helper()
		if a, b := f.holder(first), f.holder(second); a != one || b != two {
			t.Errorf("%s: held by %q and %q, want %q and %q", when, a, b, one, two)
		}
	}
	wantHolders("made", own, "")
	_, err = create("one", first)
	contract.WantCode(t, err, "")
	_, err = create("two", first)
	contract.WantCode(t, err, "ResourceInUse")
	contract.WantCode(t, release(first), "InvalidIPAddress.InUse")
	_, err = f.elb.SetSubnets(t.Context(), &elb.SetSubnetsInput{LoadBalancerArn: lb.LoadBalancerArn, SubnetMappings: mapping(second)})
	contract.WantCode(t, err, "")
	wantHolders("another address", "", own)
	_, err = f.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	contract.WantCode(t, err, "")
	wantHolders("its interface is still there", "", own)
	_, err = create("two", second)
	contract.WantCode(t, err, "ResourceInUse")
	f.Pass(2 * time.Minute)
	wantHolders("all gone", "", "")
	_, err = create("two", second)
	contract.WantCode(t, err, "")
	contract.WantCode(t, release(first), "")
	_, err = f.ec2.ReleaseAddress(t.Context(), &ec2.ReleaseAddressInput{AllocationId: aws.String("eipalloc-0a1b2c3d4e5f60001")})
	contract.WantCode(t, err, "InvalidAllocationID.NotFound")
}
