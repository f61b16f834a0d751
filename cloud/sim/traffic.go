package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/dataplane"
	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/cloud/sim/fabric"
)

// traffic brings the state of the control plane to the data plane: targets at once, listeners and rules after the rule delay.
type traffic struct {
	sim   *Simulator
	plane *dataplane.Server
	// fabric carries the traffic of VPC Lattice.
	fabric *fabric.Server
	kick   chan struct{}
	// calls counts the calls that may have changed something.
	calls atomic.Int64

	// mu lets one application run at a time and guards what follows.
	mu     sync.Mutex
	staged []stage
	active stage
	// failed is the last error of the data plane; empty when all is well.
	failed string
}

// stage is a set of listeners that takes effect at a time.
type stage struct {
	due time.Time
	// calls is how many calls it has seen.
	calls     int64
	balancers []dataplane.LoadBalancer
	mesh      fabric.Config
}

func newTraffic(s *Simulator) *traffic {
	t := &traffic{sim: s, kick: make(chan struct{}, 1)}
	t.plane = dataplane.New(dataplane.Options{
		PortOffset: s.options.PortOffset, Speed: s.options.Speed, Now: s.options.Now, Dial: t.dialTarget, DialHost: t.dialHost,
		Logger: s.options.Logger, AccessLogs: s.options.AccessLogs, IdentityRoots: s.options.IdentityRoots,
	})
	t.fabric = fabric.New(fabric.Options{Groups: t.plane, PortOffset: s.options.PortOffset, Speed: s.options.Speed, Logger: s.options.Logger})
	return t
}

// dialTarget reaches a target by the table of addresses, from the address that the data plane asks for.
func (t *traffic) dialTarget(ctx context.Context, network string, target netip.AddrPort) (net.Conn, error) {
	to, known := t.sim.targets.find(netip.AddrPortFrom(target.Addr().Unmap(), target.Port()))
	if !known {
		return t.sim.targets.dial(ctx, network, target) // says that nothing leaves the machine
	}
	conn, err := dataplane.DialLoopback(ctx, network, to)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", target, err)
	}
	return conn, nil
}

// wake asks for an application soon. It never blocks.
func (t *traffic) wake() {
	t.calls.Add(1)
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// Bounds of the wait for a change that comes by itself.
const (
	shortestWait = 5 * time.Millisecond
	longestWait  = time.Second
	// restShare is how much longer than an application the pause after it is, so that many changes to much do not stop the calls.
	restShare = 4
)

// run applies changes until the context ends.
func (t *traffic) run(ctx context.Context) {
	wait := t.apply(ctx)
	for {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-t.kick:
		case <-timer.C:
		}
		timer.Stop()
		began := time.Now()
		t.stageNow()
		wait = t.apply(ctx)
		sleep(ctx, min(restShare*time.Since(began), longestWait))
	}
}

// stageNow remembers the listeners as they are now, to take effect after the rule delay.
func (t *traffic) stageNow() {
	calls := t.calls.Load()
	t.sim.mu.Lock()
	now := stage{calls: calls, balancers: t.sim.elb.LoadBalancers(), mesh: t.sim.mesh.Traffic()}
	now.due = t.sim.account.Now().Add(t.sim.account.Scale(t.sim.options.RuleDelay))
	t.sim.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.staged = append(t.staged, now)
}

// apply gives the data plane what is due and says how long nothing more will be.
func (t *traffic) apply(ctx context.Context) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sim.mu.Lock()
	now, next := t.sim.account.Now(), sooner(t.sim.elb.Next(), t.sim.mesh.Next())
	groups := t.sim.elb.TargetGroups()
	maps.Copy(groups, t.sim.mesh.TargetGroups())
	t.sim.mu.Unlock()
	for len(t.staged) > 0 && !t.staged[0].due.After(now) {
		t.active = t.staged[0]
		t.staged = t.staged[1:]
	}
	t.failed = ""
	err := t.plane.Update(ctx, dataplane.Config{LoadBalancers: t.active.balancers, TargetGroups: groups})
	if err = errors.Join(err, t.fabric.Update(ctx, t.active.mesh)); err != nil && ctx.Err() == nil {
		t.failed = err.Error()
		t.sim.options.Logger.Error("the data plane could not apply everything", "error", err)
	}
	if len(t.staged) > 0 {
		next = sooner(next, t.staged[0].due)
	}
	if next.IsZero() {
		return longestWait
	}
	return min(max(next.Sub(now), shortestWait), longestWait)
}

// sooner gives the earlier of two times, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// settle lets all that was called take effect, whatever the rule delay.
func (t *traffic) settle(ctx context.Context) {
	t.stageNow()
	t.mu.Lock()
	for i := range t.staged {
		t.staged[i].due = time.Time{}
	}
	t.mu.Unlock()
	t.apply(ctx)
}

// health gives what the data plane knows of the targets of a group.
func (t *traffic) health(arn string) (map[elb.Target]elb.Health, bool) {
	known := t.plane.Health(arn)
	all := make(map[elb.Target]elb.Health, len(known))
	for _, h := range known {
		all[elb.Target{ID: h.Target.ID, Port: h.Target.Port}] = targetHealth(h)
	}
	return all, len(known) > 0
}

func (t *traffic) failure() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// Settle lets every change that was made by now take effect in the data plane, without waiting for the rule delay.
func (s *Simulator) Settle(ctx context.Context) {
	if s.traffic != nil {
		s.traffic.settle(ctx)
	}
}

// Arrived tells whether every change that was made by now has taken effect in the data plane.
func (s *Simulator) Arrived() bool {
	if s.traffic == nil {
		return true
	}
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return s.traffic.active.calls == s.traffic.calls.Load()
}

func targetHealth(h dataplane.TargetHealth) elb.Health {
	out := elb.Health{TargetHealth: elbtypes.TargetHealth{State: h.State, Reason: h.Reason}, Anomaly: h.Anomaly}
	if h.Description != "" {
		out.Description = &h.Description
	}
	return out
}

// Router says which rules of a listener requests meet, as the control plane holds them now; false where there is no such listener on a
// load balancer that is active.
func (s *Simulator) Router(loadBalancerARN string, port int) (*dataplane.Router, bool) {
	s.mu.Lock()
	all := s.elb.LoadBalancers()
	s.mu.Unlock()
	for _, lb := range all {
		for _, l := range lb.Listeners {
			if lb.ARN == loadBalancerARN && l.Port == port {
				r, err := dataplane.NewRouter(l)
				return r, err == nil
			}
		}
	}
	return nil, false
}
