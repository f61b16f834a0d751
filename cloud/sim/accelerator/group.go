package accelerator

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) groupOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateEndpointGroup", n.createGroup), wire.Reads("DescribeEndpointGroup", n.describeGroup),
		wire.Writes("UpdateEndpointGroup", n.updateGroup), wire.Reads("ListEndpointGroups", n.listGroups),
		wire.Writes("DeleteEndpointGroup", n.deleteGroup), wire.Writes("AddEndpoints", n.addEndpoints), wire.Writes("RemoveEndpoints", n.removeEndpoints),
	}
}

// Forms, ranges, defaults and the quota of port overrides (Global Accelerator API reference; developer guide, "Quotas").
var (
	regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	pathForm   = regexp.MustCompile(`^/[-a-zA-Z0-9@:%_+.~#?&/=]{0,254}$`)
)

const (
	maxOverrides      = 10
	defaultInterval   = 30
	fastInterval      = 10
	defaultThreshold  = 3
	maxThreshold      = 10
	fullTraffic       = 100
	defaultHealthPath = "/"
)

func (n *Network) createGroup(in *sdk.CreateEndpointGroupInput) (*sdk.CreateEndpointGroupOutput, error) {
	a, l, err := n.findListener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	before, err := n.made("group ", in.IdempotencyToken)
	if err != nil {
		return nil, err
	}
	if g, ok := l.groups.Get(before); ok {
		return &sdk.CreateEndpointGroupOutput{EndpointGroup: n.showGroup(a, g)}, nil
	}
	region := aws.ToString(in.EndpointGroupRegion)
	if !regionForm.MatchString(region) {
		return nil, invalid("The Region '%s' is not valid.", region)
	}
	for arn, other := range l.groups.All() {
		if *other.shape.EndpointGroupRegion == region {
			return nil, wire.Errorf("EndpointGroupAlreadyExistsException", "The listener has endpoint group %s in Region %s.", arn, region)
		}
	}
	g := &group{shape: gatypes.EndpointGroup{
		EndpointGroupArn: aws.String(*l.shape.ListenerArn + "/endpoint-group/" + n.account.Hex(12)), EndpointGroupRegion: aws.String(region),
		HealthCheckIntervalSeconds: aws.Int32(defaultInterval), ThresholdCount: aws.Int32(defaultThreshold), TrafficDialPercentage: aws.Float32(fullTraffic),
		HealthCheckProtocol: gatypes.HealthCheckProtocolTcp, HealthCheckPort: l.shape.PortRanges[0].FromPort, PortOverrides: []gatypes.PortOverride{},
		EndpointDescriptions: []gatypes.EndpointDescription{},
	}}
	if err := n.setGroup(place{a, l, g}, &sdk.UpdateEndpointGroupInput{
		EndpointConfigurations: in.EndpointConfigurations, HealthCheckIntervalSeconds: in.HealthCheckIntervalSeconds, HealthCheckPath: in.HealthCheckPath,
		HealthCheckPort: in.HealthCheckPort, HealthCheckProtocol: in.HealthCheckProtocol, PortOverrides: in.PortOverrides,
		ThresholdCount: in.ThresholdCount, TrafficDialPercentage: in.TrafficDialPercentage,
	}); err != nil {
		return nil, err
	}
	l.groups.Put(*g.shape.EndpointGroupArn, g)
	n.tokens["group "+*in.IdempotencyToken] = *g.shape.EndpointGroupArn
	return &sdk.CreateEndpointGroupOutput{EndpointGroup: n.showGroup(a, g)}, nil
}

// setGroup checks what a call says of a group and puts it into it; when it is refused, the group stays as it is.
func (n *Network) setGroup(p place, in *sdk.UpdateEndpointGroupInput) error {
	set := p.group.shape
	given(&set.HealthCheckIntervalSeconds, in.HealthCheckIntervalSeconds)
	given(&set.HealthCheckPath, in.HealthCheckPath)
	given(&set.HealthCheckPort, in.HealthCheckPort)
	given(&set.ThresholdCount, in.ThresholdCount)
	given(&set.TrafficDialPercentage, in.TrafficDialPercentage)
	if in.HealthCheckProtocol != "" {
		set.HealthCheckProtocol = in.HealthCheckProtocol
	}
	if in.PortOverrides != nil {
		set.PortOverrides = in.PortOverrides
	}
	if err := checkHealth(&set); err != nil {
		return err
	}
	if err := checkOverrides(p.listener, set.PortOverrides); err != nil {
		return err
	}
	if in.EndpointConfigurations != nil {
		all, err := n.endpoints(&set, nil, in.EndpointConfigurations)
		if err != nil {
			return err
		}
		set.EndpointDescriptions = all
	}
	p.group.shape = set
	n.touch(p.accelerator)
	return nil
}

func given[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

func checkHealth(g *gatypes.EndpointGroup) error {
	if g.HealthCheckProtocol == gatypes.HealthCheckProtocolTcp {
		if g.HealthCheckPath != nil {
			return invalid("A health check path is for the protocols HTTP and HTTPS only.")
		}
	} else if g.HealthCheckPath == nil {
		g.HealthCheckPath = aws.String(defaultHealthPath)
	}
	interval, threshold, port := *g.HealthCheckIntervalSeconds, *g.ThresholdCount, *g.HealthCheckPort
	switch {
	case interval != fastInterval && interval != defaultInterval:
		return invalid("The health check interval must be %d or %d seconds.", fastInterval, defaultInterval)
	case threshold < 1 || threshold > maxThreshold:
		return invalid("The threshold count must be between 1 and %d.", maxThreshold)
	case port < 1 || port > maxPort:
		return invalid("The health check port must be between 1 and %d.", maxPort)
	case *g.TrafficDialPercentage < 0 || *g.TrafficDialPercentage > fullTraffic:
		return invalid("The traffic dial must be between 0 and %d.", fullTraffic)
	case g.HealthCheckPath != nil && !pathForm.MatchString(*g.HealthCheckPath):
		return invalid("The health check path '%s' is not valid.", *g.HealthCheckPath)
	default:
		return nil
	}
}

// checkOverrides demands that an override begins at a port of the listener, each port once.
func checkOverrides(l *listener, all []gatypes.PortOverride) error {
	if len(all) > maxOverrides {
		return limited(maxOverrides, "port overrides of an endpoint group")
	}
	seen := map[int32]bool{}
	for _, o := range all {
		from, to := aws.ToInt32(o.ListenerPort), aws.ToInt32(o.EndpointPort)
		if !overlap(gatypes.PortRange{FromPort: &from, ToPort: &from}, l.shape.PortRanges) || to < 1 || to > maxPort || seen[from] {
			return invalid("The port override from %d to %d is not valid for the listener.", from, to)
		}
		seen[from] = true
	}
	return nil
}

// showGroup gives a group with the health of its endpoints.
func (n *Network) showGroup(a *accelerator, g *group) *gatypes.EndpointGroup {
	shown := g.shape
	shown.EndpointDescriptions = []gatypes.EndpointDescription{}
	for _, e := range g.shape.EndpointDescriptions {
		switch {
		case !n.exists(*e.EndpointId):
			e.HealthState = gatypes.HealthStateUnhealthy
		case n.deployed(a):
			e.HealthState = gatypes.HealthStateHealthy
		default:
			e.HealthState = gatypes.HealthStateInitial
		}
		shown.EndpointDescriptions = append(shown.EndpointDescriptions, e)
	}
	return &shown
}

func (n *Network) describeGroup(in *sdk.DescribeEndpointGroupInput) (*sdk.DescribeEndpointGroupOutput, error) {
	p, err := n.findGroup(in.EndpointGroupArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeEndpointGroupOutput{EndpointGroup: n.showGroup(p.accelerator, p.group)}, nil
}

func (n *Network) updateGroup(in *sdk.UpdateEndpointGroupInput) (*sdk.UpdateEndpointGroupOutput, error) {
	p, err := n.findGroup(in.EndpointGroupArn)
	if err != nil {
		return nil, err
	}
	if err := n.setGroup(p, in); err != nil {
		return nil, err
	}
	return &sdk.UpdateEndpointGroupOutput{EndpointGroup: n.showGroup(p.accelerator, p.group)}, nil
}

func (n *Network) listGroups(in *sdk.ListEndpointGroupsInput) (*sdk.ListEndpointGroupsOutput, error) {
	a, l, err := n.findListener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	page, next, err := cut(l.groups.Values(), in.MaxResults, in.NextToken)
	out := &sdk.ListEndpointGroupsOutput{NextToken: next, EndpointGroups: []gatypes.EndpointGroup{}}
	for _, g := range page {
		out.EndpointGroups = append(out.EndpointGroups, *n.showGroup(a, g))
	}
	return out, err
}

func (n *Network) deleteGroup(in *sdk.DeleteEndpointGroupInput) (*sdk.DeleteEndpointGroupOutput, error) {
	p, err := n.findGroup(in.EndpointGroupArn)
	if err != nil {
		return nil, err
	}
	p.listener.groups.Delete(*p.group.shape.EndpointGroupArn)
	n.touch(p.accelerator)
	return &sdk.DeleteEndpointGroupOutput{}, nil
}
