package vpc

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Network holds all EC2 resources of the account.
type Network struct {
	account *account.Account
	// Quotas may be changed before the first call.
	Quotas Quotas

	vpcs         table.Table[*virtualCloud]
	subnets      table.Table[*subnet]
	routes       table.Table[*ec2types.RouteTable]
	gateways     table.Table[*ec2types.InternetGateway]
	groups       table.Table[*group]
	interfaces   table.Table[*networkInterface]
	instances    table.Table[*ec2types.Instance]
	addresses    table.Table[*ec2types.Address]
	prefixLists  table.Table[*prefixList]
	peerings     table.Table[*peering]
	associations []groupAssociation
	coipPools    table.Table[*ec2types.CoipPool]
	ipams        table.Table[*ec2types.Ipam]
	scopes       table.Table[*ec2types.IpamScope]
	pools        table.Table[*pool]
	// tokens are the calls that were made with a client token.
	tokens map[string]done
	// used says which interface has a private address of a VPC.
	used map[place]string
	// optedIn says that the local zone may be used.
	optedIn bool
	// leaving are the interfaces that have a time to go.
	leaving map[string]*networkInterface
	tags    map[string]map[string]string
}

// place is an address in a VPC.
type place struct {
	vpc     string
	address netip.Addr
}

// Quotas are the limits of EC2 (VPC quotas page).
type Quotas struct {
	// GroupsPerRegion is the number of security groups.
	GroupsPerRegion int
	// RulesPerGroup is the number of rules in each direction for each of IPv4 and IPv6.
	RulesPerGroup int
	// GroupsPerInterface is the number of security groups of one network interface.
	GroupsPerInterface int
	// Addresses is the number of Elastic IP addresses in the region.
	Addresses int
	// PrefixLists is the number of prefix lists of the account's own in the region.
	PrefixLists int
	// TagsPerResource is the number of tags of one resource.
	TagsPerResource int
}

// Over gives other quotas with what these say instead; a zero field says nothing.
func (q Quotas) Over(other Quotas) Quotas {
	return Quotas{
		GroupsPerRegion: cmp.Or(q.GroupsPerRegion, other.GroupsPerRegion), RulesPerGroup: cmp.Or(q.RulesPerGroup, other.RulesPerGroup),
		GroupsPerInterface: cmp.Or(q.GroupsPerInterface, other.GroupsPerInterface), Addresses: cmp.Or(q.Addresses, other.Addresses),
		PrefixLists: cmp.Or(q.PrefixLists, other.PrefixLists), TagsPerResource: cmp.Or(q.TagsPerResource, other.TagsPerResource),
	}
}

// New makes a network in which there is only what AWS owns.
func New(a *account.Account) *Network {
	n := &Network{
		account: a,
		Quotas:  Quotas{GroupsPerRegion: 2500, RulesPerGroup: 60, GroupsPerInterface: 5, Addresses: 5, PrefixLists: 100, TagsPerResource: 50},
		used:    map[place]string{},
		tags:    map[string]map[string]string{},
		tokens:  map[string]done{},
		leaving: map[string]*networkInterface{},
	}
	n.seedLists()
	return n
}

// Service gives the EC2 API.
func (n *Network) Service() wire.Service {
	return wire.Service{
		Name: "ec2", Target: "2016-11-15",
		Protocol: wire.NewEC2("http://ec2.amazonaws.com/doc/2016-11-15/"),
		Operations: wire.Table(slices.Concat(
			n.cloudOperations(), n.subnetOperations(), n.routeOperations(), n.gatewayOperations(), n.groupOperations(),
			n.permissionOperations(), n.tagOperations(), n.interfaceOperations(), n.instanceOperations(), n.addressOperations(),
			n.lifecycleOperations(), n.attachmentOperations(), n.subnetSixOperations(),
			n.prefixListOperations(), n.peeringOperations(), n.referenceOperations(),
			n.coipOperations(), n.regionOperations(), n.ipamOperations(),
		)...),
	}
}

// identify gives a new identifier such as subnet-0123456789abcdef0.
func (n *Network) identify(prefix string) string { return prefix + "-" + n.account.Hex(idDigits) }

const idDigits = 17

func (n *Network) now() time.Time { return n.account.Now() }

// tagList gives the tags of a resource, sorted by key.
func (n *Network) tagList(id string) []ec2types.Tag {
	list := make([]ec2types.Tag, 0, len(n.tags[id]))
	for k, v := range n.tags[id] {
		list = append(list, ec2types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	slices.SortFunc(list, func(a, b ec2types.Tag) int { return cmp.Compare(*a.Key, *b.Key) })
	return list
}

func missing(parameter string) error {
	return wire.Errorf("MissingParameter", "The request must contain the parameter %s", parameter)
}

// malformedID checks the form of an identifier: a prefix and hexadecimal digits.
func malformedID(id, prefix string) bool {
	rest, ok := strings.CutPrefix(id, prefix+"-")
	return !ok || rest == "" || strings.Trim(rest, "0123456789abcdef") != ""
}
