package dataplane

import (
	"context"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// flowSettings is what flows need to know of a target group of a network load balancer. It is zero for others.
type flowSettings struct {
	// secure targets speak TLS.
	secure bool
	// preserve lets targets see the client's address, announce tells it in a header of the proxy protocol.
	preserve, announce bool
	// sticky sends a client's address to one target.
	sticky bool
	// outlive lets flows go on when the deregistration delay is over.
	outlive bool
	// cut ends the flows of targets that turn unhealthy; drain is how long they may last otherwise, zero for as long as they like.
	cut   bool
	drain time.Duration
}

func (s *Server) newFlowSettings(t *TargetGroup) flowSettings {
	if !isNetwork(t.Settings.Protocol) {
		return flowSettings{}
	}
	const ill = "target_health_state.unhealthy."
	a := attributes(t.Attributes)
	f := flowSettings{
		secure:   t.Settings.Protocol == elbtypes.ProtocolEnumTls,
		preserve: a.on("preserve_client_ip.enabled"), announce: a.on("proxy_protocol_v2.enabled"),
		sticky:  a.on("stickiness.enabled"),
		outlive: !a.on("deregistration_delay.connection_termination.enabled"),
		cut:     a.notOff(ill + "connection_termination.enabled"),
	}
	if !f.cut {
		f.drain = s.scaled(a.seconds(ill+"draining_interval_seconds", 0))
	}
	return f
}

// introduce makes probes begin as flows do.
func (f *flowSettings) introduce(ctx context.Context) context.Context {
	if !f.announce {
		return ctx
	}
	return context.WithValue(ctx, preambleKey{}, localHeader())
}

// decline lets an unhealthy target drain for a while, and reports whether the state changed. The caller holds the group's lock.
func (t *target) decline(s *groupSettings) bool {
	switch {
	case s.flows.drain == 0 || t.well():
		t.ill = time.Time{}
	case t.state == elbtypes.TargetHealthStateEnumUnhealthy && t.ill.IsZero():
		t.ill, t.state = time.Now(), elbtypes.TargetHealthStateEnumUnhealthyDraining
		return true
	case t.state == elbtypes.TargetHealthStateEnumUnhealthyDraining && time.Since(t.ill) >= s.flows.drain:
		t.state = elbtypes.TargetHealthStateEnumUnhealthy
		t.calls.cut(errUnhealthy)
		return true
	}
	return false
}

// sever ends the flows of unhealthy targets, unless new ones come to them because there are no others. The caller holds the lock.
func (g *group) sever(s *groupSettings) {
	if !s.flows.cut {
		return
	}
	p := g.pools.Load()
	open := map[*target]bool{}
	for _, t := range p.all {
		open[t] = p.zones == nil
	}
	for _, some := range p.zones {
		for _, t := range some {
			open[t] = true
		}
	}
	for _, t := range g.order {
		if t.state == elbtypes.TargetHealthStateEnumUnhealthy && !open[t] {
			t.calls.cut(errUnhealthy)
		}
	}
}
