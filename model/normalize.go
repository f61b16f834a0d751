package model

import (
	"cmp"
	"slices"
)

// Normalize gives the stack with its sets sorted and free of duplicates, so that equal stacks compare equal. It fills nothing
// in, and the argument stays as it was. The order of rules, of actions and of the first certificate of a listener is kept: it has a meaning.
func Normalize(s Stack) Stack {
	return normalize(s, form{rules: copiedRules, groups: copiedGroups})
}

// Normal is [Normalize] for who changes nothing in place: rules and target groups that are in normal form already are not copied, and are
// those of the argument.
func Normal(s Stack) Stack {
	return normalize(s, form{rules: normalRules, groups: sortedGroups})
}

// form says how what there are many of is brought into normal form.
type form struct {
	rules  func([]Rule) []Rule
	groups func([]TargetGroup) []TargetGroup
}

func normalize(s Stack, by form) Stack {
	if s.LoadBalancer != nil {
		lb := normalizeLoadBalancer(*s.LoadBalancer)
		s.LoadBalancer = &lb
	}
	if s.Frontend != nil {
		front := normalize(*s.Frontend, by)
		s.Frontend = &front
	}
	s.Leftovers = mapped(s.Leftovers, normalizeLoadBalancer)
	slices.SortStableFunc(s.Leftovers, func(a, b LoadBalancer) int { return cmp.Compare(a.ARN, b.ARN) })
	s.SecurityGroups = mapped(s.SecurityGroups, normalizeSecurityGroup)
	slices.SortStableFunc(s.SecurityGroups, func(a, b SecurityGroup) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN))
	})
	s.TargetGroups = by.groups(s.TargetGroups)
	s.Certificates = mapped(s.Certificates, normalizeCertificate)
	slices.SortStableFunc(s.Certificates, compareCertificates)
	s.TrustStores, s.Bundles = slices.SortedStableFunc(slices.Values(s.TrustStores), compareTrustStores), set(s.Bundles, compareBundles)
	s.Listeners = mapped(s.Listeners, by.listener)
	slices.SortStableFunc(s.Listeners, func(a, b Listener) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
	})
	return s
}

// sortedGroups are target groups in order: themselves where they are.
func sortedGroups(in []TargetGroup) []TargetGroup {
	for i := 1; i < len(in); i++ {
		if compareGroups(&in[i-1], &in[i]) > 0 {
			return copiedGroups(in)
		}
	}
	return in
}

func copiedGroups(in []TargetGroup) []TargetGroup {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b TargetGroup) int { return compareGroups(&a, &b) })
	return out
}

func compareGroups(a, b *TargetGroup) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN))
}

// NormalizeRule sorts the sets of one rule, in copies of them.
func NormalizeRule(r Rule) Rule {
	r.Conditions = normalizeConditions(r.Conditions)
	r.Actions = mapped(r.Actions, normalizeAction)
	return r
}

func copiedRules(in []Rule) []Rule { return mapped(in, NormalizeRule) }

// normalRules are rules with their sets sorted: themselves where all are.
func normalRules(in []Rule) []Rule {
	if len(in) == 0 {
		return nil
	}
	for i := range in {
		if !isNormal(&in[i]) {
			return mapped(in, func(r Rule) Rule {
				if isNormal(&r) {
					return r
				}
				return NormalizeRule(r)
			})
		}
	}
	return in
}

// isNormal tells whether [NormalizeRule] would change nothing. It says no where that is not quickly seen.
func isNormal(r *Rule) bool {
	return areNormal(r.Conditions) && (len(r.Actions) > 0 || r.Actions == nil) && !slices.ContainsFunc(r.Actions, unsorted)
}

// areNormal tells whether conditions are in order, each with its sets sorted and nil where they are empty.
func areNormal(conditions []Condition) bool {
	for i := range conditions {
		c := &conditions[i]
		if !isSet(c.Values) || !isSet(c.Regex) || len(c.Query) > 1 || isHollow(c.Values) || isHollow(c.Regex) || isHollow(c.Query) ||
			i > 0 && compareConditions(conditions[i-1], *c) > 0 {
			return false
		}
	}
	return !isHollow(conditions)
}

// isHollow tells whether a list is empty and not nil.
func isHollow[T any](list []T) bool { return list != nil && len(list) == 0 }

// unsorted tells whether an action has sets that may not be in order.
func unsorted(a Action) bool {
	return a.Guards() || a.Forward != nil && !slices.IsSortedFunc(a.Forward.Groups, compareShares)
}

func compareShares(a, b WeightedGroup) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.ARN, b.ARN))
}

func normalizeLoadBalancer(lb LoadBalancer) LoadBalancer {
	lb.Subnets = set(lb.Subnets, cmp.Compare[string])
	lb.SecurityGroups = set(lb.SecurityGroups, compareRefs)
	return lb
}

func normalizeSecurityGroup(g SecurityGroup) SecurityGroup {
	g.Ingress = set(g.Ingress, comparePermissions)
	return g
}

func (by form) listener(l Listener) Listener {
	if len(l.Certificates) > 0 {
		l.Certificates = append([]ARN{l.Certificates[0]}, set(l.Certificates[1:], cmp.Compare[ARN])...)
	}
	l.DefaultActions = mapped(l.DefaultActions, normalizeAction)
	if l.MutualAuth != nil {
		m := l.MutualAuth.WithDefaults()
		l.MutualAuth = &m
	}
	l.Rules, l.Parked = by.rules(l.Rules), by.rules(l.Parked)
	return l
}

func normalizeConditions(in []Condition) []Condition {
	out := mapped(in, func(c Condition) Condition {
		c.Values = set(c.Values, cmp.Compare[string])
		c.Regex = set(c.Regex, cmp.Compare[string])
		c.Query = set(c.Query, comparePairs)
		return c
	})
	slices.SortStableFunc(out, compareConditions)
	return out
}

func normalizeAction(a Action) Action {
	if a.Forward == nil {
		return normalizeGuard(a)
	}
	f := *a.Forward
	f.Groups = slices.Clone(f.Groups)
	slices.SortStableFunc(f.Groups, compareShares)
	a.Forward = &f
	return a
}

func compareConditions(a, b Condition) int {
	return cmp.Or(
		cmp.Compare(a.Field, b.Field), cmp.Compare(a.Header, b.Header),
		slices.Compare(a.Values, b.Values), slices.Compare(a.Regex, b.Regex),
		slices.CompareFunc(a.Query, b.Query, comparePairs))
}

func comparePairs(a, b QueryPair) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
}

func compareRefs(a, b GroupRef) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID))
}

// comparePermissions leaves the description out, as EC2 does.
func comparePermissions(a, b Permission) int {
	return cmp.Or(
		cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.FromPort, b.FromPort), cmp.Compare(a.ToPort, b.ToPort),
		cmp.Compare(a.CIDR, b.CIDR), cmp.Compare(a.PrefixList, b.PrefixList), compareRefs(a.Source, b.Source))
}

// set is a sorted copy without duplicates; nil for none.
func set[T any](in []T, compare func(T, T) int) []T {
	if len(in) == 0 {
		return nil
	}
	out := slices.Clone(in)
	slices.SortStableFunc(out, compare)
	return slices.CompactFunc(out, func(a, b T) bool { return compare(a, b) == 0 })
}

// mapped is a copy with f applied; nil for none.
func mapped[T any](in []T, f func(T) T) []T {
	if len(in) == 0 {
		return nil
	}
	out := make([]T, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}
