package build

import (
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// candidate is a route, or an observed rule that is held, on its way to become rules.
type candidate struct {
	// member is the index of its fragment; lost ports are known by it.
	member   int
	fragment *intent.Fragment
	route    *intent.Route
	match    intent.Match
	held     *intent.HeldRule
	// seq is its place within the fragment.
	seq int
	// rank is known where candidates are ranked; placed says that the memory has it in its order, and turn in which build it was last.
	rank   rank
	placed bool
	turn   int
	// made is what it became in the last build; nil where that is not known.
	made *compiled
}

func (c *candidate) place() place {
	if c.held != nil {
		return place{object: c.fragment.Member}
	}
	return routePlace(c.fragment, c.route)
}

// ends tells whether the candidate ends what no other one takes.
func (c *candidate) ends() bool { return c.route != nil && c.route.Ends }

// ports are the listeners that the candidate wants to be on.
func (c *candidate) ports() []int {
	if c.held != nil {
		return []int{c.held.Port}
	}
	return slices.Compact(slices.Sorted(slices.Values(c.route.Ports)))
}

// rules fills the ports in order of precedence. What the quotas leave no room for is left out.
func (b *builder) rules(p ports) {
	drafts := b.drafts(p)
	if b.lay(p, drafts, nil) {
		return
	}
	left := b.leaveOut(p, drafts)
	for u := range left {
		if u.route != nil {
			b.left.routes[u.route] = true
		}
	}
	b.lay(p, drafts, left)
}

// drafts are the rules that the candidates would become.
func (b *builder) drafts(p ports) []draft {
	all := b.candidates()
	out := make([]draft, 0, len(all))
	for _, c := range all {
		if d, ok := b.draft(c, p); ok {
			d.rules = b.withoutLoops(c, d.rules)
			out = append(out, d)
		}
	}
	b.tellLoops()
	return out
}

// lay puts rules on their ports, folded where that is asked for, but for those that are left out, and tells whether the quotas allow them.
func (b *builder) lay(p ports, drafts []draft, left map[unit]bool) bool {
	groups := make(map[string]bool, len(drafts))
	maps.Copy(groups, b.usage.groups)
	for _, one := range p.by {
		share := len(drafts) / len(p.by)
		one.laid, one.redirecting, one.contents = make([]laid, 0, share), nil, make(map[model.Content]bool, share)
		one.caseless = map[string]answered{}
	}
	for _, d := range drafts {
		if left[d.unit()] {
			continue
		}
		for _, o := range d.rules {
			if !o.port.wants(o) || d.ends() && o.port.takes(o.rule) {
				continue
			}
			o.port.add(d, o)
			b.tellCase(d, o)
			eachGroup(o.rule.Actions, func(g string) { groups[g] = true })
		}
	}
	rules := 0
	for _, one := range p.by {
		b.fold(one)
		rules += len(one.laid)
	}
	return rules <= b.quotas.RulesPerLoadBalancer && len(groups) <= b.quotas.TargetGroupsPerLoadBalancer
}

// candidates are all routes and held rules in order of precedence. Fragments that yield come last.
func (b *builder) candidates() []*candidate {
	var out, yielding []*candidate
	for i, f := range b.fragments {
		for _, c := range b.candidatesOf(i, f) {
			if f.Yield && !c.ends() {
				yielding = append(yielding, c)
				continue
			}
			out = append(out, c)
		}
	}
	if b.in.Order == intent.BySpecificity {
		out = b.memory.ranked(out)
		slices.SortFunc(yielding, bySpecificity)
	}
	return slices.Concat(out, yielding)
}

func (b *builder) routesOf(i int, f *intent.Fragment) []*candidate {
	var out []*candidate
	for j := range f.Held {
		if len(f.Held[j].Rule.Actions) > 0 {
			out = append(out, &candidate{member: i, fragment: f, held: &f.Held[j], seq: len(out)})
		}
	}
	for j := range f.Routes {
		r := &f.Routes[j]
		for _, m := range b.split(r.Match) {
			out = append(out, &candidate{member: i, fragment: f, route: r, match: m, seq: len(out)})
		}
	}
	return out
}

// split gives one match for each host and path where routes are ranked by them: they rank differently.
func (b *builder) split(m intent.Match) []intent.Match {
	if b.in.Order != intent.BySpecificity || len(m.Hosts)*max(1, len(m.Paths)) > b.quotas.RulesPerLoadBalancer {
		return []intent.Match{m}
	}
	hosts := [][]string{m.Hosts}
	if len(m.Hosts) > 1 {
		hosts = slices.Collect(slices.Chunk(m.Hosts, 1))
	}
	paths := [][]intent.Path{m.Paths}
	if len(m.Paths) > 1 {
		paths = slices.Collect(slices.Chunk(m.Paths, 1))
	}
	var out []intent.Match
	for _, h := range hosts {
		for _, p := range paths {
			one := m
			one.Hosts, one.Paths = h, p
			out = append(out, one)
		}
	}
	return out
}

// alternatives are the conditions of the rules that a candidate becomes, side by side.
func (b *builder) alternatives(c *candidate) ([][]model.Condition, bool) {
	if c.held != nil {
		return [][]model.Condition{c.held.Rule.Conditions}, true
	}
	out, problem := conditions(c.match, b.quotas.RulesPerLoadBalancer)
	if problem == "" {
		if problem = transformProblem(c.route.Transforms); problem == "" {
			return out, true
		}
	}
	b.wrong(c.place(), "InvalidMatch", "%s", problem)
	return nil, false
}

// rulesOf are the rules of a candidate on one port.
func (b *builder) rulesOf(c *candidate, on *port, alternatives [][]model.Condition) []portRule {
	if c.held != nil {
		r := c.held.Rule
		r.ARN, r.Priority, r.Member = "", 0, c.fragment.Member
		if on.closedTo(c.fragment) && r.Actions[len(r.Actions)-1].Redirect == nil {
			r.Actions, r.Transforms = []model.Action{fixed(503)}, nil
		}
		content := model.ContentOf(r)
		r.Tags = b.tags(content.RuleID(on.number), r.Tags) // those that it has, with ours over them
		return []portRule{{port: on, rule: r, content: content}}
	}
	actions, ok := b.actions(c.fragment, c.route, on)
	if !ok {
		return nil
	}
	tags := b.usableTags(c.route.Tags, addedPlace(place{c.place().object, "tags"}, c.route))
	out := make([]portRule, 0, len(alternatives))
	for _, conditions := range alternatives {
		r := model.Rule{Conditions: conditions, Actions: actions, Transforms: b.transformsOf(c, on, actions), Member: c.place().object}
		if problem := partLoop(on, &r); problem != "" {
			b.wrong(c.place(), "InvalidRedirect", "%s", problem)
			return nil
		}
		if r = model.NormalizeRule(r); r.Member.Name == "" {
			r.Member = c.fragment.Member
		}
		content := model.ContentOf(r)
		r.Tags = b.tags(content.RuleID(on.number), tags)
		one := portRule{port: on, rule: r, content: content}
		if b.in.Order == intent.BySpecificity {
			one.caseless = withoutCase(r)
		}
		out = append(out, one)
	}
	return out
}

// wants tells whether a rule is of use on the port: it does not redirect to itself for ever, no redirect above it answers all that
// it matches, and it is not there already.
func (one *port) wants(r portRule) bool {
	if redirectsToItself(one, r.rule) {
		return false
	}
	return !one.contents[r.content] && !slices.ContainsFunc(one.redirecting, func(above model.Rule) bool {
		return coveredBy(r.rule.Conditions, above.Conditions)
	})
}

// takes tells whether a rule that is there takes everything that another one, after it, would.
func (one *port) takes(r model.Rule) bool {
	return slices.ContainsFunc(one.laid, func(above laid) bool { return coveredBy(r.Conditions, above.rule.Conditions) })
}

func (one *port) add(d draft, r portRule) {
	l := laid{rule: r.rule, fragment: d.fragment}
	if d.held != nil {
		l.fragment = nil
	}
	one.laid = append(one.laid, l)
	one.contents[r.content] = true
	if r.rule.Actions[0].Redirect != nil {
		one.redirecting = append(one.redirecting, r.rule)
	}
}

// onlyValue tells whether a rule matches exactly one value of a field, without wildcards.
func onlyValue(r model.Rule, field, value string) bool {
	return slices.ContainsFunc(r.Conditions, func(c model.Condition) bool {
		plain := c.Values
		if hosts, ok := model.PlainHosts(c); ok {
			plain = hosts
		}
		return c.Field == field && len(plain) == 1 && plain[0] == value && wildcards(value) == 0
	})
}

// coveredBy tells whether every request that meets the narrow conditions meets the wide ones too, as far as their values show it.
func coveredBy(narrow, wide []model.Condition) bool {
	return !slices.ContainsFunc(wide, func(w model.Condition) bool {
		if w.Field == model.FieldPath && slices.Contains(w.Values, "/*") {
			return false
		}
		return !slices.ContainsFunc(narrow, func(n model.Condition) bool {
			return n.Field == w.Field && n.Header == w.Header && within(n.Values, w.Values) && within(n.Regex, w.Regex) && within(n.Query, w.Query)
		})
	})
}

func within[T comparable](part, whole []T) bool {
	return !slices.ContainsFunc(part, func(v T) bool { return !slices.Contains(whole, v) })
}
