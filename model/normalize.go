package model

import (
	"cmp"
	"slices"
)

// Normalize gives the stack with its sets sorted and free of duplicates, so that equal stacks compare equal. It fills nothing
// in, and the argument stays as it was. The order of rules, of actions and of the first certificate of a listener is kept: it has a meaning.
func Normalize(s Stack) Stack {
	if s.LoadBalancer != nil {
		lb := normalizeLoadBalancer(*s.LoadBalancer)
		s.LoadBalancer = &lb
	}
	if s.Frontend != nil {
		front := Normalize(*s.Frontend)
		s.Frontend = &front
	}
	s.Leftovers = mapped(s.Leftovers, normalizeLoadBalancer)
	slices.SortStableFunc(s.Leftovers, func(a, b LoadBalancer) int { return cmp.Compare(a.ARN, b.ARN) })
	s.SecurityGroups = mapped(s.SecurityGroups, normalizeSecurityGroup)
	slices.SortStableFunc(s.SecurityGroups, func(a, b SecurityGroup) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN))
	})
	s.TargetGroups = slices.Clone(s.TargetGroups)
	slices.SortStableFunc(s.TargetGroups, func(a, b TargetGroup) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN))
	})
	s.Certificates = mapped(s.Certificates, normalizeCertificate)
	slices.SortStableFunc(s.Certificates, compareCertificates)
	s.TrustStores, s.Bundles = slices.SortedStableFunc(slices.Values(s.TrustStores), compareTrustStores), set(s.Bundles, compareBundles)
	s.Listeners = mapped(s.Listeners, normalizeListener)
	slices.SortStableFunc(s.Listeners, func(a, b Listener) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
	})
	return s
}

// NormalizeRule sorts the sets of one rule.
func NormalizeRule(r Rule) Rule {
	r.Conditions = normalizeConditions(r.Conditions)
	r.Actions = mapped(r.Actions, normalizeAction)
	return r
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

func normalizeListener(l Listener) Listener {
	if len(l.Certificates) > 0 {
		l.Certificates = append([]ARN{l.Certificates[0]}, set(l.Certificates[1:], cmp.Compare[ARN])...)
	}
	l.DefaultActions = mapped(l.DefaultActions, normalizeAction)
	if l.MutualAuth != nil {
		m := l.MutualAuth.WithDefaults()
		l.MutualAuth = &m
	}
	l.Rules = mapped(l.Rules, NormalizeRule)
	l.Parked = mapped(l.Parked, NormalizeRule)
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
	slices.SortStableFunc(f.Groups, func(a, b WeightedGroup) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.ARN, b.ARN))
	})
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
