package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// A frontend is planned like the stack behind it, with a planner of its own that adds to the same plan. What ties the two together:
// its target groups lead to the load balancer. AWS takes one load balancer a target group, deletes no load balancer and no listener
// that a target group leads to, and registers no load balancer that is not active. So where the load balancer is replaced the target
// groups are, too: the new ones lead to the new one before the old ones go.

// FrontendListenerKey is the key of a listener of a frontend.
func FrontendListenerKey(l model.Listener) model.Key {
	return model.Key{Kind: model.KindListener, ID: fmt.Sprintf("%s-ls-%s-%d", model.ResourceFrontend, l.Protocol, l.Port)}
}

// frontend is the planner of the frontend, nil where there is none and none is wanted.
func (p *planner) frontend() *planner {
	if p.want.Frontend == nil && p.have.Frontend == nil {
		return nil
	}
	part := func(s model.Stack) model.Stack {
		out := model.Stack{Owner: s.Owner}
		if s.Frontend != nil {
			out = *s.Frontend
			out.Owner, out.Tagless = s.Owner, s.Tagless
		}
		out.SecurityGroups = s.SecurityGroups
		return out
	}
	front := newPlanner(part(p.want), part(p.have), p.opts)
	front.front = true
	front.plan, front.makes, front.frees, front.stay, front.late = p.plan, p.makes, p.frees, p.stay, p.late
	return front
}

// stand plans the frontend in front of a load balancer: empty where that is made by this plan.
func (p *planner) stand(target model.ARN) {
	if p == nil {
		return
	}
	p.target = target
	p.chooseBalancer()
	if p.returns {
		p.turnBack(nil)
		return
	}
	p.chooseTargetGroups()
	p.resolve()
	p.loadBalancer()
	p.targetGroups()
	p.register()
	p.deleteListeners(p.listeners())
	p.deleteBalancers()
	p.deleteTargetGroups()
}

// follow has a frontend that stands before an old load balancer wait for all of the one in its place, and for healthy targets behind that.
func (p *planner) follow(behind *planner) {
	if p == nil || p.opts.Met == nil || p.have.LoadBalancer == nil {
		return
	}
	for _, old := range behind.have.Balancers() {
		if old.ARN != behind.keepARN() && behind.want.LoadBalancer != nil && !fits(*behind.want.LoadBalancer, old) {
			p.whole, p.ready = behind.complete, behind.healthy(old)
			return
		}
	}
}

// leads tells whether a target group can lead to the load balancer: nothing else is registered in it.
func (p *planner) leads(g *model.TargetGroup, port int) bool {
	return g.Behind == nil || *g.Behind == model.Target{ID: string(p.target), Port: port}
}

// register puts the load balancer into the target groups where it is not, as soon as it is active and listens. Whatever uses a target
// group waits for that.
func (p *planner) register() {
	for _, want := range p.want.TargetGroups {
		have := model.TargetGroup{}
		if g := p.current[want.ID]; g != nil {
			have = *g
		}
		if have.Behind != nil {
			continue
		}
		key := targetGroupKey(want.ID)
		behind := model.Key{Kind: model.KindLoadBalancer, ID: model.ResourceLoadBalancer}
		listener := model.Key{Kind: model.KindListener, ID: digits(want.Port)}
		p.makes[key] = p.add(Change{
			Op: RegisterTargets, Action: Update, Key: key, ARN: have.ARN, TargetGroup: &want,
			Targets: []model.Target{{ID: string(p.target), Port: want.Port}},
			After:   slices.Concat([]int{p.makes[key], p.makes[behind], p.makes[listener]}, p.whole),
			Needs:   slices.Concat([]Need{{Key: behind, ARN: p.target, State: StateActive}}, p.ready),
			Fields:  []Field{{Name: "target", New: behind.String() + ":" + digits(want.Port)}},
		})
	}
}

// releaseBehind notes that a change ends that a target group leads to a load balancer.
func (p *planner) releaseBehind(g model.TargetGroup, id int) {
	if g.Behind == nil {
		return
	}
	arn := model.ARN(g.Behind.ID)
	p.frees[arn] = append(p.frees[arn], id)
	port := portOf(arn, g.Behind.Port)
	p.frees[port] = append(p.frees[port], id)
}

// portOf names a port of a load balancer among what is freed.
func portOf(lb model.ARN, port int) model.ARN { return lb + model.ARN(":"+digits(port)) }

func (p *planner) listenerKey(l model.Listener) model.Key {
	if p.front {
		return FrontendListenerKey(l)
	}
	return ListenerKey(l)
}

// sameAddresses tells whether a load balancer can be given the Elastic IPs that are wanted: AWS changes none of a subnet. Which subnet
// has which does not matter, and who asks for none keeps those that are there.
func sameAddresses(want, have model.LoadBalancer) bool {
	if len(want.Allocations) == 0 || allocations(want) == allocations(have) {
		return true
	}
	for _, subnet := range have.Subnets {
		if id, wanted := want.Allocations[subnet]; wanted && have.Allocations[subnet] != id {
			return false
		}
	}
	return true
}

// allocations are a load balancer's Elastic IPs, sorted.
func allocations(lb model.LoadBalancer) string {
	return strings.Join(slices.Sorted(maps.Values(lb.Allocations)), ",")
}
