package elb

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
	"github.com/headgate/headgate/model/attribute"
)

func (s *State) groupOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateTargetGroup", s.createTargetGroup),
		wire.Reads("DescribeTargetGroups", s.describeTargetGroups),
		wire.Writes("ModifyTargetGroup", s.modifyTargetGroup),
		wire.Writes("DeleteTargetGroup", s.deleteTargetGroup),
	}
}

func (s *State) createTargetGroup(in *sdk.CreateTargetGroupInput) (*sdk.CreateTargetGroupOutput, error) {
	name := aws.ToString(in.Name)
	if err := checkName("target group", name); err != nil {
		return nil, err
	}
	if strings.Contains(name, "--") {
		return nil, invalid("Target group name '%s' cannot contain consecutive hyphens", name)
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	g := newGroup(in)
	if err := s.checkGroup(g); err != nil {
		return nil, err
	}
	if err := fillHealthCheck(g); err != nil {
		return nil, err
	}
	if old := s.index.groups[name]; old != nil {
		return s.createGroupAgain(old, g, tags)
	}
	if s.groups.Len() >= s.options.Quotas.TargetGroups {
		return nil, tooManyGroups()
	}
	if g.Protocol == elbtypes.ProtocolEnumGeneve && s.index.geneve >= geneveGroups {
		return nil, tooManyGroups()
	}
	g.TargetGroupArn = aws.String(s.account.ARN("elasticloadbalancing", "targetgroup/"+name+"/"+s.account.Hex(16)))
	g.attributes = attribute.Defaults(groupAttributes(g))
	s.made++
	g.order = s.made
	s.groups.Put(*g.TargetGroupArn, g)
	s.index.addGroup(g)
	s.setTags(*g.TargetGroupArn, tags)
	return &sdk.CreateTargetGroupOutput{TargetGroups: []elbtypes.TargetGroup{showGroup(g)}}, nil
}

func tooManyGroups() error {
	return wire.Errorf("TooManyTargetGroups", "You've reached the limit on the number of target groups")
}

func newGroup(in *sdk.CreateTargetGroupInput) *targetGroup {
	g := &targetGroup{TargetGroup: elbtypes.TargetGroup{
		TargetGroupName: in.Name, Protocol: in.Protocol, ProtocolVersion: in.ProtocolVersion, Port: in.Port, VpcId: in.VpcId,
		TargetType: in.TargetType, IpAddressType: in.IpAddressType, TargetControlPort: in.TargetControlPort,
		HealthCheckEnabled: in.HealthCheckEnabled, HealthCheckIntervalSeconds: in.HealthCheckIntervalSeconds, HealthCheckPath: in.HealthCheckPath,
		HealthCheckPort: in.HealthCheckPort, HealthCheckProtocol: in.HealthCheckProtocol, HealthCheckTimeoutSeconds: in.HealthCheckTimeoutSeconds,
		HealthyThresholdCount: in.HealthyThresholdCount, UnhealthyThresholdCount: in.UnhealthyThresholdCount, Matcher: in.Matcher,
	}}
	if g.TargetType == "" {
		g.TargetType = elbtypes.TargetTypeEnumInstance
	}
	if g.IpAddressType == "" && !isLambda(g) {
		g.IpAddressType = elbtypes.TargetGroupIpAddressTypeEnumIpv4
	}
	if g.ProtocolVersion == nil && isHTTP(g) {
		g.ProtocolVersion = aws.String("HTTP1")
	}
	return g
}

func isLambda(g *targetGroup) bool { return g.TargetType == elbtypes.TargetTypeEnumLambda }

func isHTTP(g *targetGroup) bool {
	return g.Protocol == elbtypes.ProtocolEnumHttp || g.Protocol == elbtypes.ProtocolEnumHttps
}

func isGRPC(g *targetGroup) bool { return aws.ToString(g.ProtocolVersion) == "GRPC" }

// checkGroup checks everything but the health check.
func (s *State) checkGroup(g *targetGroup) error {
	if isLambda(g) {
		return checkLambda(g)
	}
	if err := s.checkGroupParts(g); err != nil {
		return err
	}
	if err := checkGroupProtocol(g); err != nil {
		return err
	}
	if g.IpAddressType == elbtypes.TargetGroupIpAddressTypeEnumIpv6 && g.TargetType != elbtypes.TargetTypeEnumIp {
		return unfit("IP address type 'ipv6' is supported only for target groups with target type 'ip'")
	}
	if p := g.TargetControlPort; p != nil && (*p < 1 || *p > maxPort || !isHTTP(g) || g.TargetType == elbtypes.TargetTypeEnumAlb) {
		return unfit("A target control port between 1 and %d can be specified for HTTP and HTTPS target groups only", maxPort)
	}
	return nil
}

// checkGroupParts checks what every group but one of lambda must have.
func (s *State) checkGroupParts(g *targetGroup) error {
	switch {
	case g.Protocol == "":
		return invalid("A protocol must be specified")
	case g.Port == nil:
		return invalid("A port must be specified")
	case g.VpcId == nil:
		return invalid("A VPC ID must be specified")
	case !s.network.VPC(*g.VpcId):
		return invalid("The VPC ID '%s' is not found", *g.VpcId)
	default:
		return checkPort("port", *g.Port)
	}
}

func checkLambda(g *targetGroup) error {
	for name, given := range map[string]bool{
		"Protocol": g.Protocol != "", "Port": g.Port != nil, "VPC ID": g.VpcId != nil, "Protocol version": g.ProtocolVersion != nil,
		"IP address type": g.IpAddressType != "", "Target control port": g.TargetControlPort != nil,
	} {
		if given {
			return invalid("%s cannot be specified for target groups with target type 'lambda'", name)
		}
	}
	return nil
}

func checkGroupProtocol(g *targetGroup) error {
	if g.TargetType == elbtypes.TargetTypeEnumAlb && g.Protocol != elbtypes.ProtocolEnumTcp {
		return invalid("Protocol '%s' is not supported with target type 'alb'", g.Protocol)
	}
	if g.Protocol == elbtypes.ProtocolEnumGeneve && *g.Port != genevePort {
		return invalid("Port must be '%d' for target groups with protocol 'GENEVE'", genevePort)
	}
	if g.ProtocolVersion == nil {
		return nil
	}
	if !isHTTP(g) {
		return invalid("Protocol version cannot be specified for target groups with protocol '%s'", g.Protocol)
	}
	if !slices.Contains([]string{"HTTP1", "HTTP2", "GRPC"}, *g.ProtocolVersion) {
		return invalid("Protocol version '%s' must be one of 'HTTP1, HTTP2, GRPC'", *g.ProtocolVersion)
	}
	return nil
}

const genevePort = 6081

func (s *State) createGroupAgain(old, wanted *targetGroup, tags map[string]string) (*sdk.CreateTargetGroupOutput, error) {
	settings := wanted.TargetGroup
	settings.TargetGroupArn = old.TargetGroupArn
	if !reflect.DeepEqual(old.TargetGroup, settings) || !sameTags(s.tags[*old.TargetGroupArn], tags) {
		return nil, wire.Errorf("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", *old.TargetGroupName)
	}
	return &sdk.CreateTargetGroupOutput{TargetGroups: []elbtypes.TargetGroup{showGroup(old)}}, nil
}

// showGroup gives a target group with the load balancer that uses it.
func showGroup(g *targetGroup) elbtypes.TargetGroup {
	out := g.TargetGroup
	out.LoadBalancerArns = []string{}
	if g.balancer != nil {
		out.LoadBalancerArns = []string{*g.balancer.LoadBalancerArn}
	}
	return out
}

// group finds a target group by ARN.
func (s *State) group(arn *string) (*targetGroup, error) {
	if aws.ToString(arn) == "" {
		return nil, invalid("A target group ARN must be specified")
	}
	if !strings.Contains(*arn, ":targetgroup/") {
		return nil, invalid("'%s' is not a valid target group ARN", *arn)
	}
	g, ok := s.groups.Get(*arn)
	if !ok {
		return nil, noTargetGroup(*arn)
	}
	return g, nil
}

func (s *State) describeTargetGroups(in *sdk.DescribeTargetGroupsInput) (*sdk.DescribeTargetGroupsOutput, error) {
	given := 0
	for _, has := range []bool{in.LoadBalancerArn != nil, in.TargetGroupArns != nil, in.Names != nil} {
		if has {
			given++
		}
	}
	if given > 1 {
		return nil, invalid("Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time")
	}
	all, err := s.chooseGroups(in)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(all, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeTargetGroupsOutput{TargetGroups: view(some, showGroup), NextMarker: next}, nil
}

func (s *State) chooseGroups(in *sdk.DescribeTargetGroupsInput) ([]*targetGroup, error) {
	var all []*targetGroup
	switch {
	case in.LoadBalancerArn != nil:
		lb, err := s.balancer(in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		return s.groupsOf(lb), nil
	case in.TargetGroupArns != nil:
		return named(in.TargetGroupArns, s.group)
	case in.Names != nil:
		for _, name := range in.Names {
			g := s.index.groups[name]
			if g == nil {
				return nil, noTargetGroup(name)
			}
			all = append(all, g)
		}
	default:
		all = s.groups.Values()
	}
	return all, nil
}

// groupsOf gives the target groups that a load balancer uses, in the order in which they were made.
func (s *State) groupsOf(lb *loadBalancer) []*targetGroup {
	all := make([]*targetGroup, 0, len(lb.groups))
	for arn := range lb.groups {
		if g, ok := s.groups.Get(arn); ok {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b *targetGroup) int { return cmp.Compare(a.order, b.order) })
	return all
}

// modifyTargetGroup changes the health check, which is all of a target group that can change.
func (s *State) modifyTargetGroup(in *sdk.ModifyTargetGroupInput) (*sdk.ModifyTargetGroupOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	fresh := targetGroup{TargetGroup: g.TargetGroup}
	set(&fresh.HealthCheckEnabled, in.HealthCheckEnabled)
	set(&fresh.HealthCheckIntervalSeconds, in.HealthCheckIntervalSeconds)
	set(&fresh.HealthCheckPath, in.HealthCheckPath)
	set(&fresh.HealthCheckPort, in.HealthCheckPort)
	set(&fresh.HealthCheckTimeoutSeconds, in.HealthCheckTimeoutSeconds)
	set(&fresh.HealthyThresholdCount, in.HealthyThresholdCount)
	set(&fresh.UnhealthyThresholdCount, in.UnhealthyThresholdCount)
	set(&fresh.Matcher, in.Matcher)
	if in.HealthCheckProtocol != "" && in.HealthCheckProtocol != fresh.HealthCheckProtocol {
		if in.Matcher == nil && !checksHTTP(in.HealthCheckProtocol) {
			fresh.Matcher, fresh.HealthCheckPath = nil, in.HealthCheckPath
		}
		fresh.HealthCheckProtocol = in.HealthCheckProtocol
	}
	if err := fillHealthCheck(&fresh); err != nil {
		return nil, err
	}
	g.TargetGroup = fresh.TargetGroup
	return &sdk.ModifyTargetGroupOutput{TargetGroups: []elbtypes.TargetGroup{showGroup(g)}}, nil
}

// set replaces a field if the request has it.
func set[T any](field **T, given *T) {
	if given != nil {
		*field = given
	}
}

func (s *State) deleteTargetGroup(in *sdk.DeleteTargetGroupInput) (*sdk.DeleteTargetGroupOutput, error) {
	arn := aws.ToString(in.TargetGroupArn)
	if !strings.Contains(arn, ":targetgroup/") {
		return nil, invalid("'%s' is not a valid target group ARN", arn)
	}
	g, ok := s.groups.Get(arn)
	if !ok {
		return &sdk.DeleteTargetGroupOutput{}, nil
	}
	if g.balancer != nil {
		return nil, wire.Errorf("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", arn)
	}
	s.groups.Delete(arn)
	s.index.removeGroup(g)
	delete(s.tags, arn)
	return &sdk.DeleteTargetGroupOutput{}, nil
}
