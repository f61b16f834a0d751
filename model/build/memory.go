package build

import (
	"reflect"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Memory holds what the last build of a stack made of its routes, so that a change of one route has that one compiled, and the others
// stay what they were. What a route becomes is taken from memory where everything is equal that it was made of: its fragment, what all routes
// share, the ports that it is on, and its target groups as those before it left them. So a build with a memory gives what one without gives.
//
// Fragments are recognised by what they hold, quickest where that is shared with those of the last build. Neither they nor a result may be
// changed in place. The zero Memory knows nothing. It is for one caller at a time.
type Memory struct {
	around  around
	records []*record
	// order are the ranked candidates of the last build.
	order []*candidate
	// groups are the IDs of its target groups, sorted.
	groups []string
	// turn is the number of the build, and compiled how many routes it compiled.
	turn, compiled int
}

// around is what all routes share.
type around struct {
	in            intent.Intent
	vpc           string
	groups        map[string]model.ARN
	quotas        model.Quotas
	ipAddressType string
}

// record is a fragment with what was made of it.
type record struct {
	fragment intent.Fragment
	turn     int
	// stay are the services that a fragment shares with itself: those of IDs that mean one backend in it. Nil until somebody asks.
	stay []*intent.Service
	// candidates in their order, nil until they are split.
	candidates []*candidate
}

// compiled is what a candidate became.
type compiled struct {
	views    []view
	groups   []need
	ok       bool
	rules    []portRule
	findings []model.Finding
}

// view is what a candidate sees of a port.
type view struct {
	number          int
	skipped, closed bool
	protocol        string
}

// need is a target group of a candidate: as those before it left it, and as it left it itself.
type need struct {
	service                 *intent.Service
	id                      string
	before, after           *model.TargetGroup
	knownBefore, knownAfter bool
}

// Compiled is how many routes the last build could not take from memory; a match with several hosts or paths counts once for each where
// routes are ranked by them.
func (m *Memory) Compiled() int { return m.compiled }

// recall begins a build: it finds what is remembered of fragments. Those that are equal to what they were are given as they were, for what is
// remembered points into them.
func (m *Memory) recall(fragments []intent.Fragment) ([]intent.Fragment, []*record) {
	m.turn++
	m.compiled = 0
	out, records := fragments, make([]*record, len(fragments))
	var by map[model.ObjectRef]*record
	for i := range fragments {
		f := &fragments[i]
		r := m.at(i, f.Member)
		if r == nil {
			if by == nil {
				by = m.byMember()
			}
			r = by[f.Member]
		}
		if r == nil || r.turn == m.turn || !r.fragment.Equal(f) {
			r = &record{fragment: *f}
		}
		if records[i] = r; !r.fragment.SharesLists(f) {
			if &out[0] == &fragments[0] {
				out = slices.Clone(fragments)
			}
			out[i] = r.fragment
		}
		r.turn = m.turn
	}
	m.records = records
	return out, records
}

// at is the record at a place if it is that of a member: most are where they were.
func (m *Memory) at(i int, member model.ObjectRef) *record {
	if i < len(m.records) && m.records[i].fragment.Member == member {
		return m.records[i]
	}
	return nil
}

func (m *Memory) byMember() map[model.ObjectRef]*record {
	out := make(map[model.ObjectRef]*record, len(m.records))
	for _, r := range m.records {
		out[r.fragment.Member] = r
	}
	return out
}

// settle compares what all routes share with what it was. Where that differs, nothing is known of any.
func (m *Memory) settle(b *builder) {
	now := around{in: b.in, vpc: b.facts.VPC.ID, groups: b.facts.TargetGroups, quotas: b.quotas, ipAddressType: b.ipAddressType}
	now.in.Fragments, now.in.Before, now.in.Observed = nil, nil, nil
	if reflect.DeepEqual(m.around, now) {
		return
	}
	m.around, m.order = now, nil
	for _, r := range m.records {
		r.candidates = nil
	}
}

// candidatesOf are those of a fragment at index i, as they were where it is what it was.
func (b *builder) candidatesOf(i int, f *intent.Fragment) []*candidate {
	r := b.remembered[i]
	if r.candidates == nil {
		r.candidates = b.routesOf(i, f)
		if b.in.Order == intent.BySpecificity {
			for _, c := range r.candidates {
				c.rank = rankOf(c)
			}
		}
	}
	for _, c := range r.candidates {
		c.member, c.fragment = i, f
	}
	return r.candidates
}

// ranked sorts candidates: those of the last build are in their order but for a few.
func (m *Memory) ranked(all []*candidate) []*candidate {
	for _, c := range all {
		c.turn = m.turn
	}
	known := slices.DeleteFunc(m.order, func(c *candidate) bool { return c.turn != m.turn })
	if !slices.IsSortedFunc(known, bySpecificity) {
		slices.SortFunc(known, bySpecificity)
	}
	var fresh []*candidate
	for _, c := range all {
		if !c.placed {
			fresh, c.placed = append(fresh, c), true
		}
	}
	slices.SortFunc(fresh, bySpecificity)
	m.order = merged(known, fresh)
	return m.order
}

// merged is one sorted list of two.
func merged(a, b []*candidate) []*candidate {
	if len(b) == 0 {
		return a
	}
	out := make([]*candidate, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if bySpecificity(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// draft is what a candidate becomes; false where it becomes nothing.
func (b *builder) draft(c *candidate, p ports) (draft, bool) {
	if c.held == nil && c.made != nil && b.stands(c, p) {
		for _, n := range c.made.groups {
			if n.knownAfter {
				b.groups[n.id] = n.after
			}
		}
		for _, f := range c.made.findings {
			b.findings[f] = true
		}
		return draft{candidate: c, rules: c.made.rules}, c.made.ok
	}
	if c.held != nil {
		rules, ok := b.compile(c, p)
		return draft{candidate: c, rules: rules}, ok
	}
	b.memory.compiled++
	return b.remember(c, p)
}

// stands tells whether a candidate sees what it was compiled with, and has its rules point to the ports of now.
func (b *builder) stands(c *candidate, p ports) bool {
	for _, v := range c.made.views {
		if p.view(v.number, c) != v {
			return false
		}
	}
	for _, n := range c.made.groups {
		if group, known := b.groups[n.id]; group != n.before || known != n.knownBefore || b.groupID(n.service) != n.id {
			return false
		}
	}
	for i := range c.made.rules {
		c.made.rules[i].port = p.by[c.made.rules[i].port.number]
	}
	return true
}

// remember compiles a candidate and notes with what, unless it depends on more than is compared.
func (b *builder) remember(c *candidate, p ports) (draft, bool) {
	made := &compiled{}
	for _, n := range c.ports() {
		made.views = append(made.views, p.view(n, c))
	}
	for s := range c.route.Services() {
		n := need{service: s, id: b.groupID(s)}
		n.before, n.knownBefore = b.groups[n.id]
		made.groups = append(made.groups, n)
	}
	others := b.findings
	b.findings, b.beyond = map[model.Finding]bool{}, false
	made.rules, made.ok = b.compile(c, p)
	for f := range b.findings {
		made.findings = append(made.findings, f)
		others[f] = true
	}
	b.findings = others
	for i := range made.groups {
		n := &made.groups[i]
		n.after, n.knownAfter = b.groups[n.id]
	}
	if c.made = made; b.beyond {
		c.made = nil
	}
	return draft{candidate: c, rules: made.rules}, made.ok
}

// view is what a candidate sees of a port.
func (p ports) view(number int, c *candidate) view {
	one := p.by[number]
	if one == nil || one.redirects || p.lost[c.member][number] {
		return view{number: number, skipped: true}
	}
	return view{number: number, protocol: one.protocol, closed: one.closedTo(c.fragment)}
}

// compile makes the rules of a candidate. Of the world it sees only what is compared: see [around].
func (b *builder) compile(c *candidate, p ports) ([]portRule, bool) {
	facts := b.facts
	defer func() { b.facts = facts }()
	b.facts = model.Facts{VPC: model.VPC{ID: facts.VPC.ID}, TargetGroups: facts.TargetGroups}
	alternatives, ok := b.alternatives(c)
	if !ok {
		return nil, false
	}
	var out []portRule
	for _, n := range c.ports() {
		if !p.view(n, c).skipped {
			out = append(out, b.rulesOf(c, p.by[n], alternatives)...)
		}
	}
	return out, true
}

// sortedGroups are IDs in order, of which most are those of the last build.
func (m *Memory) sortedGroups(used map[string]bool) []string {
	out := make([]string, 0, len(used))
	for _, id := range m.groups {
		if used[id] {
			out = append(out, id)
		}
	}
	if len(out) < len(used) {
		known := len(out)
		for id := range used {
			if _, found := slices.BinarySearch(out[:known], id); !found {
				out = append(out, id)
			}
		}
		slices.Sort(out)
	}
	m.groups = out
	return out
}
