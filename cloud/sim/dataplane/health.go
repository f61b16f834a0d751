package dataplane

import (
	"context"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// registrationTime is how long a target waits for its first probe.
const registrationTime = time.Second

// TargetHealth is what DescribeTargetHealth says about a target. A healthy one has neither reason nor description.
type TargetHealth struct {
	Target      Target
	State       elbtypes.TargetHealthStateEnum
	Reason      elbtypes.TargetHealthReasonEnum
	Description string
	// Anomaly is what DescribeTargetHealth says on demand.
	Anomaly elbtypes.AnomalyDetection
}

// health is what is known of a target. The lock of its group guards it.
type health struct {
	config      Target
	state       elbtypes.TargetHealthStateEnum
	reason      elbtypes.TargetHealthReasonEnum
	description string
	// row counts equal probe results in a row: successes above zero, failures below.
	row int
	// ill is since when a target is unhealthy, where that drains it.
	ill time.Time
	// round changes whenever probing starts anew or stops, so that a probe of an earlier round does not count.
	round int
	timer *time.Timer
}

// well reports whether a target takes requests while enough others do.
func (h *health) well() bool {
	return h.state == elbtypes.TargetHealthStateEnumHealthy || h.state == elbtypes.TargetHealthStateEnumUnavailable
}

// follow brings a target to what its configuration asks for. The caller holds the group's lock.
func (g *group) follow(t *target, config *Target, s *groupSettings) {
	t.config = *config
	switch {
	case config.Draining:
		g.rest(t)
		t.set(elbtypes.TargetHealthStateEnumDraining, elbtypes.TargetHealthReasonEnumDeregistrationInProgress,
			"Target deregistration is in progress")
	case !s.inUse:
		g.rest(t)
		t.set(elbtypes.TargetHealthStateEnumUnused, elbtypes.TargetHealthReasonEnumNotInUse,
			"Target group is not configured to receive traffic from the load balancer")
	case s.check.off:
		g.rest(t)
		t.set(elbtypes.TargetHealthStateEnumUnavailable, elbtypes.TargetHealthReasonEnumHealthCheckDisabled,
			"Health checks are disabled")
	case t.timer == nil:
		t.set(elbtypes.TargetHealthStateEnumInitial, elbtypes.TargetHealthReasonEnumRegistrationInProgress,
			"Target registration is in progress")
		g.schedule(t, g.server.scaled(registrationTime))
	}
}

func (h *health) set(state elbtypes.TargetHealthStateEnum, reason elbtypes.TargetHealthReasonEnum, description string) {
	h.state, h.reason, h.description = state, reason, description
}

// rest stops probing. The caller holds the group's lock.
func (g *group) rest(t *target) {
	t.round++
	t.row = 0
	if t.timer != nil && t.timer.Stop() {
		g.server.work.Done()
	}
	t.timer = nil
}

// stop ends a target that left the group. One that drained has had its time: what it still answers is cut.
// The caller holds the group's lock.
func (t *target) stop(g *group) {
	g.rest(t)
	if t.state == elbtypes.TargetHealthStateEnumDraining && !g.settings.Load().flows.outlive {
		t.calls.cut(errDeregistered)
	}
}

// schedule plans the next probe. Between two probes there is a timer and no goroutine. The caller holds the group's lock.
func (g *group) schedule(t *target, after time.Duration) {
	if !g.server.enter() {
		return
	}
	round := t.round
	t.timer = time.AfterFunc(after, func() {
		defer g.server.work.Done()
		g.probe(t, round)
	})
}

// probe asks a target once and plans the next time.
func (g *group) probe(t *target, round int) {
	g.mu.Lock()
	if t.round != round {
		g.mu.Unlock()
		return
	}
	if t.reason == elbtypes.TargetHealthReasonEnumRegistrationInProgress {
		t.set(elbtypes.TargetHealthStateEnumInitial, elbtypes.TargetHealthReasonEnumInitialHealthChecking,
			"Initial health checks in progress")
	}
	s := g.settings.Load()
	g.mu.Unlock()

	began, at := time.Now(), g.server.now()
	ctx, cancel := context.WithTimeout(g.server.base(), s.check.timeout)
	to := s.check.address(t)
	code, err := s.check.run(s.flows.introduce(ctx), g.server, to)
	cancel()
	failed := s.check.judge(code, err)
	s.check.log(g.name, probe{at, time.Since(began), to, code, err})

	g.mu.Lock()
	defer g.mu.Unlock()
	if t.round != round {
		return
	}
	s = g.settings.Load()
	if changed := t.learn(failed, s.check); t.decline(s) || changed {
		g.server.log.Info("target health changed", "group", g.arn, "target", t.key, "state", t.state, "reason", t.reason)
		g.begin(t, s)
		g.refresh(s)
		g.sever(s)
	}
	g.schedule(t, max(0, s.check.interval-time.Since(began)))
}

// learn takes in a probe's result and reports whether the state changed. A new target is healthy after one success, one that was
// unhealthy, or is behind a network load balancer, after several in a row.
func (h *health) learn(failed *failure, c check) bool {
	if failed == nil {
		h.row = max(h.row, 0) + 1
		isNew := h.state == elbtypes.TargetHealthStateEnumInitial && !c.patient
		if h.state == elbtypes.TargetHealthStateEnumHealthy || !isNew && h.row < c.healthyAfter {
			return false
		}
		h.set(elbtypes.TargetHealthStateEnumHealthy, "", "")
		return true
	}
	h.row = min(h.row, 0) - 1
	if h.state == elbtypes.TargetHealthStateEnumUnhealthy || h.state == elbtypes.TargetHealthStateEnumUnhealthyDraining {
		h.reason, h.description = failed.reason, failed.description
		return false
	}
	if -h.row < c.unhealthyAfter {
		return false
	}
	h.set(elbtypes.TargetHealthStateEnumUnhealthy, failed.reason, failed.description)
	return true
}
