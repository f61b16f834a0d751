package elb

import (
	"net/netip"
	"strings"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// dnsName makes the DNS name of a load balancer.
func (s *State) dnsName(lb *loadBalancer) string {
	suffix := ".amazonaws.com"
	if strings.HasPrefix(s.account.Region, "cn-") {
		suffix += ".cn"
	}
	name := *lb.LoadBalancerName
	if !isApplication(lb) {
		return name + "-" + lb.id + ".elb." + s.account.Region + suffix
	}
	if lb.Scheme == elbtypes.LoadBalancerSchemeEnumInternal {
		name = "internal-" + name
	}
	return name + "-" + s.account.Digits(10) + "." + s.account.Region + ".elb" + suffix
}

// takeAddress gives the next loopback address that nobody has. When the pool is used up it starts again at its first.
func (s *State) takeAddress() netip.Addr {
	for range 1 << 16 {
		s.nextAddress = s.nextAddress.Next()
		if !s.options.Addresses.Contains(s.nextAddress) {
			s.nextAddress = s.options.Addresses.Addr().Next()
		}
		if !s.index.addresses[s.nextAddress] {
			break
		}
	}
	return s.nextAddress
}

// hostedZone gives the hosted zone of load balancer names (AWS General Reference, "Elastic Load Balancing endpoints").
func hostedZone(region string, kind elbtypes.LoadBalancerTypeEnum) string {
	zones := map[string][2]string{
		"us-east-1": {"Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"}, "us-east-2": {"Z3AADJGX6KTTL2", "ZLMOA37VPKANP"},
		"us-west-1": {"Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"}, "us-west-2": {"Z1H1FL5HABSF5", "Z18D5FSROUN65G"},
		"af-south-1": {"Z268VQBMOI5EKX", "Z203XCE67M25HM"}, "ap-east-1": {"Z3DQVH9N71FHZ0", "Z12Y7K3UBGUAD1"},
		"ap-south-1": {"ZP97RAFLXTNZK", "ZVDDRBQ08TROA"}, "ap-northeast-1": {"Z14GRHDCWA56QT", "Z31USIVHYNEOWT"},
		"ap-northeast-2": {"ZWKZPGTI48KDX", "ZIBE1TIR4HY56"}, "ap-northeast-3": {"Z5LXEXXYW11ES", "Z1GWIQ4HH19I5X"},
		"ap-southeast-1": {"Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"}, "ap-southeast-2": {"Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"},
		"ca-central-1": {"ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"}, "eu-central-1": {"Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"},
		"eu-north-1": {"Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"}, "eu-south-1": {"Z3ULH7SSC9OV64", "Z23146JA1KNAFP"},
		"eu-west-1": {"Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"}, "eu-west-2": {"ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"},
		"eu-west-3": {"Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"}, "me-south-1": {"ZS929ML54UICD", "Z3QSRYVP46NYYV"},
		"sa-east-1": {"Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"}, "us-gov-east-1": {"Z166TLBEWOO7G0", "Z1ZSMQQ6Q24QQ8"},
		"us-gov-west-1": {"Z33AYJ8TM3BH4J", "ZMG1MZ2THAWF1"}, "cn-north-1": {"Z1GDH35T77C1KE", "Z3QFB96KMJ7ED6"},
		"cn-northwest-1": {"ZM7IZAIOVVDZF", "ZQEIKTCZ8352D"},
	}
	if kind == elbtypes.LoadBalancerTypeEnumApplication {
		return zones[region][0]
	}
	return zones[region][1]
}

// Lend gives a loopback address of the pool to somebody else than a load balancer.
func (s *State) Lend() netip.Addr {
	address := s.takeAddress()
	s.index.addresses[address] = true
	return address
}

// Return takes back an address that was lent.
func (s *State) Return(address netip.Addr) { delete(s.index.addresses, address) }
