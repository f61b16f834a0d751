package incumbent

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const (
	managedID          = "ManagedLBSecurityGroup"
	managedDescription = "[k8s] Managed SecurityGroup for LoadBalancer"
	backendDescription = "[k8s] Shared Backend SecurityGroup for LoadBalancer"
	balancerID         = "LoadBalancer"
)

// Make makes a stack, in AWS and in the cluster. The Services and the objects that own it are there already.
func (a *Account) Make(ctx context.Context, s *Stack) error {
	security, err := a.secure(ctx, s)
	if err != nil {
		return err
	}
	balancer, err := a.balance(ctx, s, elbtypes.LoadBalancerTypeEnumApplication, security)
	if err != nil {
		return err
	}
	for i := range s.Groups {
		if err := a.makeGroup(ctx, s, &s.Groups[i]); err != nil {
			return err
		}
	}
	for i := range s.Listeners {
		if err := a.makeListener(ctx, s, balancer, &s.Listeners[i]); err != nil {
			return err
		}
	}
	for i := range s.Groups {
		if err := a.bind(ctx, s, &s.Groups[i]); err != nil {
			return err
		}
	}
	if len(s.Frontend) == 0 {
		return nil
	}
	return a.makeFrontend(ctx, s, balancer, security)
}

// Backend is the shared backend security group, made where it is not there.
func (a *Account) Backend(ctx context.Context) (string, error) {
	tags := map[string]string{"elbv2.k8s.aws/cluster": a.Cluster, "elbv2.k8s.aws/resource": "backend-sg"}
	found, err := a.securityGroup(ctx, tags)
	if err != nil || found != nil {
		return aws.ToString(idOf(found)), err
	}
	return a.makeSecurityGroup(ctx, a.backendName(), backendDescription, tags)
}

func idOf(g *ec2types.SecurityGroup) *string {
	if g == nil {
		return nil
	}
	return g.GroupId
}

// securityGroup finds the one with tags, nil where there is none.
func (a *Account) securityGroup(ctx context.Context, tags map[string]string) (*ec2types.SecurityGroup, error) {
	in := &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{a.VPC}}}}
	for k, v := range tags {
		in.Filters = append(in.Filters, ec2types.Filter{Name: aws.String("tag:" + k), Values: []string{v}})
	}
	out, err := a.ec2.DescribeSecurityGroups(ctx, in)
	if err != nil || len(out.SecurityGroups) == 0 {
		return nil, failed(err, "finding a security group")
	}
	return &out.SecurityGroups[0], nil
}

func (a *Account) makeSecurityGroup(ctx context.Context, name, description string, tags map[string]string) (string, error) {
	spec := ec2types.TagSpecification{ResourceType: ec2types.ResourceTypeSecurityGroup}
	for k, v := range tags {
		spec.Tags = append(spec.Tags, ec2types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	out, err := a.ec2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: &name, Description: &description, VpcId: &a.VPC, TagSpecifications: []ec2types.TagSpecification{spec},
	})
	if err != nil {
		return "", failed(err, "making security group %s", name)
	}
	return *out.GroupId, nil
}

// secure gives the security groups of the load balancer: the managed one, which admits the ports, then the shared one.
func (a *Account) secure(ctx context.Context, s *Stack) ([]string, error) {
	if len(s.Custom) > 0 {
		return s.Custom, nil
	}
	managed, err := a.makeSecurityGroup(ctx, a.securityGroupName(s), managedDescription, a.tags(s, managedID, s.Tags))
	if err != nil {
		return nil, err
	}
	_, err = a.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &managed, IpPermissions: s.admitted()})
	if err != nil {
		return nil, failed(err, "authorising the ports of %s", s.id())
	}
	backend, err := a.Backend(ctx)
	return []string{managed, backend}, err
}

// admitted are the permissions of the managed group, one for each port and range.
func (s *Stack) admitted() []ec2types.IpPermission {
	ranges := s.Balancer.Inbound
	if len(ranges) == 0 {
		ranges = []string{"0.0.0.0/0"}
	}
	var out []ec2types.IpPermission
	for _, l := range s.Listeners {
		for _, r := range ranges {
			out = append(out, ec2types.IpPermission{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(l.Port), ToPort: aws.Int32(l.Port), IpRanges: []ec2types.IpRange{{CidrIp: aws.String(r)}},
			})
		}
	}
	return out
}

// balance makes the load balancer, or the one in front of it.
func (a *Account) balance(ctx context.Context, s *Stack, kind elbtypes.LoadBalancerTypeEnum, security []string) (string, error) {
	name, id, scheme := a.balancerName(s), balancerID, s.Balancer.Scheme
	if kind == elbtypes.LoadBalancerTypeEnumNetwork {
		name, id, scheme = a.frontendName(s), frontendID, elbtypes.LoadBalancerSchemeEnumInternal
	}
	in := &elbv2.CreateLoadBalancerInput{
		Name: &name, Type: kind, Scheme: scheme, IpAddressType: elbtypes.IpAddressTypeIpv4, SecurityGroups: security, Tags: elbTags(a.tags(s, id, s.Tags)),
	}
	for _, subnet := range s.Balancer.Subnets {
		in.SubnetMappings = append(in.SubnetMappings, elbtypes.SubnetMapping{SubnetId: aws.String(subnet)})
	}
	out, err := a.elb.CreateLoadBalancer(ctx, in)
	if err != nil {
		return "", failed(err, "making load balancer %s", name)
	}
	arn := *out.LoadBalancers[0].LoadBalancerArn
	if len(s.Balancer.Attributes) == 0 || kind == elbtypes.LoadBalancerTypeEnumNetwork {
		return arn, nil
	}
	set := &elbv2.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &arn}
	for k, v := range s.Balancer.Attributes {
		set.Attributes = append(set.Attributes, elbtypes.LoadBalancerAttribute{Key: aws.String(k), Value: aws.String(v)})
	}
	_, err = a.elb.ModifyLoadBalancerAttributes(ctx, set)
	return arn, failed(err, "setting attributes of %s", name)
}

// Admit writes the one rule on the nodes' group that all bindings together ask for, as the incumbent aggregates them: from the least port
// to the greatest.
func (a *Account) Admit(ctx context.Context, ports ...int32) error {
	backend, err := a.Backend(ctx)
	if err != nil {
		return err
	}
	_, err = a.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &a.Nodes, IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(slices.Min(ports)), ToPort: aws.Int32(slices.Max(ports)),
			UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &backend, Description: aws.String(Mark)}},
		}},
	})
	return failed(err, "admitting traffic to pods")
}

// AdmitRange writes the rules on the nodes' group that bindings ask for from a range of addresses: one for each port.
func (a *Account) AdmitRange(ctx context.Context, cidr string, ports ...int32) error {
	in := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &a.Nodes}
	for _, p := range ports {
		in.IpPermissions = append(in.IpPermissions, ec2types.IpPermission{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(p), ToPort: aws.Int32(p),
			IpRanges: []ec2types.IpRange{{CidrIp: &cidr, Description: aws.String(Mark)}},
		})
	}
	_, err := a.ec2.AuthorizeSecurityGroupIngress(ctx, in)
	return failed(err, "admitting traffic to pods")
}

// Mark is the description of the incumbent's rules on the groups of nodes and pods.
const Mark = "elbv2.k8s.aws/targetGroupBinding=shared"
