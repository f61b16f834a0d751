package elb

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) targetOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("RegisterTargets", s.registerTargets),
		wire.Writes("DeregisterTargets", s.deregisterTargets),
		wire.Reads("DescribeTargetHealth", s.describeTargetHealth),
	}
}

// allZones is the zone of targets that get traffic from everywhere.
const allZones = "all"

func badTarget(format string, args ...any) error {
	return wire.Errorf("InvalidTarget", format, args...)
}

func (t Target) key() string { return t.ID + " " + strconv.Itoa(t.Port) }

// name gives the identity of a target: its port is that of the group unless it says otherwise.
func (g *targetGroup) name(d elbtypes.TargetDescription) Target {
	return Target{ID: aws.ToString(d.Id), Port: int(g.port(d))}
}

func (g *targetGroup) port(d elbtypes.TargetDescription) int32 {
	if d.Port != nil {
		return *d.Port
	}
	return aws.ToInt32(g.Port)
}

func (s *State) registerTargets(in *sdk.RegisterTargetsInput) (*sdk.RegisterTargetsOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.Targets) == 0 {
		return nil, invalid("At least one target must be specified")
	}
	s.dropDrained(g)
	fresh := make([]elbtypes.TargetDescription, 0, len(in.Targets))
	for _, d := range in.Targets {
		read, err := s.readTarget(g, d)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, read)
	}
	if err := s.checkTargetRoom(g, fresh); err != nil {
		return nil, err
	}
	for _, d := range fresh {
		key := g.name(d).key()
		held, ok := g.targets.Get(key)
		if ok && held.gone.IsZero() {
			continue
		}
		// Registering a target that drains takes it back.
		g.targets.Put(key, &target{TargetDescription: d, registered: s.now()})
		s.index.addTarget(g, *d.Id)
	}
	return &sdk.RegisterTargetsOutput{}, nil
}

// readTarget checks a target and fills in its port and zone.
func (s *State) readTarget(g *targetGroup, d elbtypes.TargetDescription) (elbtypes.TargetDescription, error) {
	if aws.ToString(d.Id) == "" {
		return d, invalid("A target ID must be specified")
	}
	if isLambda(g) {
		return d, checkFunction(d)
	}
	d.Port = aws.Int32(g.port(d))
	if err := checkPort("targets.1.member.port", *d.Port); err != nil {
		return d, err
	}
	if err := checkQUIC(g, d); err != nil {
		return d, err
	}
	switch g.TargetType {
	case elbtypes.TargetTypeEnumIp:
		return s.readAddress(g, d)
	case elbtypes.TargetTypeEnumAlb:
		return d, s.checkBalancerTarget(g, d)
	default:
		return d, s.checkInstance(g, d)
	}
}

// function is the ARN of a Lambda function, or of a version or an alias of one.
var function = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?$`)

func checkFunction(d elbtypes.TargetDescription) error {
	if d.Port != nil || !function.MatchString(*d.Id) {
		return badTarget("'%s' is not a valid target for target type 'lambda'", *d.Id)
	}
	if zone := aws.ToString(d.AvailabilityZone); zone != "" && zone != allZones {
		return invalid("The Availability Zone of targets of type 'lambda' must be '%s'", allZones)
	}
	if d.QuicServerId != nil {
		return invalid("A QUIC server ID cannot be specified for targets of type 'lambda'")
	}
	return nil
}

// checkKind demands an identifier of the kind that the group takes, of a target that need not be registered.
func checkKind(g *targetGroup, d elbtypes.TargetDescription) error {
	id := aws.ToString(d.Id)
	if id == "" {
		return invalid("A target ID must be specified")
	}
	_, err := netip.ParseAddr(id)
	fits := map[elbtypes.TargetTypeEnum]bool{
		elbtypes.TargetTypeEnumIp: err == nil, elbtypes.TargetTypeEnumInstance: strings.HasPrefix(id, "i-"),
		elbtypes.TargetTypeEnumAlb: strings.Contains(id, ":loadbalancer/app/"), elbtypes.TargetTypeEnumLambda: strings.Contains(id, ":lambda:"),
	}
	if !fits[g.TargetType] {
		return badTarget("The target '%s' is not valid for target groups with target type '%s'", id, g.TargetType)
	}
	return nil
}

func checkQUIC(g *targetGroup, d elbtypes.TargetDescription) error {
	quic := isQUIC(g.Protocol)
	id := aws.ToString(d.QuicServerId)
	if !quic && id != "" {
		return invalid("A QUIC server ID cannot be specified for target groups with protocol '%s'", g.Protocol)
	}
	const idDigits = 16
	digits, prefixed := strings.CutPrefix(id, "0x")
	if quic && (!prefixed || len(digits) != idDigits || !only(digits, "0123456789abcdef")) {
		return invalid("The QUIC server ID '%s' must be 0x and %d hexadecimal digits", id, idDigits)
	}
	if quic {
		return checkServerID(g, d)
	}
	return nil
}

// checkServerID holds that each target keeps its QUIC server ID, which no other one has.
func checkServerID(g *targetGroup, d elbtypes.TargetDescription) error {
	for _, t := range g.targets.All() {
		if same := g.name(t.TargetDescription) == g.name(d); t.gone.IsZero() && same != (aws.ToString(t.QuicServerId) == *d.QuicServerId) {
			return invalid("The QUIC server ID '%s' is used by another target, or the target has another one", *d.QuicServerId)
		}
	}
	return nil
}

func (s *State) checkInstance(g *targetGroup, d elbtypes.TargetDescription) error {
	if d.AvailabilityZone != nil {
		return invalid("You cannot specify an Availability Zone for targets of type '%s'", g.TargetType)
	}
	i, ok := s.network.Instance(*d.Id)
	if !ok {
		return badTarget("The following targets do not exist: '%s'", *d.Id)
	}
	if i.State.Name != ec2types.InstanceStateNameRunning {
		return badTarget("The following targets are not in a running state and cannot be registered: '%s'", *d.Id)
	}
	if *i.VpcId != *g.VpcId {
		return badTarget("The following targets are not in the target group VPC '%s': '%s'", *g.VpcId, *d.Id)
	}
	return nil
}

func (s *State) checkBalancerTarget(g *targetGroup, d elbtypes.TargetDescription) error {
	lb, ok := s.balancers.Get(*d.Id)
	if !ok || !isApplication(lb) || *lb.VpcId != *g.VpcId {
		return badTarget("'%s' is not an application load balancer in the target group VPC", *d.Id)
	}
	if lb.onPort(*d.Port) == nil {
		return badTarget("The load balancer '%s' has no listener on port '%d'", *d.Id, *d.Port)
	}
	if d.AvailabilityZone != nil {
		return invalid("You cannot specify an Availability Zone for targets of type 'alb'")
	}
	return nil
}

// readAddress checks an IP target: an address of the VPC, which has a zone of its own, or a private one outside of it with zone "all".
func (s *State) readAddress(g *targetGroup, d elbtypes.TargetDescription) (elbtypes.TargetDescription, error) {
	a, err := netip.ParseAddr(*d.Id)
	if err != nil {
		return d, invalid("The IP address '%s' is not a valid IP address", *d.Id)
	}
	if wantsSix := g.IpAddressType == elbtypes.TargetGroupIpAddressTypeEnumIpv6; a.Is6() != wantsSix {
		return d, invalid("The IP address '%s' is not a valid %s address", *d.Id, g.IpAddressType)
	}
	if a.IsLoopback() {
		if !s.options.AllowLoopbackTargets {
			return d, outside(*d.Id)
		}
		if d.AvailabilityZone == nil {
			d.AvailabilityZone = aws.String(allZones)
		}
		return d, nil
	}
	zone, inside := s.network.ZoneOf(*g.VpcId, a)
	if inside {
		if given := aws.ToString(d.AvailabilityZone); given != "" && given != zone && given != allZones {
			return d, invalid("The IP address '%s' is not in Availability Zone '%s'", *d.Id, given)
		}
		if d.AvailabilityZone == nil && zone != "" {
			d.AvailabilityZone = aws.String(zone)
		}
		return d, nil
	}
	if shared := netip.MustParsePrefix("100.64.0.0/10"); !a.IsPrivate() && !shared.Contains(a) {
		return d, outside(*d.Id)
	}
	return d, s.checkOutsideZone(g, d)
}

// checkOutsideZone demands a zone of the VPC, or all, for an address outside of it.
func (s *State) checkOutsideZone(g *targetGroup, d elbtypes.TargetDescription) error {
	if d.AvailabilityZone == nil {
		return invalid("You must specify an Availability Zone for IP address '%s', which is not within the VPC", *d.Id)
	}
	if zone := *d.AvailabilityZone; zone != allZones && !s.network.HasZone(*g.VpcId, zone) {
		return invalid("The Availability Zone '%s' is not one of the VPC", zone)
	}
	return nil
}

func outside(address string) error {
	return invalid("The IP address '%s' is not within the VPC", address)
}

func (s *State) deregisterTargets(in *sdk.DeregisterTargetsInput) (*sdk.DeregisterTargetsOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	if len(in.Targets) == 0 {
		return nil, invalid("At least one target must be specified")
	}
	for _, d := range in.Targets {
		if err := checkKind(g, d); err != nil {
			return nil, err
		}
	}
	for _, d := range in.Targets {
		key := g.name(d).key()
		held, ok := g.targets.Get(key)
		if !ok || !held.gone.IsZero() {
			continue
		}
		drained := *held
		drained.gone = s.now().Add(s.drainTime(g))
		g.targets.Put(key, &drained)
		s.index.draining[g] = true
	}
	s.dropDrained(g)
	return &sdk.DeregisterTargetsOutput{}, nil
}

// drainTime is how long a target of a group drains. Where no traffic can be, there is nothing to drain.
func (s *State) drainTime(g *targetGroup) time.Duration {
	seconds, err := strconv.Atoi(g.attributes["deregistration_delay.timeout_seconds"])
	if g.balancer == nil || err != nil {
		return 0
	}
	return s.account.Scale(time.Duration(seconds) * time.Second)
}

// dropDrained forgets the targets whose draining is over.
func (s *State) dropDrained(g *targetGroup) {
	if !s.index.draining[g] {
		return
	}
	left := false
	for _, t := range g.targets.Values() {
		switch {
		case t.gone.IsZero():
		case g.balancer == nil || !s.now().Before(t.gone):
			g.targets.Delete(g.name(t.TargetDescription).key())
			s.index.removeTarget(g, *t.Id)
		default:
			left = true
		}
	}
	if !left {
		delete(s.index.draining, g)
	}
}
