package build

import (
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// draft is a candidate with the rules that it would become.
type draft struct {
	*candidate

	rules []portRule
}

// portRule is a rule on a port.
type portRule struct {
	port    *port
	rule    model.Rule
	content model.Content
	// caseless is what it matches without regard to case, where AWS looks at none and users may mean it; else empty.
	caseless string
}

// unit is what is served as a whole or left out as a whole: a route with all its rules, or a rule that is held.
type unit struct {
	route *intent.Route
	held  *intent.HeldRule
}

func (d draft) unit() unit { return unit{d.route, d.held} }

// request is what a unit needs of the load balancer.
type request struct {
	unit

	fragment *intent.Fragment
	at       place
	rules    []portRule
	groups   []string
}

// requests are the units in order of precedence.
func requests(drafts []draft) []*request {
	var out []*request
	by := map[unit]*request{}
	for _, d := range drafts {
		r := by[d.unit()]
		if r == nil {
			r = &request{unit: d.unit(), fragment: d.fragment, at: d.place()}
			by[d.unit()] = r
			out = append(out, r)
		}
		r.rules = append(r.rules, d.rules...)
		for _, one := range d.rules {
			r.groups = append(r.groups, groupNamesOf(one.rule.Actions)...)
		}
	}
	return out
}

// groupNamesOf names the target groups of actions, those of the stack apart from others.
func groupNamesOf(actions []model.Action) []string {
	var out []string
	eachGroup(actions, func(g string) { out = append(out, g) })
	return out
}

func eachGroup(actions []model.Action, visit func(string)) {
	for i := range actions {
		if actions[i].Forward == nil {
			continue
		}
		for _, g := range actions[i].Forward.Groups {
			visit(groupName(g))
		}
	}
}

func groupName(g model.WeightedGroup) string {
	if g.Key != "" {
		return g.Key
	}
	return string(g.ARN)
}

// seats divides the room of a load balancer.
type seats struct {
	b        *builder
	contents map[int]map[model.Content]bool
	// ends are the rules that have a seat and end what others do not take; takers are those that spare such a rule its seat.
	ends, takers []portRule
	rules        int
	mostRules    int
	groups       map[string]bool
	// left are the units that have no room, or none yet; lays tells whether all others fit when they are folded. folds says that some do
	// only so: counting one by one says nothing from then on.
	left  map[unit]bool
	lays  func(left map[unit]bool) bool
	folds bool
}

// leaveOut says which units have no room, and tells their owners. Who stands keeps what it has: first come the units that are served now
// and need no more than before, then what a member asks for in place of others of its own, then the rest, each in order of precedence.
// So a newcomer takes nothing from those who are there, and what a deletion frees goes to the first that waits.
func (b *builder) leaveOut(p ports, drafts []draft) map[unit]bool {
	all, stood := endsFirst(requests(drafts)), b.standings()
	s := b.newSeats(p, drafts, all)
	var edits, rest []*request
	for _, r := range all {
		had := stood[r.fragment]
		if !had.keeps(r) {
			edits = append(edits, r)
			continue
		}
		if !had.folded && !r.fragment.Fold {
			// AWS holds these rules: where there are more than the quota that we know of, the account's is higher.
			s.mostRules = max(s.mostRules, s.rules+s.more(r))
		}
		if !s.admit(r) {
			rest = append(rest, r)
			continue
		}
		had.sit(r)
	}
	for _, r := range edits {
		had := stood[r.fragment]
		if !had.seats(r) || !s.admit(r) {
			rest = append(rest, r)
			continue
		}
		had.sit(r)
	}
	for _, r := range inOrder(all, rest) {
		if !s.admit(r) {
			s.tell(r, stood[r.fragment].replaces(r))
		}
	}
	return s.left
}

func (b *builder) newSeats(p ports, drafts []draft, all []*request) *seats {
	s := &seats{
		b: b, contents: map[int]map[model.Content]bool{}, mostRules: b.quotas.RulesPerLoadBalancer, groups: maps.Clone(b.usage.groups),
		left: map[unit]bool{}, lays: func(left map[unit]bool) bool { return b.lay(p, drafts, left) },
	}
	for _, r := range all {
		s.left[r.unit] = true
	}
	return s
}

// admit takes a unit from those left out, if there is room: counted one by one, or where that is too much, as it is when rules are folded.
func (s *seats) admit(r *request) bool {
	fits := !s.folds && s.take(r)
	delete(s.left, r.unit)
	if !fits && (s.folds || r.fragment.Fold) && s.lays(s.left) {
		s.folds, fits = true, true
		s.count(r)
	}
	if !fits {
		s.left[r.unit] = true
	}
	return fits
}

// inOrder are some of all requests, in the order of all.
func inOrder(all, some []*request) []*request {
	return slices.DeleteFunc(slices.Clone(all), func(r *request) bool { return !slices.Contains(some, r) })
}

// endsFirst puts what ends requests before all else: without it they would go to others than they are for.
func endsFirst(all []*request) []*request {
	slices.SortStableFunc(all, func(a, c *request) int { return standsFirst(a.ends(), c.ends()) })
	return all
}

func (r *request) ends() bool { return r.route != nil && r.route.Ends }

// more is how many rules a unit adds, less those that are not needed any more with it.
func (s *seats) more(r *request) int {
	n := 0
	for _, one := range r.rules {
		if s.contents[one.port.number][one.content] {
			continue
		}
		if !r.ends() {
			n += 1 - len(s.spared(r, one))
		} else if !s.needless(one) {
			n++
		}
	}
	return n
}

// needless tells whether a rule that ends what is left would find nothing.
func (s *seats) needless(end portRule) bool {
	return slices.ContainsFunc(s.takers, func(above portRule) bool { return above.spares(end) })
}

// spared are the rules with a seat that a rule of a unit makes needless.
func (s *seats) spared(r *request, one portRule) []portRule {
	if r.fragment.Yield {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.ends), func(end portRule) bool { return !one.spares(end) })
}

// spares tells whether a rule comes before one that ends what is left, of the same hosts, and leaves nothing.
func (r portRule) spares(end portRule) bool {
	return r.port == end.port && coveredBy(end.rule.Conditions, r.rule.Conditions) &&
		slices.ContainsFunc(r.rule.Conditions, func(c model.Condition) bool { return c.Field == model.FieldHost })
}

func (s *seats) moreGroups(r *request) int {
	fresh := map[string]bool{}
	for _, g := range r.groups {
		if !s.groups[g] {
			fresh[g] = true
		}
	}
	return len(fresh)
}

// take gives a unit its room, if there is enough.
func (s *seats) take(r *request) bool {
	n := s.more(r)
	if n > 0 && s.rules+n > s.mostRules || s.moreGroups(r) > 0 && len(s.groups)+s.moreGroups(r) > s.b.quotas.TargetGroupsPerLoadBalancer {
		return false
	}
	s.count(r)
	return true
}

// count notes what a unit uses.
func (s *seats) count(r *request) {
	s.rules += s.more(r)
	for _, one := range r.rules {
		if s.contents[one.port.number] == nil {
			s.contents[one.port.number] = map[model.Content]bool{}
		}
		s.contents[one.port.number][one.content] = true
		if r.ends() {
			if !s.needless(one) {
				s.ends = append(s.ends, one)
			}
			continue
		}
		spared := s.spared(r, one)
		s.ends = slices.DeleteFunc(s.ends, func(end portRule) bool {
			return slices.ContainsFunc(spared, func(o portRule) bool { return o.port == end.port && o.content == end.content })
		})
		if !r.fragment.Yield {
			s.takers = append(s.takers, one)
		}
	}
	for _, g := range r.groups {
		s.groups[g] = true
	}
}

// tell tells the owner of a unit that has no room. Where it was to take the place of one that is served, that one stays.
func (s *seats) tell(r *request, replaces bool) {
	severity := model.Answered
	if replaces && r.route != nil {
		severity = model.Wrong
	}
	if n := s.more(r); s.rules+n > s.mostRules {
		s.b.overQuota(r.at, severity, quotaRules, excess{count(n, "rule"), min(s.rules, s.mostRules), s.mostRules})
		return
	}
	s.b.overQuota(r.at, severity, quotaGroups, excess{
		count(s.moreGroups(r), "target group"), len(s.groups), s.b.quotas.TargetGroupsPerLoadBalancer,
	})
}

// reserve takes the target groups of a default answer where there is room beside those that rules stand on. Where there is none its owner
// is told; stands says that it has a default answer now, which stays then.
func (b *builder) reserve(groups []string, at place, stands bool) bool {
	used := maps.Clone(b.usage.groups)
	if b.ids == nil {
		b.identify()
	}
	if len(groups) > 0 && len(b.ids) > b.quotas.TargetGroupsPerLoadBalancer {
		maps.Copy(used, b.stoodOn())
	}
	before := len(used)
	for _, g := range groups {
		used[g] = true
	}
	if limit := b.quotas.TargetGroupsPerLoadBalancer; len(used) > max(limit, before) {
		severity := model.Answered
		if stands {
			severity = model.Wrong
		}
		b.overQuota(at, severity, quotaGroups, excess{count(len(used)-before, "target group"), before, limit})
		return false
	}
	for _, g := range groups {
		b.usage.groups[g] = true
	}
	return true
}

// stoodOn are the target groups that members are served by and still ask for.
func (b *builder) stoodOn() map[string]bool {
	out := map[string]bool{}
	for f, had := range b.standings() {
		for s := range servicesOf(f) {
			if id := b.groupID(s); had.groups[id] {
				out[id] = true
			}
		}
	}
	return out
}
