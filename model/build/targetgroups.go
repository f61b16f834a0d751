package build

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Values of target groups (ELBv2 API).
const (
	versionHTTP1 = "HTTP1"
	versionHTTP2 = "HTTP2"
	versionGRPC  = "GRPC"
	targetIP     = "ip"
	targetNode   = "instance"
	trafficPort  = "traffic-port"
	grpcPath     = "/AWS.ALB/healthcheck"
)

// groupShape is what AWS refuses to modify in a target group.
type groupShape struct {
	targetType, protocol, version, family string
	controlPort                           int
}

// group is the target group of a Service port, made when it is first asked for; nil where it cannot be made, which is told.
func (b *builder) group(at place, s *intent.Service) *model.TargetGroup {
	id := b.groupID(s)
	if g, known := b.groups[id]; known && g != nil {
		return g
	}
	b.groups[id] = nil
	shape := groupShape{
		targetType: or(s.Group.TargetType, b.in.Defaults.TargetType), protocol: or(s.Group.Protocol, protocolHTTP),
		version: or(s.Group.ProtocolVersion, versionHTTP1), family: or(s.Group.IPAddressType, familyOf(s)), controlPort: s.Group.ControlPort,
	}
	if !b.supported(at, s, shape) {
		return nil
	}
	if problem := groupNameProblem(s.Group.Name); problem != "" {
		b.wrong(groupPlace(at, s, "name"), "InvalidValue", "the target group name %q %s", s.Group.Name, problem)
		return nil
	}
	attributes, ok := b.attributesOfGroup(at, s, shape)
	if !ok {
		return nil
	}
	g := &model.TargetGroup{
		ID: id, Name: or(s.Group.Name, targetGroupName(b.in, s, shape)), TargetType: shape.targetType, Protocol: shape.protocol,
		ProtocolVersion: shape.version, Port: portOf(s, shape), VPC: b.facts.VPC.ID, IPAddressType: shape.family, ControlPort: shape.controlPort,
		HealthCheck: b.healthCheck(s.Group.HealthCheck, shape), Attributes: attributes,
		Tags: b.tags(id, b.usableTags(s.Group.Tags, groupPlace(at, s, "tags"))),
		Backend: model.Backend{
			Namespace: s.Namespace, Service: s.Name, Port: s.Port, Nodes: b.nodes(at, s, shape), MultiCluster: s.Group.MultiCluster,
		},
	}
	if g.Port < 1 || g.Port > 65535 {
		g.Port = 1
	}
	g.Backend.Network = admission(g, s)
	if field, problem := healthProblem(g); problem != "" {
		b.wrong(groupPlace(at, s, field), "InvalidHealthCheck", "%s", problem)
		return nil
	}
	b.groups[id] = g
	return g
}

const typeIPv6 = "ipv6"

// familyOf is the first address family of a Service.
func familyOf(s *intent.Service) string {
	if s.IPv6 {
		return typeIPv6
	}
	return typeIPv4
}

// groupPlace is where a setting of a target group was written.
func groupPlace(at place, s *intent.Service, field string) place {
	if name := s.Group.Fields[field]; name != "" {
		field = name
	}
	return place{at.object, field}
}

func (b *builder) supported(at place, s *intent.Service, shape groupShape) bool {
	if field, problem := targetsProblem(s, shape); problem != "" {
		b.wrong(groupPlace(at, s, field), "InvalidTargets", "%s", problem)
		return false
	}
	switch {
	case shape.targetType == targetNode && s.NodePort == 0:
		b.noNodePort(at, s)
		return false
	case shape.targetType != targetIP && shape.targetType != targetNode:
		b.wrong(groupPlace(at, s, "targetType"), "InvalidValue", "%q is none of the target types ip, instance", shape.targetType)
	case shape.protocol != protocolHTTP && shape.protocol != protocolHTTPS:
		b.wrong(groupPlace(at, s, "protocol"), "InvalidValue", "%q is none of the protocols HTTP, HTTPS", shape.protocol)
	case shape.version != versionHTTP1 && shape.version != versionHTTP2 && shape.version != versionGRPC:
		b.wrong(groupPlace(at, s, "protocolVersion"), "InvalidValue", "%q is none of the protocol versions HTTP1, HTTP2, GRPC", shape.version)
	default:
		return b.reachable(at, s, shape.family)
	}
	return false
}

// reachable tells whether a Service has addresses of a family, and the load balancer too.
func (b *builder) reachable(at place, s *intent.Service, family string) bool {
	switch {
	case family != typeIPv4 && family != typeIPv6:
		b.wrong(groupPlace(at, s, "ipAddressType"), "InvalidValue", "%q is none of the address types ipv4, ipv6", family)
	case family != familyOf(s) && !s.DualStack:
		b.wrong(groupPlace(at, s, "ipAddressType"), "AddressTypeMismatch", "Service %s/%s has no %s addresses: leave it out, or give the Service this family",
			s.Namespace, s.Name, family)
	case family != typeIPv4 && b.ipAddressType == typeIPv4:
		b.wrong(at, "AddressTypeMismatch", "Service %s/%s has IPv6 addresses, which a load balancer of the address type ipv4 cannot reach; use dualstack",
			s.Namespace, s.Name)
	default:
		return true
	}
	return false
}

// healthCheck fills in the defaults of the front door, which are the incumbent's.
func (b *builder) healthCheck(h intent.HealthCheck, shape groupShape) model.HealthCheck {
	threshold, matcher := 2, "200"
	if b.in.Front == frontGateway {
		threshold, matcher = 3, "200-399"
	}
	path := "/"
	if shape.version == versionGRPC {
		path, matcher = grpcPath, "12"
	}
	return model.HealthCheck{
		Protocol: or(h.Protocol, shape.protocol), Port: or(h.Port, trafficPort), Path: or(h.Path, path), Matcher: or(h.Matcher, matcher),
		IntervalSeconds: orNumber(h.IntervalSeconds, 15), TimeoutSeconds: orNumber(h.TimeoutSeconds, 5),
		HealthyThreshold: orNumber(h.HealthyThreshold, threshold), UnhealthyThreshold: orNumber(h.UnhealthyThreshold, threshold),
	}
}

func orNumber(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// healthProblem says what AWS would refuse of a health check, and in which field (ELBv2 API, CreateTargetGroup).
func healthProblem(g *model.TargetGroup) (field, problem string) {
	h := g.HealthCheck
	for _, r := range []struct {
		field              string
		value, least, most int
	}{
		{"healthCheck.intervalSeconds", h.IntervalSeconds, 5, 300},
		{"healthCheck.timeoutSeconds", h.TimeoutSeconds, 2, 120},
		{"healthCheck.healthyThreshold", h.HealthyThreshold, 2, 10},
		{"healthCheck.unhealthyThreshold", h.UnhealthyThreshold, 2, 10},
	} {
		if r.value < r.least || r.value > r.most {
			return r.field, fmt.Sprintf("%d is not %d to %d", r.value, r.least, r.most)
		}
	}
	switch {
	case h.TimeoutSeconds >= h.IntervalSeconds:
		return "healthCheck.timeoutSeconds", fmt.Sprintf("the timeout of %d s must be less than the interval of %d s", h.TimeoutSeconds, h.IntervalSeconds)
	case h.Protocol != protocolHTTP && h.Protocol != protocolHTTPS:
		return "healthCheck.protocol", fmt.Sprintf("%q is none of the protocols HTTP, HTTPS", h.Protocol)
	case !strings.HasPrefix(h.Path, "/") || len(h.Path) > 1024:
		return "healthCheck.path", "the path begins with / and has 1024 characters at most"
	case h.Port != trafficPort && !isPort(h.Port):
		return "healthCheck.port", fmt.Sprintf("%q is no port; use a number, %s or the name of a port of the Service", h.Port, trafficPort)
	}
	return matcherProblem(h.Matcher, g.ProtocolVersion)
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= 65535
}

// matcherProblem checks codes like "200,202" and "200-299": HTTP from 200 to 499, gRPC from 0 to 99 (ELBv2 API, Matcher).
func matcherProblem(matcher, version string) (field, problem string) {
	least, most := 200, 499
	if version == versionGRPC {
		least, most = 0, 99
	}
	for part := range strings.SplitSeq(matcher, ",") {
		from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
		if !ranged {
			to = from
		}
		a, errA := strconv.Atoi(from)
		z, errZ := strconv.Atoi(to)
		if errA != nil || errZ != nil || a < least || z > most || a > z {
			return "healthCheck.matcher", fmt.Sprintf("%q is no list of codes from %d to %d, like %d or %d-%d", matcher, least, most, least, least, most)
		}
	}
	return "", ""
}

// usedGroups are the target groups that the listeners forward to, and those that are kept, with who their pods must admit.
func (b *builder) usedGroups(stack model.Stack, s settings) []model.TargetGroup {
	used := forwarded(stack)
	maps.Copy(used, b.kept)
	out := make([]model.TargetGroup, 0, len(used))
	for _, id := range b.memory.sortedGroups(used) {
		g := b.groups[id]
		if g == nil {
			continue
		}
		one := *g
		if !b.backendRules(s) {
			one.Backend.Network = nil
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return nil
	}
	return slices.Clip(out)
}

// keep keeps the target groups of a route that is closed, those that its member had when it was good. What is wrong with one is not told:
// nothing is behind it now.
func (b *builder) keep(f *intent.Fragment, r *intent.Route) {
	for range r.Services() {
		b.beyond = true // what the member was good with is not remembered
	}
	before := b.before(f)
	if before == nil {
		return
	}
	had := map[backend]bool{}
	for s := range servicesOf(before) {
		had[backendOf(s)] = true
	}
	told := maps.Clone(b.findings)
	for s := range r.Services() {
		if !had[backendOf(s)] {
			continue
		}
		if ref, ok := b.backend(routePlace(f, r), &intent.Forward{}, &intent.Backend{Service: s, Weight: 1}); ok {
			b.kept[ref.Key] = true
		}
	}
	b.findings = told
}

// admission is the traffic that pods must admit from the shared backend group, as the incumbent writes it into bindings: on the target port, by its
// name where it has one; where health is asked for on a port that is named, there too; and on the control port of a target optimizer. Of a
// target port 1 without a name it is not known whether it stands for a name: fragments that were kept by an earlier version have none.
func admission(g *model.TargetGroup, s *intent.Service) []model.Permission {
	source := model.GroupRef{Key: model.ResourceBackendSecurityGroup}
	on := func(n int) model.Permission {
		return model.Permission{Protocol: "tcp", FromPort: n, ToPort: n, Source: source}
	}
	first := on(g.Port)
	switch named := g.TargetType == targetIP && g.Port == 1; {
	case named && s.TargetPortName == "":
		first.FromPort, first.ToPort = 0, 65535
		return []model.Permission{first}
	case named:
		first = model.Permission{Protocol: "tcp", PortName: s.TargetPortName, Source: source}
	}
	out := []model.Permission{first}
	if g.ControlPort != 0 && g.ControlPort != g.Port {
		out = append(out, on(g.ControlPort))
	}
	if n, err := strconv.Atoi(g.HealthCheck.Port); err == nil {
		out = append(out, on(n))
	}
	return out
}

// forwarded are the IDs of the target groups that listeners and rules of a stack forward to.
func forwarded(stack model.Stack) map[string]bool {
	rules := 0
	for _, l := range stack.Listeners {
		rules += len(l.Rules)
	}
	out := make(map[string]bool, rules)
	add := func(actions []model.Action) {
		for _, a := range actions {
			if a.Forward == nil {
				continue
			}
			for _, g := range a.Forward.Groups {
				if g.Key != "" {
					out[g.Key] = true
				}
			}
		}
	}
	for _, l := range stack.Listeners {
		add(l.DefaultActions)
		for i := range l.Rules {
			add(l.Rules[i].Actions)
		}
	}
	return out
}
