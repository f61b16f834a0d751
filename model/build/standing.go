package build

import (
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// standing is what a member is served until now.
type standing struct {
	// matches are the conditions of its rules by port, in the form that does not depend on the encoding of hosts.
	matches map[int]map[string]bool
	groups  map[string]bool
	// rules is how many it has; sat and sitting are what this build gave it of rules and groups.
	rules, sat int
	sitting    map[string]bool
	// folded says that AWS may hold fewer rules than these.
	folded bool
}

// standings are what the members are served: what they asked for when they were last good and had room. Of one of whom nothing is
// remembered it is what AWS holds.
func (b *builder) standings() map[*intent.Fragment]*standing {
	out := map[*intent.Fragment]*standing{}
	for _, f := range b.fragments {
		one := &standing{matches: map[int]map[string]bool{}, groups: map[string]bool{}, sitting: map[string]bool{}}
		out[f] = one
		if before := b.before(f); before != nil {
			one.remember(b.past, before)
		} else {
			one.observe(b, f)
		}
	}
	return out
}

func (one *standing) add(port int, conditions []model.Condition) {
	if one.matches[port] == nil {
		one.matches[port] = map[string]bool{}
	}
	one.matches[port][plainText(model.Rule{Conditions: conditions})] = true
	one.rules++
}

func plainText(r model.Rule) string { return model.ContentOf(r).Plain }

// remember takes what a fragment was served.
func (one *standing) remember(past *builder, before *intent.Fragment) {
	one.folded = before.Fold
	for r := range routesOf(before) {
		if r.Left || r.Forward == nil {
			continue
		}
		for _, be := range r.Forward.Backends {
			switch {
			case be.Service != nil:
				one.groups[past.groupID(be.Service)] = true
			case be.TargetGroupARN != "":
				one.groups[be.TargetGroupARN] = true
			default:
				one.groups[string(past.facts.TargetGroups[be.TargetGroupName])] = true
			}
		}
	}
	for i := range before.Routes {
		if before.Routes[i].Left {
			continue
		}
		for _, m := range past.split(before.Routes[i].Match) {
			alternatives, _ := conditions(m, past.quotas.RulesPerLoadBalancer)
			for _, port := range before.Routes[i].Ports {
				for _, c := range alternatives {
					one.add(port, c)
				}
			}
		}
	}
}

// observe takes the observed rules that forward to the target groups of a member alone, or to none.
func (one *standing) observe(b *builder, f *intent.Fragment) {
	mine := map[string]bool{}
	for s := range servicesOf(f) {
		mine[b.groupID(s)] = true
	}
	for _, l := range b.in.Observed {
		for _, r := range l.Rules {
			groups := groupNamesOf(r.Actions)
			if slices.ContainsFunc(groups, func(g string) bool { return !mine[g] }) {
				continue
			}
			one.add(l.Port, r.Conditions)
			for _, g := range groups {
				one.groups[g] = true
			}
		}
	}
}

// keeps tells whether a unit is served now and needs no more than it has.
func (one *standing) keeps(r *request) bool {
	return r.held != nil ||
		!slices.ContainsFunc(r.rules, func(o portRule) bool { return !one.matches[o.port.number][o.content.Plain] }) &&
			!slices.ContainsFunc(r.groups, func(g string) bool { return !one.groups[g] })
}

// replaces tells whether a unit is served now in another form.
func (one *standing) replaces(r *request) bool {
	return slices.ContainsFunc(r.rules, func(o portRule) bool { return one.matches[o.port.number][o.content.Plain] })
}

// seats tells whether the member has no more with a unit than it had.
func (one *standing) seats(r *request) bool {
	groups := map[string]bool{}
	for _, g := range r.groups {
		if !one.sitting[g] {
			groups[g] = true
		}
	}
	return one.sat+len(r.rules) <= one.rules && len(one.sitting)+len(groups) <= len(one.groups)
}

func (one *standing) sit(r *request) {
	one.sat += len(r.rules)
	for _, g := range r.groups {
		one.sitting[g] = true
	}
}
