package policy

import (
	"slices"
	"strings"
)

// Call is a call that needs a permission.
type Call struct {
	// Action is as in elasticloadbalancing:CreateRule, and Resource an ARN or *.
	Action, Resource string
	// Keys are the condition keys of the call, in small letters, as in aws:requesttag/team.
	Keys map[string][]string
}

// Decision is what a policy says to a call.
type Decision int

// The decisions.
const (
	// NotAllowed says that no statement allows the call.
	NotAllowed Decision = iota
	Allowed
	// Denied says that a statement forbids the call.
	Denied
)

// Decide evaluates all statements: one that denies wins over those that allow.
func (d *Document) Decide(c Call) Decision {
	decision := NotAllowed
	for _, s := range d.statements {
		if !s.covers(c) {
			continue
		}
		if s.deny {
			return Denied
		}
		decision = Allowed
	}
	return decision
}

func (s statement) covers(c Call) bool {
	action := strings.ToLower(c.Action)
	is := func(pattern string) bool { return wild(action, strings.ToLower(pattern)) }
	on := func(pattern string) bool { return wild(c.Resource, pattern) }
	switch {
	case s.actions != nil && !slices.ContainsFunc(s.actions, is), slices.ContainsFunc(s.notActions, is):
		return false
	case s.resources != nil && !slices.ContainsFunc(s.resources, on), slices.ContainsFunc(s.noResources, on):
		return false
	default:
		return !slices.ContainsFunc(s.conditions, func(one condition) bool { return !one.holds(c.Keys) })
	}
}
