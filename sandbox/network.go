package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/sandbox/pods"
)

// gatewayModule is where the definitions of the Gateway API come from.
const gatewayModule = "sigs.k8s.io/gateway-api"

// ErrLowPorts says that this machine lets nobody but root listen on the ports of load balancers.
var ErrLowPorts = errors.New("ports below 1024 are closed to this user: choose a port offset, such as 8000")

// ErrNoLoopback says that this machine has no loopback addresses for load balancers.
var ErrNoLoopback = errors.New("this machine has only 127.0.0.1 for loopback: add the addresses 127.77.0.0/16 to its loopback device")

// gatewayDefinitions is the directory of the standard channel's CRDs, of the version that the checkout
// requires.
func gatewayDefinitions(ctx context.Context, root string) (string, error) {
	command := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", gatewayModule)
	command.Dir = root
	dir, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("finding the Gateway API's definitions: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(dir)), "config", "crd", "standard"), nil
}

// CheckPorts tries to listen as a load balancer would, and may fail with ErrLowPorts or ErrNoLoopback: finding out later would leave one that says active and
// answers nobody.
func CheckPorts(ctx context.Context, offset int) error {
	address := net.JoinHostPort("127.77.255.254", strconv.Itoa(80+offset))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listening on %s: %w", address, ErrLowPorts)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listening on %s: %w", address, ErrNoLoopback)
	case err != nil:
		return fmt.Errorf("trying whether load balancers can listen: %w", err)
	}
	if err := listener.Close(); err != nil {
		return fmt.Errorf("closing the listener that was tried: %w", err)
	}
	return nil
}

// nodeHost and podBlock divide a private subnet: its first addresses are for interfaces of AWS and the node,
// the second half of it for pods.
const (
	nodeHost = uint32(10)
	podBits  = 1 // the block is half of the subnet
)

// launch starts an instance in each private subnet that has none yet, and describes them as nodes.
func launch(ctx context.Context, simulator *sim.Simulator) ([]pods.Node, error) {
	world, client := simulator.World(), ec2.NewFromConfig(simulator.AWSConfig())
	subnets, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: world.PrivateSubnets})
	if err != nil {
		return nil, fmt.Errorf("describing the subnets: %w", err)
	}
	running, err := instances(ctx, client)
	if err != nil {
		return nil, err
	}
	var nodes []pods.Node
	for _, subnet := range subnets.Subnets {
		node, err := describe(subnet)
		if err != nil {
			return nil, err
		}
		if node.Instance = running[node.Address.String()]; node.Instance != "" {
			nodes = append(nodes, node)
			continue
		}
		made, err := client.RunInstances(ctx, &ec2.RunInstancesInput{
			MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SubnetId: subnet.SubnetId, InstanceType: ec2types.InstanceTypeM5Large,
			ImageId: aws.String("ami-00000000000000000"), PrivateIpAddress: aws.String(node.Address.String()),
			SecurityGroupIds: []string{world.NodeSecurityGroup},
		})
		if err != nil {
			return nil, fmt.Errorf("launching an instance in %s: %w", aws.ToString(subnet.SubnetId), err)
		}
		node.Instance = aws.ToString(made.Instances[0].InstanceId)
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// instances that run, by their private addresses.
func instances(ctx context.Context, client *ec2.Client) (map[string]string, error) {
	described, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	if err != nil {
		return nil, fmt.Errorf("describing the instances: %w", err)
	}
	running := map[string]string{}
	for _, reservation := range described.Reservations {
		for _, one := range reservation.Instances {
			if one.State == nil || one.State.Name != ec2types.InstanceStateNameTerminated {
				running[aws.ToString(one.PrivateIpAddress)] = aws.ToString(one.InstanceId)
			}
		}
	}
	return running, nil
}

func describe(subnet ec2types.Subnet) (pods.Node, error) {
	block, err := netip.ParsePrefix(aws.ToString(subnet.CidrBlock))
	if err != nil || !block.Addr().Is4() {
		return pods.Node{}, fmt.Errorf("the block of subnet %s is %q: %w", aws.ToString(subnet.SubnetId), aws.ToString(subnet.CidrBlock), err)
	}
	zone := aws.ToString(subnet.AvailabilityZone)
	address := offset(block.Masked().Addr(), nodeHost)
	half := offset(block.Masked().Addr(), uint32(1)<<(block.Addr().BitLen()-block.Bits()-podBits))
	return pods.Node{
		Name: "ip-" + strings.ReplaceAll(address.String(), ".", "-") + "." + zone[:len(zone)-1] + ".compute.internal",
		Zone: zone, Region: zone[:len(zone)-1], Address: address, Pods: netip.PrefixFrom(half, block.Bits()+podBits),
	}, nil
}

// offset adds to an IPv4 address.
func offset(address netip.Addr, by uint32) netip.Addr {
	bytes := address.As4()
	binary.BigEndian.PutUint32(bytes[:], binary.BigEndian.Uint32(bytes[:])+by)
	return netip.AddrFrom4(bytes)
}

// network tells the simulator of pods.
type network struct{ simulator *sim.Simulator }

// Reach changes the simulator's table of addresses.
func (n network) Reach(_ context.Context, targets map[string]*string) error {
	if err := n.simulator.SetAddresses(targets); err != nil {
		return fmt.Errorf("telling the simulator where pods are: %w", err)
	}
	return nil
}

// podInterface is the interface that holds the addresses of a node's pods.
func podInterface(node pods.Node) string { return "eni-" + strings.TrimPrefix(node.Instance, "i-") }

// Attach keeps the pods' addresses on one interface of their node's, as the VPC's network plugin does.
func (n network) Attach(_ context.Context, node pods.Node, addresses []netip.Addr) error {
	id := podInterface(node)
	if len(addresses) == 0 {
		n.simulator.RemoveNetworkInterface(id)
		return nil
	}
	described := sim.Interface{
		ID: id, Instance: node.Instance, SecurityGroups: []string{n.simulator.World().NodeSecurityGroup}, Description: "aws-K8S-" + node.Instance,
	}
	for _, address := range addresses {
		described.Addresses = append(described.Addresses, address.String())
	}
	if _, err := n.simulator.AddNetworkInterface(described); err != nil {
		return fmt.Errorf("telling the simulator which pods node %s has: %w", node.Name, err)
	}
	return nil
}
