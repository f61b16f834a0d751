package elb

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const (
	ipamPrefix  = "ipam-pool-"
	ownedPrefix = "ipv4pool-coip-"
)

// modifyIPPools sets or removes the pool that the public addresses of an application load balancer come from.
func (s *State) modifyIPPools(in *sdk.ModifyIpPoolsInput) (*sdk.ModifyIpPoolsOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	removes := len(in.RemoveIpamPools) > 0
	if (in.IpamPools != nil) == removes {
		return nil, invalid("You must specify either IPAM pools or IPAM pools to remove")
	}
	if removes {
		lb.IpamPools = nil
		return &sdk.ModifyIpPoolsOutput{}, nil
	}
	if err := s.checkPools(lb, in.IpamPools); err != nil {
		return nil, err
	}
	lb.IpamPools = in.IpamPools
	return &sdk.ModifyIpPoolsOutput{IpamPools: lb.IpamPools}, nil
}

// checkPools holds that IPAM pools are for the public addresses of application load balancers, and have such addresses. A pool without free
// addresses is none that AWS refuses: it uses addresses of its own then (ALB user guide, "IPAM IP address pools").
func (s *State) checkPools(lb *loadBalancer, pools *elbtypes.IpamPools) error {
	if pools == nil {
		return nil
	}
	if !isApplication(lb) || lb.Scheme != elbtypes.LoadBalancerSchemeEnumInternetFacing {
		return invalid("IPAM pools are only supported for internet-facing application load balancers")
	}
	if lb.IpAddressType == elbtypes.IpAddressTypeDualstackWithoutPublicIpv4 {
		return invalid("IPAM pools are not supported with the IP address type '%s'", lb.IpAddressType)
	}
	id := aws.ToString(pools.Ipv4IpamPoolId)
	if err := checkIdentifier("ipamPools.ipv4IpamPoolId", id, ipamPrefix); err != nil {
		return err
	}
	held, ok := s.network.Pool(id)
	if !ok {
		return invalid("The IPAM pool '%s' does not exist", id)
	}
	if !held.Public {
		return invalid("The IPAM pool '%s' has no public IPv4 addresses of Region '%s'", id, s.account.Region)
	}
	return nil
}

// checkIdentifier demands a prefix and letters or digits after it.
func checkIdentifier(parameter, id, prefix string) error {
	rest, ok := strings.CutPrefix(id, prefix)
	if ok && rest != "" && only(rest, letters+digits) {
		return nil
	}
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy regular expression pattern: ^(%s)[a-zA-Z0-9]+$", id, parameter, prefix)
}

// checkOwnedPool holds that addresses of the customer are for application load balancers on Outposts, and that there are some.
func (s *State) checkOwnedPool(lb *loadBalancer, subnets []ec2types.Subnet) error {
	if lb.CustomerOwnedIpv4Pool == nil {
		return nil
	}
	if err := checkIdentifier("customerOwnedIpv4Pool", *lb.CustomerOwnedIpv4Pool, ownedPrefix); err != nil {
		return err
	}
	if !isApplication(lb) || !onOutpost(subnets) {
		return unfit("A customer-owned address pool can be specified only for application load balancers on Outposts")
	}
	held, ok := s.network.OwnedPool(*lb.CustomerOwnedIpv4Pool)
	if !ok {
		return invalid("The customer-owned address pool '%s' does not exist", *lb.CustomerOwnedIpv4Pool)
	}
	if !held.Free {
		return unfit("The customer-owned address pool '%s' has no free address", *lb.CustomerOwnedIpv4Pool)
	}
	return nil
}

func onOutpost(subnets []ec2types.Subnet) bool {
	return len(subnets) == 1 && subnets[0].OutpostArn != nil
}
