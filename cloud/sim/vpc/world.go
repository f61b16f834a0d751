package vpc

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// World names what a seeded network has: one VPC (10.0.0.0/16 and an IPv6 /56) with three public and three private subnets, /20 and /64 each,
// in three zones.
type World struct {
	VPC             string   `json:"vpc"`
	InternetGateway string   `json:"internetGateway"`
	PublicSubnets   []string `json:"publicSubnets"`
	PrivateSubnets  []string `json:"privateSubnets"`
	// NodeSecurityGroup is the group of nodes and pods, tagged kubernetes.io/cluster/NAME: owned.
	NodeSecurityGroup string `json:"nodeSecurityGroup"`
}

// DefaultWorld gives the identifiers that Seed uses.
func DefaultWorld() World {
	w := World{
		VPC: "vpc-0a1b2c3d4e5f60001", InternetGateway: "igw-0a1b2c3d4e5f60001", NodeSecurityGroup: "sg-0a1b2c3d4e5f60001",
	}
	for i := 1; i <= worldZones; i++ {
		w.PublicSubnets = append(w.PublicSubnets, fmt.Sprintf("subnet-0a1b2c3d4e5f6000%d", i))
		w.PrivateSubnets = append(w.PrivateSubnets, fmt.Sprintf("subnet-0a1b2c3d4e5f6001%d", i))
	}
	return w
}

const (
	worldZones   = 3
	worldBits    = 20
	publicStep   = 16  // 10.0.0.0/20, 10.0.16.0/20, 10.0.32.0/20
	privateStart = 128 // 10.0.128.0/20, 10.0.144.0/20, 10.0.160.0/20
)

// Seed makes the default world, for a cluster of the given name.
func (n *Network) Seed(cluster string) World {
	w := DefaultWorld()
	v := n.addVpc(w.VPC, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, 0}), largestBlock))
	v.Ipv6CidrBlockAssociationSet = []ec2types.VpcIpv6CidrBlockAssociation{n.provided(netip.PrefixFrom(worldSix(0), sixBits))}
	n.setTags(w.VPC, map[string]string{"Name": cluster})
	n.addGateway(w.InternetGateway).Attachments = []ec2types.InternetGatewayAttachment{{VpcId: aws.String(w.VPC), State: "available"}}
	public := n.addRouteTable(n.identify("rtb"), v, otherTable)
	public.Routes = append(public.Routes, ec2types.Route{
		DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: aws.String(w.InternetGateway), State: ec2types.RouteStateActive,
		Origin: ec2types.RouteOriginCreateRoute,
	}, ec2types.Route{
		DestinationIpv6CidrBlock: aws.String("::/0"), GatewayId: aws.String(w.InternetGateway), State: ec2types.RouteStateActive,
		Origin: ec2types.RouteOriginCreateRoute,
	})
	private := n.addRouteTable(n.identify("rtb"), v, otherTable)
	for i, z := range n.zones()[:worldZones] {
		n.seedSubnet(seeded{id: w.PublicSubnets[i], third: i * publicStep, zone: z, role: "kubernetes.io/role/elb"}, v, public)
		n.seedSubnet(seeded{id: w.PrivateSubnets[i], third: privateStart + i*publicStep, zone: z, role: "kubernetes.io/role/internal-elb"}, v, private)
	}
	n.addGroup(group{id: w.NodeSecurityGroup, name: cluster + "-nodes", description: "nodes and pods of " + cluster, vpc: w.VPC})
	n.setTags(w.NodeSecurityGroup, map[string]string{"kubernetes.io/cluster/" + cluster: "owned", "Name": cluster + "-nodes"})
	return w
}

// The IPv6 block of the seeded VPC, and the sizes of it and of its subnets (VPC user guide, "IPv6 CIDR blocks").
const (
	sixBits       = 56
	subnetSixBits = 64
)

// worldSix gives the first address of one of the 256 subnets of the seeded IPv6 block.
func worldSix(subnet int) netip.Addr {
	at := netip.MustParseAddr("2600:1f14:1a2b:3c00::").As16()
	at[7] = byte(subnet & math.MaxUint8)
	return netip.AddrFrom16(at)
}

// seeded is a subnet of the world; third is the third number of its block, and the number of the subnet in the IPv6 block.
type seeded struct {
	id    string
	third int
	zone  ec2types.AvailabilityZone
	role  string
}

func (n *Network) seedSubnet(s seeded, v *virtualCloud, routes *ec2types.RouteTable) {
	block := netip.MustParsePrefix("10.0." + strconv.Itoa(s.third) + ".0/" + strconv.Itoa(worldBits))
	made := n.addSubnet(s.id, v, block, s.zone)
	made.Ipv6CidrBlockAssociationSet = []ec2types.SubnetIpv6CidrBlockAssociation{
		n.subnetSix(netip.PrefixFrom(worldSix(s.third), subnetSixBits).String()),
	}
	made.MapPublicIpOnLaunch = aws.Bool(s.role == "kubernetes.io/role/elb")
	routes.Associations = append(routes.Associations, n.routeAssociation(*routes.RouteTableId, made.SubnetId))
	n.setTags(s.id, map[string]string{s.role: "1", "Name": s.id})
}
