package plan

import (
	"fmt"

	"github.com/headgate/headgate/model"
)

// stepFrontend is a change of the frontend, which is a world of its own but for the security groups.
func (w *world) stepFrontend(c Change) error {
	part := model.Stack{Owner: w.Owner}
	if w.Frontend != nil {
		part = *w.Frontend
	}
	if c.Op == RegisterTargets {
		if err := w.registrable(&c); err != nil {
			return err
		}
	}
	after, err := step(part, c)
	if err != nil {
		return err
	}
	w.Frontend = &after
	if after.LoadBalancer == nil && len(after.TargetGroups)+len(after.Leftovers) == 0 {
		w.Frontend = nil
	}
	return nil
}

// registrable fills in the load balancer that is meant, and refuses what AWS refuses: a port on which it does not listen.
func (w *world) registrable(c *Change) error {
	if w.LoadBalancer == nil {
		return fmt.Errorf("load balancer: %w", errMissing)
	}
	target := c.Targets[0]
	if target.ID == "" {
		target.ID = string(w.LoadBalancer.ARN)
	}
	c.Targets = []model.Target{target}
	if target.ID != string(w.LoadBalancer.ARN) {
		return nil // the listeners of a leftover are not known
	}
	for _, l := range w.Listeners {
		if l.Port == target.Port {
			return nil
		}
	}
	return fmt.Errorf("listener on port %d: %w", target.Port, errMissing)
}

// led tells whether a target group of the frontend leads to a load balancer, and with a port to that one.
func (w *world) led(lb model.ARN, port int) bool {
	if w.Frontend == nil {
		return false
	}
	for _, g := range w.Frontend.TargetGroups {
		if g.Behind != nil && g.Behind.ID == string(lb) && (port == 0 || g.Behind.Port == port) {
			return true
		}
	}
	return false
}
