package plan

import (
	"fmt"
	"slices"

	"github.com/headgate/headgate/model"
)

func (w *world) listener(c Change) error {
	if w.LoadBalancer == nil {
		return fmt.Errorf("load balancer: %w", errMissing)
	}
	w.Listeners = slices.Clone(w.Listeners)
	i := slices.IndexFunc(w.Listeners, func(l model.Listener) bool { return l.Port == c.Port })
	if c.Op == CreateListener {
		if i >= 0 {
			return errExists
		}
		l := *c.Listener
		l.ARN, l.Rules, l.Attributes = w.arn(c.Key), nil, ListenerDefaults(l)
		if len(l.Certificates) > 1 {
			l.Certificates = l.Certificates[:1]
		}
		l.Certificates = w.certificateARNs(l.Certificates)
		var err error
		if l.MutualAuth, err = w.trusting(l.MutualAuth); err != nil {
			return err
		}
		l.DefaultActions, err = w.refer(l.DefaultActions)
		w.Listeners = append(w.Listeners, l)
		return err
	}
	if i < 0 {
		return errMissing
	}
	l := &w.Listeners[i]
	switch c.Op {
	case ModifyListener:
		l.Protocol, l.SSLPolicy = c.Listener.Protocol, c.Listener.SSLPolicy
		m, err := w.trusting(c.Listener.MutualAuth)
		if err != nil {
			return err
		}
		if m != nil {
			l.MutualAuth = m
		}
		l.Certificates = w.certificateARNs(changedDefault(l.Certificates, *c.Listener))
		l.DefaultActions, err = w.refer(c.Listener.DefaultActions)
		return err
	case SetRulePriorities:
		return w.setPriorities(l, c.Priorities)
	case DeleteListener:
		if w.led(w.LoadBalancer.ARN, l.Port) {
			return errInUse
		}
		w.Listeners = slices.Delete(w.Listeners, i, i+1)
		return nil
	default:
		return w.certificates(l, c)
	}
}

// changedDefault keeps the certificates for names: AWS does not change them with the default.
func changedDefault(have []model.ARN, want model.Listener) []model.ARN {
	if !tls(want) {
		return nil
	}
	return append(slices.Clone(want.Certificates[:1]), rest(have)...)
}

func (w *world) certificates(l *model.Listener, c Change) error {
	switch c.Op {
	case AddListenerCertificates:
		if len(l.Certificates) == 0 {
			return fmt.Errorf("default certificate: %w", errMissing)
		}
		l.Certificates = slices.Concat(l.Certificates, w.certificateARNs(c.Certificates))
		return nil
	case RemoveListenerCertificates:
		kept := l.Certificates[:1:1]
		if slices.Contains(c.Certificates, kept[0]) && !slices.Contains(rest(l.Certificates), kept[0]) {
			return fmt.Errorf("default certificate: %w", errInUse)
		}
		for _, arn := range rest(l.Certificates) {
			if !slices.Contains(c.Certificates, arn) {
				kept = append(kept, arn)
			}
		}
		l.Certificates = kept
		return nil
	default:
		return settle(c, ModifyListenerAttributes, &l.Attributes, &l.Tags)
	}
}

func (w *world) setPriorities(l *model.Listener, list []RulePriority) error {
	l.Rules = slices.Clone(l.Rules)
	for _, n := range list {
		i := slices.IndexFunc(l.Rules, func(r model.Rule) bool {
			if n.ARN != "" {
				return r.ARN == n.ARN
			}
			return r.ARN == w.made(n.Key)
		})
		if i < 0 {
			return fmt.Errorf("rule %s %s: %w", n.ARN, n.Key, errMissing)
		}
		l.Rules[i].Priority = n.Priority
	}
	return sortRules(l.Rules)
}

func sortRules(rules []model.Rule) error {
	slices.SortStableFunc(rules, func(a, b model.Rule) int { return a.Priority - b.Priority })
	for i := 1; i < len(rules); i++ {
		if rules[i].Priority == rules[i-1].Priority {
			return fmt.Errorf("priority %d: %w", rules[i].Priority, errInUse)
		}
	}
	return nil
}

func (w *world) rule(c Change) error {
	w.Listeners = slices.Clone(w.Listeners)
	i := slices.IndexFunc(w.Listeners, func(l model.Listener) bool { return l.Port == c.Port })
	if i < 0 {
		return fmt.Errorf("listener %d: %w", c.Port, errMissing)
	}
	l := &w.Listeners[i]
	l.Rules = slices.Clone(l.Rules)
	if c.Op == CreateRule {
		r := *c.Rule
		r.ARN, r.Priority, r.Member = w.arn(c.Key), c.Priority, model.ObjectRef{}
		var err error
		if r.Actions, err = w.refer(r.Actions); err != nil {
			return err
		}
		l.Rules = append(l.Rules, r)
		if err := sortRules(slices.Concat(l.Rules, l.Parked)); err != nil {
			return err
		}
		l.Park()
		return sortRules(l.Rules)
	}
	if c.Op == DeleteRule && w.leave(l, c) {
		return nil
	}
	j := slices.IndexFunc(l.Rules, func(r model.Rule) bool { return r.ARN == c.ARN })
	if j < 0 {
		return errMissing
	}
	r := &l.Rules[j]
	switch c.Op {
	case ModifyRule:
		r.Conditions, r.Transforms = c.Rule.Conditions, c.Rule.Transforms
		var err error
		r.Actions, err = w.refer(c.Rule.Actions)
		return err
	case DeleteRule:
		l.Rules = slices.Delete(l.Rules, j, j+1)
		return nil
	default:
		return settle(c, "", new(map[string]string), &r.Tags)
	}
}

// leave deletes a rule that parks a target group; false where it is another rule. One that the same plan made has no ARN there.
func (w *world) leave(l *model.Listener, c Change) bool {
	arn := c.ARN
	if arn == "" {
		arn = w.made(c.Key)
	}
	before := len(l.Parked)
	l.Parked = slices.DeleteFunc(slices.Clone(l.Parked), func(r model.Rule) bool { return r.ARN == arn })
	return len(l.Parked) < before
}

// refer is actions with the ARN of every target group, as an observation has them. A group of another load balancer is refused.
func (w *world) refer(actions []model.Action) ([]model.Action, error) {
	out := model.SansSecrets(actions)
	for i, a := range out {
		if a.Forward == nil {
			continue
		}
		f := *a.Forward
		f.Groups = slices.Clone(f.Groups)
		for j, g := range f.Groups {
			if g.Key == "" {
				continue
			}
			f.Groups[j].ARN = w.groupARN(g)
			if err := w.attachable(f.Groups[j].ARN); err != nil {
				return nil, err
			}
		}
		out[i].Forward = &f
	}
	return out, nil
}

func (w *world) attachable(arn model.ARN) error {
	for _, g := range w.TargetGroups {
		if g.ARN != arn {
			continue
		}
		for _, lb := range g.LoadBalancers {
			if lb != w.LoadBalancer.ARN {
				return fmt.Errorf("target group %s: %w", g.Name, errInUse)
			}
		}
		return nil
	}
	return fmt.Errorf("target group %s: %w", arn, errMissing)
}

// attach brings up to date which load balancers use a target group, now that the resource gone may be deleted.
func (w *world) attach(gone model.ARN) {
	used := map[model.ARN]bool{}
	mark := func(actions []model.Action) {
		for _, a := range actions {
			if a.Forward == nil {
				continue
			}
			for _, g := range a.Forward.Groups {
				used[w.groupARN(g)] = true
			}
		}
	}
	for _, l := range w.Listeners {
		mark(l.DefaultActions)
		for _, r := range slices.Concat(l.Rules, l.Parked) {
			mark(r.Actions)
		}
	}
	groups := slices.Clone(w.TargetGroups)
	for i, g := range groups {
		users := slices.DeleteFunc(slices.Clone(g.LoadBalancers), func(arn model.ARN) bool {
			return arn == gone || w.LoadBalancer != nil && arn == w.LoadBalancer.ARN
		})
		if w.LoadBalancer != nil && used[g.ARN] {
			users = append(users, w.LoadBalancer.ARN)
		}
		groups[i].LoadBalancers = users
	}
	w.TargetGroups = groups
}

// groupARN is the group that a reference means; a reference by key alone is to the only one of that ID.
func (w *world) groupARN(g model.WeightedGroup) model.ARN {
	if g.ARN != "" {
		return g.ARN
	}
	return w.newest(g.Key)
}
