package inventory

import (
	"maps"
	"slices"

	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// What AWS answers to a write says what it holds now, and what was just made has what AWS gives to everything new: none of it needs a
// read. A comparison with AWS reads it all the same, later.

// NewLoadBalancer records that a load balancer was just made: it has no listeners, and AWS's default attributes.
func (i *Inventory) NewLoadBalancer(lb model.LoadBalancer) {
	i.listeners.of(lb.ARN).put(nil, i.now())
	i.attributes.of(lb.ARN).put(plan.LoadBalancerDefaults(lb), i.now())
	i.newAddons(lb.ARN)
}

// NewTargetGroup records that a target group was just made: it has AWS's default attributes, and no targets.
func (i *Inventory) NewTargetGroup(g model.TargetGroup) {
	i.attributes.of(g.ARN).put(plan.TargetGroupDefaults(g), i.now())
	i.behind.of(g.ARN).put(nil, i.now())
}

// NewListener records that a listener was just made: it has no rules, no further certificates, and AWS's default attributes.
func (i *Inventory) NewListener(lb model.ARN, l model.Listener) {
	i.rules.of(l.ARN).put(nil, i.now())
	i.certificates.of(l.ARN).put(nil, i.now())
	i.attributes.of(l.ARN).put(plan.ListenerDefaults(l), i.now())
	i.listeners.of(lb).change(func(all []model.Listener) []model.Listener {
		all = slices.DeleteFunc(slices.Clone(all), func(o model.Listener) bool { return o.ARN == l.ARN })
		all = append(all, l)
		elbv2.SortListeners(all)
		return all
	})
}

// PutRules records rules of a listener as AWS describes them now; the others stay as they are.
func (i *Inventory) PutRules(listener model.ARN, rules ...model.Rule) {
	i.rules.of(listener).change(func(all []model.Rule) []model.Rule {
		all = slices.DeleteFunc(slices.Clone(all), func(r model.Rule) bool {
			return slices.ContainsFunc(rules, func(n model.Rule) bool { return n.ARN == r.ARN })
		})
		all = append(all, rules...)
		elbv2.SortRules(all)
		return all
	})
}

// PutRulesWith records rules of the listener that a rule is on.
func (i *Inventory) PutRulesWith(rule model.ARN, rules ...model.Rule) {
	i.PutRules(listenerOf(rule), rules...)
}

// DropRule records that a rule is gone.
func (i *Inventory) DropRule(rule model.ARN) {
	i.rules.of(listenerOf(rule)).change(func(all []model.Rule) []model.Rule {
		return slices.DeleteFunc(slices.Clone(all), func(r model.Rule) bool { return r.ARN == rule })
	})
}

// DropListener records that a listener is gone, with its rules.
func (i *Inventory) DropListener(listener model.ARN) {
	i.listeners.of(balancerOf(listener)).change(func(all []model.Listener) []model.Listener {
		return slices.DeleteFunc(slices.Clone(all), func(l model.Listener) bool { return l.ARN == listener })
	})
	i.rules.drop(func(a model.ARN) bool { return a == listener })
}

// PutCertificate records that a listener has a further certificate.
func (i *Inventory) PutCertificate(listener, certificate model.ARN) {
	i.certificates.of(listener).change(func(all []model.ARN) []model.ARN {
		return slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(all), certificate))))
	})
}

// DropCertificate records that a listener has a further certificate no more.
func (i *Inventory) DropCertificate(listener, certificate model.ARN) {
	i.certificates.of(listener).change(func(all []model.ARN) []model.ARN {
		return slices.DeleteFunc(slices.Clone(all), func(a model.ARN) bool { return a == certificate })
	})
}

// ChangeAttributes records attributes as AWS describes them now; the others stay as they are.
func (i *Inventory) ChangeAttributes(arn model.ARN, now map[string]string) {
	i.attributes.of(arn).change(func(all map[string]string) map[string]string {
		out := maps.Clone(all)
		maps.Copy(out, now)
		return out
	})
}

// What follows has something read again, after a write of which nobody knows what it did.

// DropListeners has the listeners of a load balancer read again.
func (i *Inventory) DropListeners(lb model.ARN) { i.listeners.of(lb).drop() }

// DropListenersWith has the listeners of the load balancer that a listener is on read again.
func (i *Inventory) DropListenersWith(listener model.ARN) { i.DropListeners(balancerOf(listener)) }

// DropRules has the rules of a listener read again.
func (i *Inventory) DropRules(listener model.ARN) { i.rules.of(listener).drop() }

// DropRulesWith has the rules of the listener that a rule is on read again.
func (i *Inventory) DropRulesWith(rule model.ARN) { i.DropRules(listenerOf(rule)) }

// DropCertificates has the further certificates of a listener read again.
func (i *Inventory) DropCertificates(listener model.ARN) { i.certificates.of(listener).drop() }

// DropAttributes has the attributes of a resource read again.
func (i *Inventory) DropAttributes(arn model.ARN) { i.attributes.of(arn).drop() }
