package golden_test

import (
	"slices"

	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
)

// ends are the stacks of an account without what only AWS decides: ARNs, states, priorities. Two ways to the same end differ in
// nothing else.
func ends(account *preview.Account) []model.Stack {
	var out []model.Stack
	for _, s := range account.Stacks() {
		out = append(out, bare(s))
	}
	return out
}

func bare(s model.Stack) model.Stack {
	own := map[model.ARN]model.ARN{}
	for _, c := range s.Certificates {
		own[c.ARN] = c.Reference()
	}
	s = model.Normalize(s)
	if s.Frontend != nil {
		front := bare(*s.Frontend)
		bareBehind(front, s.LoadBalancer)
		s.Frontend = &front
	}
	if s.LoadBalancer != nil {
		lb := bareBalancer(*s.LoadBalancer)
		s.LoadBalancer = &lb
	}
	for i, lb := range s.Leftovers {
		s.Leftovers[i] = bareBalancer(lb)
	}
	for i := range s.SecurityGroups {
		s.SecurityGroups[i].ARN = ""
	}
	for i := range s.TargetGroups {
		g := &s.TargetGroups[i]
		g.ARN, g.LoadBalancers, g.Backend = "", nil, model.Backend{}
	}
	for i := range s.Certificates {
		s.Certificates[i].ARN = ""
	}
	for i := range s.Listeners {
		l := &s.Listeners[i]
		l.ARN = ""
		bareCertificates(l.Certificates, own)
		bareActions(l.DefaultActions)
		for j := range l.Rules {
			r := &l.Rules[j]
			r.ARN, r.Priority, r.Member = "", 0, model.ObjectRef{}
			bareActions(r.Actions)
		}
	}
	return s
}

// bareBehind empties the ARN of the load balancer behind a frontend, where its target groups lead to that one.
func bareBehind(front model.Stack, lb *model.LoadBalancer) {
	for i, g := range front.TargetGroups {
		if g.Behind != nil && lb != nil && g.Behind.ID == string(lb.ARN) {
			front.TargetGroups[i].Behind = &model.Target{Port: g.Behind.Port}
		}
	}
}

// bareCertificates names the stack's own certificates as a wanted listener does. Normalising has made copies.
func bareCertificates(certificates []model.ARN, own map[model.ARN]model.ARN) {
	for i, arn := range certificates {
		if ref, ok := own[arn]; ok {
			certificates[i] = ref
		}
	}
	if len(certificates) > 1 {
		slices.Sort(certificates[1:])
	}
}

func bareBalancer(lb model.LoadBalancer) model.LoadBalancer {
	lb.ARN, lb.DNSName, lb.State = "", "", ""
	return lb
}

// bareActions empties the ARNs of what has a key. Normalising has made copies.
func bareActions(actions []model.Action) {
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for i := range a.Forward.Groups {
			if a.Forward.Groups[i].Key != "" {
				a.Forward.Groups[i].ARN = ""
			}
		}
	}
}
