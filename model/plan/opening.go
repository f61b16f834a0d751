package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// createListener opens a port.
func (p *planner) createListener(e *edit) {
	want := e.want
	want.Rules = nil
	if e.defers() {
		want.DefaultActions = nobodys()
	}
	needs, after := p.needsOf(want.DefaultActions)
	after = slices.Concat(after, p.groupsOf(want.DefaultActions), []int{p.makes[loadBalancerKey(*p.want.LoadBalancer)]}, p.guards, p.cleared)
	after = append(after, p.walled(want.Port)...)
	if !p.tight { // else what admits may have to wait for room
		after = append(after, p.groupsReady(p.want.LoadBalancer.SecurityGroups)...)
	}
	for _, c := range p.plan.Changes {
		if c.Op == DeleteListener && (c.Port == want.Port || p.crowded) && c.Key.Balancer() == e.key.Balancer() {
			after = append(after, c.ID)
		}
	}
	shown := fields{{Name: "protocol", New: want.Protocol}, {Name: "default", New: answerText(want.DefaultActions, nil)}}
	if want.MutualAuth != nil {
		shown.text(mutualAuth, model.MutualOff, p.mutualText(want.MutualAuth))
	}
	e.maker = p.placing(Change{
		Op: CreateListener, Action: Create, Key: e.key, Port: want.Port, Listener: &want, After: after, Needs: needs,
		Fields: shown,
	}, want.Certificates[:min(len(want.Certificates), 1)])
	p.makes[e.key] = p.begin(want.DefaultActions, e.maker)
	if e.defers() {
		e.answers, e.have.DefaultActions = true, want.DefaultActions
		e.fields.text(fieldDefault, answerText(want.DefaultActions, nil), answerText(e.want.DefaultActions, nil))
	}
	p.addCertificates(e)
	p.attributes(owned{
		key: e.key, port: want.Port, wantAttributes: want.Attributes, haveAttributes: ListenerDefaults(want),
		op: ModifyListenerAttributes, maker: e.maker,
	})
}

// walled are the changes after which the load balancer has the security groups that it shall: those that it has may admit to every port whom
// these do not. Where there is no room, everything comes one after the other, and what the groups wait for may come after the port: it is
// opened all the same, and the plan says so.
func (p *planner) walled(port int) []int {
	if p.keep == nil {
		return nil
	}
	after := p.changesOf(loadBalancerKey(*p.want.LoadBalancer), SetSecurityGroups)
	if p.tight && len(after) > 0 {
		p.note("exposed: the load balancer is at its quota, so port " + digits(port) + " is opened while it has the security groups of before, too")
		return nil
	}
	return after
}

// defers tells whether the default actions of a new listener have to wait: until its rules are there, they would answer what those shall.
func (e *edit) defers() bool {
	return !e.exists() && !e.quiet && len(e.want.Rules) > 0 && !nobody(e.want.DefaultActions) && takesRules(e.want)
}

func takesRules(l model.Listener) bool { return l.Protocol == "HTTP" || l.Protocol == "HTTPS" }

// nobodys are default actions that say that there is nothing.
func nobodys() []model.Action {
	return []model.Action{{Type: model.ActionFixedResponse, FixedResponse: &model.FixedResponse{StatusCode: "404", ContentType: "text/plain"}}}
}
