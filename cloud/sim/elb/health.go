package elb

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func (s *State) describeTargetHealth(in *sdk.DescribeTargetHealthInput) (*sdk.DescribeTargetHealthOutput, error) {
	g, err := s.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	s.dropDrained(g)
	for _, d := range in.Targets {
		if err := checkKind(g, d); err != nil {
			return nil, err
		}
	}
	probed := s.probed(g)
	out := &sdk.DescribeTargetHealthOutput{TargetHealthDescriptions: []elbtypes.TargetHealthDescription{}}
	described := func(t *target) elbtypes.TargetHealthDescription {
		d := s.describeTarget(g, t, probed)
		if len(in.Include) > 0 && isHTTP(g) {
			d.AnomalyDetection = anomaly(probed[g.name(t.TargetDescription)])
		}
		return d
	}
	if in.Targets == nil {
		for _, t := range g.targets.All() {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, described(t))
		}
		return out, nil
	}
	for _, d := range in.Targets {
		if t, ok := g.targets.Get(g.name(d).key()); ok {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, described(t))
			continue
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, elbtypes.TargetHealthDescription{
			Target: &d, TargetHealth: unused(elbtypes.TargetHealthReasonEnumNotRegistered, "Target is not registered to the target group"),
		})
	}
	return out, nil
}

// anomaly gives what a data plane found out; where none looks, targets are normal.
func anomaly(h Health) *elbtypes.AnomalyDetection {
	if h.Anomaly.Result == "" {
		return &elbtypes.AnomalyDetection{Result: elbtypes.AnomalyResultEnumNormal, MitigationInEffect: elbtypes.MitigationInEffectEnumNo}
	}
	return &h.Anomaly
}

// probed gives what the data plane knows of the targets of a group; nil means that no data plane probes them.
func (s *State) probed(g *targetGroup) map[Target]Health {
	if s.options.Health == nil || g.balancer == nil || isGateway(g.balancer) {
		return nil
	}
	known, ok := s.options.Health(*g.TargetGroupArn)
	if !ok {
		return map[Target]Health{}
	}
	return known
}

func (s *State) describeTarget(g *targetGroup, t *target, probed map[Target]Health) elbtypes.TargetHealthDescription {
	d := t.TargetDescription
	out := elbtypes.TargetHealthDescription{Target: &d, TargetHealth: s.targetHealth(g, t, probed)}
	if port := aws.ToString(g.HealthCheckPort); port != "" {
		if port == trafficPort {
			port = strconv.Itoa(g.name(d).Port)
		}
		out.HealthCheckPort = aws.String(port)
	}
	if g.balancer != nil && g.balancer.attributes["zonal_shift.config.enabled"] == "true" {
		out.AdministrativeOverride = &elbtypes.AdministrativeOverride{
			State: elbtypes.TargetAdministrativeOverrideStateEnumNoOverride, Reason: elbtypes.TargetAdministrativeOverrideReasonEnumNoOverrideEngaged,
			Description: aws.String("No override is currently active on target"),
		}
	}
	return out
}

func unused(reason elbtypes.TargetHealthReasonEnum, description string) *elbtypes.TargetHealth {
	return &elbtypes.TargetHealth{State: elbtypes.TargetHealthStateEnumUnused, Reason: reason, Description: aws.String(description)}
}

func initial() *elbtypes.TargetHealth {
	return &elbtypes.TargetHealth{
		State: elbtypes.TargetHealthStateEnumInitial, Reason: elbtypes.TargetHealthReasonEnumInitialHealthChecking,
		Description: aws.String("Initial health checks in progress"),
	}
}

// targetHealth gives the state of a target. What the control plane knows goes before what a probe found.
func (s *State) targetHealth(g *targetGroup, t *target, probed map[Target]Health) *elbtypes.TargetHealth {
	if !t.gone.IsZero() {
		return &elbtypes.TargetHealth{
			State: elbtypes.TargetHealthStateEnumDraining, Reason: elbtypes.TargetHealthReasonEnumDeregistrationInProgress,
			Description: aws.String("Target deregistration is in progress"),
		}
	}
	if g.balancer == nil {
		return unused(elbtypes.TargetHealthReasonEnumNotInUse, "Target group is not configured to receive traffic from the load balancer")
	}
	if h := s.unusable(g, t); h != nil {
		return h
	}
	if !aws.ToBool(g.HealthCheckEnabled) {
		return &elbtypes.TargetHealth{
			State: elbtypes.TargetHealthStateEnumUnavailable, Reason: elbtypes.TargetHealthReasonEnumHealthCheckDisabled,
			Description: aws.String("Health checks are disabled"),
		}
	}
	if probed != nil {
		if h, ok := probed[g.name(t.TargetDescription)]; ok {
			return &h.TargetHealth
		}
		return initial()
	}
	since := later(t.registered, g.used)
	if s.now().Before(since.Add(s.account.Scale(s.options.Check))) {
		return initial()
	}
	return &elbtypes.TargetHealth{State: elbtypes.TargetHealthStateEnumHealthy}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// unusable gives the state of a target that gets no traffic for what it is: stopped, of a foreign zone, owned by a load balancer.
func (s *State) unusable(g *targetGroup, t *target) *elbtypes.TargetHealth {
	zone := aws.ToString(t.AvailabilityZone)
	switch g.TargetType {
	case elbtypes.TargetTypeEnumInstance:
		i, ok := s.network.Instance(*t.Id)
		if !ok || i.State.Name != ec2types.InstanceStateNameRunning {
			return unused(elbtypes.TargetHealthReasonEnumInvalidState, "Target is in the terminated state")
		}
		if i.Placement != nil {
			zone = aws.ToString(i.Placement.AvailabilityZone)
		}
	case elbtypes.TargetTypeEnumIp:
		a, err := netip.ParseAddr(*t.Id)
		if err == nil && s.network.OwnedByLoadBalancer(*g.VpcId, a) {
			return unused(elbtypes.TargetHealthReasonEnumIpUnusable, "The IP address cannot be used as a target, as it is in use by a load balancer")
		}
	default:
		return nil
	}
	if zone == "" || zone == allZones {
		return nil
	}
	for _, z := range g.balancer.AvailabilityZones {
		if aws.ToString(z.ZoneName) == zone {
			return nil
		}
	}
	return unused(elbtypes.TargetHealthReasonEnumNotInUse, "Target is in an Availability Zone that is not enabled for the load balancer")
}
