package stack

import (
	"slices"
	"strings"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// A frontend that nobody asks for any more goes in two steps: first its address is taken back, then, in a later run, it is deleted.
// What is published is read from the objects, so that neither a restart nor a status that could not be written skips the first.

// keep are the frontends that the plan leaves alone.
func (a *attempt) keep() []model.ARN {
	var out []model.ARN
	if a.hold != "" {
		out = append(out, a.hold)
	}
	if a.leaving() {
		out = append(out, a.observed.Frontend.LoadBalancer.ARN)
	}
	return out
}

// leaving tells whether there is a frontend that goes when its address is taken back.
func (a *attempt) leaving() bool {
	if a.desired.Frontend != nil || a.hold != "" || a.unwanted() || a.observedFrontend() == nil {
		return false
	}
	return slices.ContainsFunc(a.req.Published, func(name string) bool { return strings.EqualFold(name, a.observedFrontend().DNSName) })
}

func (a *attempt) observedFrontend() *model.LoadBalancer {
	if a.observed == nil || a.observed.Frontend == nil {
		return nil
	}
	return a.observed.Frontend.LoadBalancer
}

// withdraw notes a frontend that waits for its address to be taken back, and goes on to show one that is held.
func (a *attempt) withdraw() {
	switch {
	case a.leaving():
		a.outputs.Waiting = append(a.outputs.Waiting, model.Waiting{
			Key: model.Key{Kind: model.KindLoadBalancer, ID: model.ResourceFrontend}, For: "its address is no longer published",
		})
	case a.hold != "":
		a.outputs.Frontend = a.observedFrontend()
	}
}

// forgotten tells whether a frontend that was held is there, of which it is known now that nobody asks for it.
func (a *attempt) forgotten() bool {
	return a.desired.Frontend == nil && a.hold == "" && a.state.object.Spec.Frontend != nil
}

// reachedFrontend is the frontend as it is known after a run; see [attempt.reached].
func (a *attempt) reachedFrontend() *model.LoadBalancer {
	switch {
	case a.outputs.Frontend != nil:
		return a.outputs.Frontend
	case a.observed != nil && a.blocked != "":
		return a.observedFrontend()
	case a.state != nil:
		return a.state.outputs().Frontend
	}
	return nil
}

// frontendPorts are the ports of the desired frontend, with where they lead.
func (a *attempt) frontendPorts() []intent.PortMapping {
	part := a.desired.Frontend
	if part == nil && a.hold != "" && a.observed != nil {
		part = a.observed.Frontend
	}
	if part == nil {
		return nil
	}
	to := map[string]int{}
	for _, g := range part.TargetGroups {
		to[g.ID] = g.Port
		if g.Behind != nil {
			to[g.ID] = g.Behind.Port
		}
	}
	var out []intent.PortMapping
	for _, l := range part.Listeners {
		for _, id := range groupsOf(l.DefaultActions) {
			out = append(out, intent.PortMapping{From: l.Port, To: to[id]})
		}
	}
	return out
}

// frontendStatus shows the frontend, nil where there is none.
func frontendStatus(res Result) *headgatev1alpha1.FrontendStatus {
	lb := res.Frontend
	if lb == nil {
		return nil
	}
	out := &headgatev1alpha1.FrontendStatus{Name: lb.Name, ARN: string(lb.ARN), DNSName: lb.DNSName, Scheme: lb.Scheme, State: lb.State}
	for _, m := range res.FrontendPorts {
		out.Ports = append(out.Ports, headgatev1alpha1.FrontendPort{Port: number32(m.From), TargetPort: number32(m.To)})
	}
	return out
}
