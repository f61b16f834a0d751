package lattice

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
)

// target is a registered target. One that is drained goes then.
type target struct {
	id                  string
	port                int32
	registered, drained time.Time
}

const (
	maxTargets  = 1000
	mostTargets = 100
	mostFilter  = 20
	draining    = time.Minute
)

func (t target) is(id string, port int32) bool { return t.id == id && t.port == port }

// portOf gives the port of a target: its own, or that of its group.
func (g *group) portOf(t types.Target) int32 {
	if t.Port != nil {
		return *t.Port
	}
	return aws.ToInt32(g.config.Port)
}

func failed(t types.Target, code, message string) types.TargetFailure {
	return types.TargetFailure{Id: t.Id, Port: t.Port, FailureCode: &code, FailureMessage: &message}
}

func (m *Mesh) register(in *sdk.RegisterTargetsInput) (*sdk.RegisterTargetsOutput, error) {
	g, err := m.activeGroup(in.TargetGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if n := len(in.Targets); n < 1 || n > mostTargets {
		return nil, invalid("targets", "1 to %d targets must be given", mostTargets)
	}
	if len(g.targets)+len(in.Targets) > maxTargets {
		return nil, exceeded("TARGET", maxTargets)
	}
	out := &sdk.RegisterTargetsOutput{Successful: []types.Target{}, Unsuccessful: []types.TargetFailure{}}
	for _, t := range in.Targets {
		if message := m.wrong(g, t); message != "" {
			out.Unsuccessful = append(out.Unsuccessful, failed(t, "InvalidTarget", message))
			continue
		}
		port := g.portOf(t)
		at := slices.IndexFunc(g.targets, func(old target) bool { return old.is(*t.Id, port) })
		if at < 0 {
			g.targets = append(g.targets, target{id: *t.Id, port: port, registered: m.account.Now()})
		} else if !g.targets[at].drained.IsZero() {
			g.targets[at].registered, g.targets[at].drained = m.account.Now(), time.Time{}
		}
		out.Successful = append(out.Successful, t)
	}
	return out, nil
}

// wrong says why a target cannot be in a group; "" if it can.
func (m *Mesh) wrong(g *group, t types.Target) string {
	id := aws.ToString(t.Id)
	if g.kind == types.TargetGroupTypeLambda {
		return g.wrongFunction(t)
	}
	if port := g.portOf(t); port < 1 || port > maxPort {
		return "The port is not valid"
	}
	if !m.fits(g, id) {
		return "The target '" + id + "' is not valid for a target group of the type " + string(g.kind)
	}
	return ""
}

// wrongFunction says why a target cannot be in a group of a function.
func (g *group) wrongFunction(t types.Target) string {
	switch {
	case t.Port != nil || !strings.Contains(aws.ToString(t.Id), ":function:"):
		return "The target must be the ARN of a Lambda function, without a port"
	case len(g.targets) > 0 && g.targets[0].id != *t.Id:
		return "A target group of a Lambda function has one target"
	default:
		return ""
	}
}

// fits reports whether there can be a target of the group's type under an identifier.
func (m *Mesh) fits(g *group, id string) bool {
	switch g.kind {
	case types.TargetGroupTypeInstance:
		return m.resources.Runs(id)
	case types.TargetGroupTypeAlb:
		_, there := m.resources.Balancer(id)
		return there && strings.Contains(id, ":loadbalancer/app/")
	default:
		a, err := netip.ParseAddr(id)
		return err == nil && a.Is4() == (g.config.IpAddressType == types.IpAddressTypeIpv4) && a.IsGlobalUnicast()
	}
}

func (m *Mesh) deregister(in *sdk.DeregisterTargetsInput) (*sdk.DeregisterTargetsOutput, error) {
	g, err := m.activeGroup(in.TargetGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if n := len(in.Targets); n < 1 || n > mostTargets {
		return nil, invalid("targets", "1 to %d targets must be given", mostTargets)
	}
	out := &sdk.DeregisterTargetsOutput{Successful: []types.Target{}, Unsuccessful: []types.TargetFailure{}}
	drains := m.serviceOf(g) != nil && g.kind != types.TargetGroupTypeLambda
	for _, t := range in.Targets {
		port := g.portOf(t)
		at := slices.IndexFunc(g.targets, func(old target) bool { return old.is(aws.ToString(t.Id), port) && old.drained.IsZero() })
		switch {
		case at < 0:
			out.Unsuccessful = append(out.Unsuccessful, failed(t, "TargetNotFound", "The target is not registered"))
			continue
		case drains:
			g.targets[at].drained = m.account.Now().Add(m.account.Scale(draining))
		default:
			g.targets = slices.Delete(slices.Clone(g.targets), at, at+1)
		}
		out.Successful = append(out.Successful, t)
	}
	return out, nil
}

// showTarget gives a target with its state: as the data plane knows it, else every target is healthy after its first check.
func (m *Mesh) showTarget(g *group) func(target) types.TargetSummary {
	used := m.serviceOf(g) != nil
	type key struct {
		id   string
		port int
	}
	known := map[key]elbtypes.TargetHealthStateEnum{}
	if m.options.Health != nil {
		for _, h := range m.options.Health(g.arn) {
			known[key{h.Target.ID, h.Target.Port}] = h.State
		}
	}
	return func(t target) types.TargetSummary {
		out := types.TargetSummary{Id: &t.id, Status: types.TargetStatusHealthy}
		if g.kind != types.TargetGroupTypeLambda {
			out.Port = &t.port
		}
		check := g.config.HealthCheck
		state, probed := known[key{t.id, int(t.port)}]
		switch {
		case !t.drained.IsZero():
			out.Status, out.ReasonCode = types.TargetStatusDraining, aws.String("TargetDeregistrationInProgress")
		case !used:
			out.Status, out.ReasonCode = types.TargetStatusUnused, aws.String("TargetGroupNotInUse")
		case check == nil || !*check.Enabled:
			out.Status, out.ReasonCode = types.TargetStatusUnavailable, aws.String("HealthCheckDisabled")
		case probed && state == elbtypes.TargetHealthStateEnumUnhealthy:
			out.Status, out.ReasonCode = types.TargetStatusUnhealthy, aws.String("HealthCheckFailed")
		case probed && state != elbtypes.TargetHealthStateEnumHealthy, !probed && m.early(t, check):
			out.Status, out.ReasonCode = types.TargetStatusInitial, aws.String("InitialHealthChecking")
		}
		return out
	}
}

// early reports whether the first health check of a target is still to come, where nobody probes it.
func (m *Mesh) early(t target, check *types.HealthCheckConfig) bool {
	first := time.Duration(*check.HealthCheckIntervalSeconds) * time.Second
	return m.account.Now().Before(t.registered.Add(m.account.Scale(first)))
}

func (m *Mesh) listTargets(in *sdk.ListTargetsInput) (*sdk.ListTargetsOutput, error) {
	g, err := find(&m.groups, groupKind, in.TargetGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if len(in.Targets) > mostFilter {
		return nil, invalid("targets", "Up to %d targets can be given", mostFilter)
	}
	all := slices.DeleteFunc(slices.Clone(g.targets), func(t target) bool {
		return len(in.Targets) > 0 && !slices.ContainsFunc(in.Targets, func(w types.Target) bool {
			return aws.ToString(w.Id) == t.id && (w.Port == nil || *w.Port == t.port)
		})
	})
	items, next, err := cut(all, in.MaxResults, in.NextToken, m.showTarget(g))
	return &sdk.ListTargetsOutput{Items: items, NextToken: next}, err
}
