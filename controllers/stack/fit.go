package stack

import (
	"fmt"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// fit orders the plan that takes a load balancer, unless that had better not be taken. What was begun goes on.
func (a *attempt) fit() {
	if a.taking == nil {
		return
	}
	inTurn(a.plan)
	if a.state.object.Spec.Taking {
		return
	}
	if a.blocked = a.unfit(a.plan); a.blocked != "" {
		a.plan = plan.Plan{}
	}
}

// unfit says why a load balancer had better not be taken by a plan; empty where nothing speaks against it. What is wrong or missing
// here would be lost there.
func (a *attempt) unfit(p plan.Plan) string {
	whose := "the load balancer of " + named(spell(a.taking.from)) + " is not taken: "
	for _, f := range a.findings {
		if f.Severity == model.Wrong || f.Severity == model.Closed {
			return whose + "mend first what is wrong with " + f.Object.String() + ": " + f.Text()
		}
	}
	for _, c := range p.Changes {
		switch c.Op {
		case plan.CreateLoadBalancer:
			return whose + "it is " + a.observed.LoadBalancer.Scheme + ", and cannot become " + a.desired.LoadBalancer.Scheme
		case plan.DeleteListener:
			return whose + c.Key.String() + " is there and not asked for here: add it"
		default:
		}
	}
	if port := a.trusting(); port != 0 {
		return fmt.Sprintf("%sclients on port %d are verified by ConfigMaps, of which its owner keeps a trust store: say here how they are verified", whose,
			port)
	}
	if rulesOf(*a.observed) > 0 && rulesOf(a.desired) == 0 {
		return whose + "there are no routes here that could serve its requests: attach them first"
	}
	return ""
}

// trusting is a port that would go on to verify clients by a trust store of the giver's, 0 where there is none: nobody could delete that.
func (a *attempt) trusting() int {
	for _, l := range a.desired.Listeners {
		i := slices.IndexFunc(a.observed.Listeners, func(o model.Listener) bool { return o.Port == l.Port && o.MutualAuth != nil })
		if l.MutualAuth == nil && i >= 0 && slices.ContainsFunc(a.taking.seen.TrustStores, func(t model.TrustStore) bool {
			return t.ARN == a.observed.Listeners[i].MutualAuth.TrustStore
		}) {
			return l.Port
		}
	}
	return 0
}

func rulesOf(s model.Stack) int {
	n := 0
	for _, l := range s.Listeners {
		n += len(l.Rules)
	}
	return n
}
