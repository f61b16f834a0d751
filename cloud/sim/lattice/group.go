package lattice

import (
	"net/http"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

type group struct {
	life

	id, arn, title string
	kind           types.TargetGroupType
	config         *types.TargetGroupConfig
	targets        []target
}

func (g *group) name() string { return g.arn }

const (
	groupKind = "TARGET_GROUP"
	maxGroups = 500
)

func (m *Mesh) groupOperations() []wire.Operation {
	const all, one = " /targetgroups", " /targetgroups/{TargetGroupIdentifier}"
	return []wire.Operation{
		writes(m, "CreateTargetGroup", m.createGroup).At("POST"+all, wire.Status(http.StatusCreated)),
		reads(m, "GetTargetGroup", m.getGroup).At("GET" + one), writes(m, "UpdateTargetGroup", m.updateGroup).At("PATCH" + one),
		writes(m, "DeleteTargetGroup", m.deleteGroup).At("DELETE" + one), reads(m, "ListTargetGroups", m.listGroups).At("GET" + all),
		writes(m, "RegisterTargets", m.register).At("POST" + one + "/registertargets"),
		writes(m, "DeregisterTargets", m.deregister).At("POST" + one + "/deregistertargets"),
		reads(m, "ListTargets", m.listTargets).At("POST" + one + "/listtargets?maxResults={MaxResults}&nextToken={NextToken}"),
	}
}

func (m *Mesh) groupState(g *group) types.TargetGroupStatus {
	return types.TargetGroupStatus(m.status(g.life))
}

func (m *Mesh) createGroup(in *sdk.CreateTargetGroupInput) (*sdk.CreateTargetGroupOutput, error) {
	before, input, err := m.repeated(groupKind, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	g, ok := m.groups.Get(before)
	if !ok {
		if g, err = m.buildGroup(in); err != nil {
			return nil, err
		}
		m.keep(groupKind, in.ClientToken, made{input, g.id})
	}
	return &sdk.CreateTargetGroupOutput{Arn: &g.arn, Config: g.config, Id: &g.id, Name: &g.title, Status: m.groupState(g), Type: g.kind}, nil
}

func (m *Mesh) buildGroup(in *sdk.CreateTargetGroupInput) (*group, error) {
	const longest = 128
	if err := checkName(in.Name, longest, "tg-"); err != nil {
		return nil, err
	}
	tags, err := m.tagged(in.Tags)
	if err != nil {
		return nil, err
	}
	config, err := m.checkConfig(in.Type, in.Config)
	if err != nil {
		return nil, err
	}
	for _, other := range m.groups.All() {
		if other.title == *in.Name {
			return nil, conflict(groupKind, other.id, "A target group with the name %s already exists", *in.Name)
		}
	}
	if m.groups.Len() >= maxGroups {
		return nil, exceeded(groupKind, maxGroups)
	}
	id := m.id("tg")
	g := &group{id: id, arn: m.account.ARN("vpc-lattice", "targetgroup/"+id), title: *in.Name, kind: in.Type, config: config}
	m.begin(&g.life, creating)
	m.groups.Put(id, g)
	m.Tags.Put(g.arn, tags)
	return g, nil
}

// checkConfig checks the configuration of a group by its type and gives it with defaults.
func (m *Mesh) checkConfig(kind types.TargetGroupType, config *types.TargetGroupConfig) (*types.TargetGroupConfig, error) {
	c := types.TargetGroupConfig{}
	if config != nil {
		c = *config
	}
	if kind == "" {
		return nil, invalid("type", "A type must be given")
	}
	if kind == types.TargetGroupTypeLambda {
		if c.Port != nil || c.Protocol != "" || c.ProtocolVersion != "" || c.VpcIdentifier != nil || c.HealthCheck != nil || c.IpAddressType != "" {
			return nil, invalid("config", "A target group of a Lambda function has no port, protocol, VPC, address type or health check")
		}
		if c.LambdaEventStructureVersion == "" {
			c.LambdaEventStructureVersion = types.LambdaEventStructureVersionV1
		}
		return &c, nil
	}
	if err := m.checkPlace(kind, c); err != nil {
		return nil, err
	}
	if kind == types.TargetGroupTypeIp && c.IpAddressType == "" {
		c.IpAddressType = types.IpAddressTypeIpv4
	}
	return completed(kind, c)
}

// checkPlace checks what a group has by its type, where it has no function.
func (m *Mesh) checkPlace(kind types.TargetGroupType, c types.TargetGroupConfig) error {
	switch {
	case c.VpcIdentifier == nil:
		return invalid("config.vpcIdentifier", "A VPC must be given")
	case !m.resources.VPC(*c.VpcIdentifier):
		return absent("VPC", *c.VpcIdentifier)
	case c.LambdaEventStructureVersion != "":
		return invalid("config.lambdaEventStructureVersion", "Only a target group of a Lambda function has an event structure version")
	case c.IpAddressType != "" && kind != types.TargetGroupTypeIp:
		return invalid("config.ipAddressType", "Only a target group of the type IP has an address type")
	case c.HealthCheck != nil && kind == types.TargetGroupTypeAlb:
		return invalid("config.healthCheck", "A target group of the type ALB has no health check")
	default:
		return nil
	}
}

// completed fills protocol, version, port and health check.
func completed(kind types.TargetGroupType, c types.TargetGroupConfig) (*types.TargetGroupConfig, error) {
	const plainPort, tlsPort = 80, 443
	if c.Protocol == "" {
		c.Protocol = types.TargetGroupProtocolHttp
	}
	tcp := c.Protocol == types.TargetGroupProtocolTcp
	switch {
	case tcp && c.ProtocolVersion != "":
		return nil, invalid("config.protocolVersion", "The protocol TCP has no version")
	case tcp && kind == types.TargetGroupTypeAlb:
		return nil, invalid("config.protocol", "A target group of the type ALB has HTTP or HTTPS")
	case !tcp && c.ProtocolVersion == "":
		c.ProtocolVersion = types.TargetGroupProtocolVersionHttp1
	}
	if c.Port == nil {
		c.Port = aws.Int32(plainPort)
		if c.Protocol != types.TargetGroupProtocolHttp {
			c.Port = aws.Int32(tlsPort)
		}
	}
	if *c.Port < 1 || *c.Port > maxPort {
		return nil, invalid("config.port", "A port is between 1 and %d", maxPort)
	}
	if kind == types.TargetGroupTypeAlb {
		return &c, nil
	}
	check := types.HealthCheckConfig{}
	if c.HealthCheck != nil {
		check = *c.HealthCheck
	}
	filled, err := checkHealth(check, c.ProtocolVersion)
	c.HealthCheck = filled
	return &c, err
}

// matcherForm is the form of codes: single ones, lists and ranges.
var matcherForm = regexp.MustCompile(`^[0-9]{3}([,-][0-9]{3})*$`)

// checkHealth checks a health check and gives it with defaults. Zero stands for the default.
func checkHealth(h types.HealthCheckConfig, version types.TargetGroupProtocolVersion) (*types.HealthCheckConfig, error) {
	plain := version == types.TargetGroupProtocolVersionHttp1
	if aws.ToBool(h.Enabled) && !plain && version != types.TargetGroupProtocolVersionHttp2 && h.ProtocolVersion == "" {
		return nil, invalid("healthCheck.protocolVersion", "A health check of a TCP or gRPC target group needs a protocol version")
	}
	for _, one := range []struct {
		name                  string
		at                    **int32
		usual, smallest, most int32
	}{
		{"healthCheckIntervalSeconds", &h.HealthCheckIntervalSeconds, 30, 5, 300}, {"healthCheckTimeoutSeconds", &h.HealthCheckTimeoutSeconds, 5, 1, 120},
		{"healthyThresholdCount", &h.HealthyThresholdCount, 5, 2, 10}, {"unhealthyThresholdCount", &h.UnhealthyThresholdCount, 2, 2, 10},
	} {
		if aws.ToInt32(*one.at) == 0 {
			*one.at = aws.Int32(one.usual)
		}
		if v := **one.at; v < one.smallest || v > one.most {
			return nil, invalid("healthCheck."+one.name, "%s must be between %d and %d", one.name, one.smallest, one.most)
		}
	}
	if h.Enabled == nil {
		h.Enabled = &plain
	}
	fill(&h)
	return &h, checkProbe(h)
}

// fill gives a health check what it leaves out.
func fill(h *types.HealthCheckConfig) {
	if h.Path == nil || *h.Path == "" {
		h.Path = aws.String("/")
	}
	if h.Protocol == "" {
		h.Protocol = types.TargetGroupProtocolHttp
	}
	if h.ProtocolVersion == "" {
		h.ProtocolVersion = types.HealthCheckProtocolVersionHttp1
	}
	if h.Matcher == nil {
		h.Matcher = &types.MatcherMemberHttpCode{Value: "200"}
	}
}

// checkProbe checks what a health check asks for.
func checkProbe(h types.HealthCheckConfig) error {
	const longestPath = 2048
	codes, ok := h.Matcher.(*types.MatcherMemberHttpCode)
	switch {
	case !ok || !matcherForm.MatchString(codes.Value):
		return invalid("healthCheck.matcher", "The matcher is not valid")
	case (*h.Path)[0] != '/' || len(*h.Path) > longestPath:
		return invalid("healthCheck.path", "The path '%s' is not valid", *h.Path)
	case h.Protocol == types.TargetGroupProtocolTcp:
		return invalid("healthCheck.protocol", "A health check has HTTP or HTTPS")
	case aws.ToInt32(h.Port) < 0 || aws.ToInt32(h.Port) > maxPort:
		return invalid("healthCheck.port", "A port is between 1 and %d", maxPort)
	default:
		return nil
	}
}

func (m *Mesh) users(g *group) []string {
	if s := m.serviceOf(g); s != nil {
		return []string{s.arn}
	}
	return []string{}
}

func (m *Mesh) showGroup(g *group) types.TargetGroupSummary {
	return types.TargetGroupSummary{
		Arn: &g.arn, CreatedAt: &g.created, Id: &g.id, LastUpdatedAt: &g.updated, Name: &g.title, ServiceArns: m.users(g), Status: m.groupState(g),
		Type: g.kind, IpAddressType: g.config.IpAddressType, LambdaEventStructureVersion: g.config.LambdaEventStructureVersion, Port: g.config.Port,
		Protocol: g.config.Protocol, VpcIdentifier: g.config.VpcIdentifier,
	}
}

func (m *Mesh) dumpGroup(g *group) any {
	return struct {
		types.TargetGroupSummary
		Targets []types.TargetSummary
		Tags    map[string]string
	}{m.showGroup(g), shown(g.targets, m.showTarget(g)), m.Tags.Of(g.arn)}
}

func (m *Mesh) getGroup(in *sdk.GetTargetGroupInput) (*sdk.GetTargetGroupOutput, error) {
	g, err := find(&m.groups, groupKind, in.TargetGroupIdentifier)
	if err != nil {
		return nil, err
	}
	code, message := m.failed(g.life)
	return &sdk.GetTargetGroupOutput{
		FailureCode: code, FailureMessage: message,
		Arn: &g.arn, Config: g.config, CreatedAt: &g.created, Id: &g.id, LastUpdatedAt: &g.updated, Name: &g.title, ServiceArns: m.users(g),
		Status: m.groupState(g), Type: g.kind,
	}, nil
}

func (m *Mesh) updateGroup(in *sdk.UpdateTargetGroupInput) (*sdk.UpdateTargetGroupOutput, error) {
	g, err := m.activeGroup(in.TargetGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if in.HealthCheck == nil || g.config.HealthCheck == nil {
		return nil, invalid("healthCheck", "A health check must be given, for a target group that can have one")
	}
	check, err := checkHealth(*in.HealthCheck, g.config.ProtocolVersion)
	if err != nil {
		return nil, err
	}
	config := *g.config
	config.HealthCheck = check
	g.config, g.updated = &config, m.account.Now()
	return &sdk.UpdateTargetGroupOutput{Arn: &g.arn, Config: g.config, Id: &g.id, Name: &g.title, Status: m.groupState(g), Type: g.kind}, nil
}

// activeGroup gives a group that can be changed.
func (m *Mesh) activeGroup(identifier *string) (*group, error) {
	g, err := find(&m.groups, groupKind, identifier)
	if err != nil {
		return nil, err
	}
	if is := m.status(g.life); is != active {
		return nil, conflict(groupKind, g.id, "Target group %s is in the state %s", g.id, is)
	}
	return g, nil
}

func (m *Mesh) deleteGroup(in *sdk.DeleteTargetGroupInput) (*sdk.DeleteTargetGroupOutput, error) {
	g, err := find(&m.groups, groupKind, in.TargetGroupIdentifier)
	if err != nil {
		return nil, err
	}
	switch s := m.serviceOf(g); {
	case s != nil:
		return nil, conflict(groupKind, g.id, "Target group %s is in use by service %s", g.id, s.id)
	case len(g.targets) > 0:
		return nil, conflict(groupKind, g.id, "Target group %s has targets that are registered or draining", g.id)
	}
	if err := m.remove(&g.life, groupKind, g.id); err != nil {
		return nil, err
	}
	return &sdk.DeleteTargetGroupOutput{Arn: &g.arn, Id: &g.id, Status: m.groupState(g)}, nil
}

func (m *Mesh) listGroups(in *sdk.ListTargetGroupsInput) (*sdk.ListTargetGroupsOutput, error) {
	all := slices.DeleteFunc(m.groups.Values(), func(g *group) bool {
		return in.TargetGroupType != "" && g.kind != in.TargetGroupType || in.VpcIdentifier != nil && aws.ToString(g.config.VpcIdentifier) != *in.VpcIdentifier
	})
	items, next, err := cut(all, in.MaxResults, in.NextToken, m.showGroup)
	return &sdk.ListTargetGroupsOutput{Items: items, NextToken: next}, err
}
