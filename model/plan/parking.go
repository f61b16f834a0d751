package plan

import (
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// A target group is used when its targets are healthy: see docs/design/planning.md. One whose health AWS does not check yet is parked
// meanwhile: a rule that no request can match forwards to it.

// parking is which target groups are waited for, and where AWS checks their health.
type parking struct {
	// needs are what is waited for, by the resource ID of the group; hosts for whom.
	needs map[string]*Need
	hosts map[string][]string
	// spots are the changes that park a group, by its resource ID; 0 where it is attached already.
	spots map[string]int
	// evicted are the changes that free the room of new rules.
	evicted []int
	// uses are the changes after which a group answers requests, by its resource ID.
	uses map[string][]int
}

// await notes the target groups that begin to answer requests which something else answers now. What no rule answers and the listener
// says 404 to, nobody misses.
func (p *planner) await(edits []*edit) {
	p.parking = parking{needs: map[string]*Need{}, hosts: map[string][]string{}, spots: map[string]int{}, uses: map[string][]int{}}
	if p.opts.Met == nil || p.front || p.keep == nil || p.keep.Type != "application" {
		return
	}
	var serving map[model.ARN]bool
	for _, e := range edits {
		if e.quiet || !e.exists() || !e.alters() {
			continue
		}
		if serving == nil {
			serving = p.serving()
		}
		p.awaitListener(e, serving)
	}
	for _, key := range keysOf(p.parking.needs) {
		met, note := p.opts.Met(*p.parking.needs[key])
		if note != "" {
			p.note(note)
		}
		if met {
			delete(p.parking.needs, key)
		}
	}
}

// alters tells whether some answer of a listener will be another one.
func (e *edit) alters() bool { return e.answers || slices.Contains(e.match.same, false) }

// awaitListener notes those of one listener's rules and default actions.
func (p *planner) awaitListener(e *edit, serving map[model.ARN]bool) {
	wantOf := e.match.wantOf(len(e.have.Rules))
	for i, r := range e.want.Rules {
		if e.match.haveOf[i] >= 0 && e.match.same[i] {
			continue
		}
		if old, answered := e.answering(i, reachOf(r), wantOf); answered {
			p.awaitEach(r, old, serving)
		}
	}
	if !e.answers {
		return
	}
	if old, answered := e.answering(len(e.want.Rules), reach{}, wantOf); answered {
		p.awaitEach(model.Rule{Actions: e.want.DefaultActions}, old, serving)
	}
}

// serving are the target groups that answer requests now: AWS has checked their health all along.
func (p *planner) serving() map[model.ARN]bool {
	out := map[model.ARN]bool{}
	for _, l := range p.have.Listeners {
		for _, g := range forwards(l.DefaultActions) {
			out[g.ARN] = true
		}
		for _, r := range l.Rules {
			for _, g := range forwards(r.Actions) {
				out[g.ARN] = true
			}
		}
	}
	return out
}

// answering are the target groups that answer requests now which the wanted rule of that index and reach will, and whether anything does.
// What meets the conditions of a rule above it, which both lists have, that one answers.
func (e *edit) answering(want int, r reach, wantOf []int) (old []model.WeightedGroup, answered bool) {
	for j, above := range wantOf {
		if above >= 0 && above < want {
			continue
		}
		if have := e.have.Rules[j]; reachOf(have).meets(r) {
			answered = true
			old = append(old, forwards(have.Actions)...)
		}
	}
	if !nobody(e.have.DefaultActions) {
		answered = true
		old = append(old, forwards(e.have.DefaultActions)...)
	}
	return old, answered
}

// nobody tells whether default actions say that there is nothing.
func nobody(actions []model.Action) bool {
	return len(actions) == 1 && actions[0].FixedResponse != nil && actions[0].FixedResponse.StatusCode == "404"
}

// forwards are the target groups that actions send requests to.
func forwards(actions []model.Action) []model.WeightedGroup {
	var out []model.WeightedGroup
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for _, g := range a.Forward.Groups {
			if g.Weight > 0 {
				out = append(out, g)
			}
		}
	}
	return out
}

// awaitEach notes the stack's own target groups of a rule, but for those that serve already.
func (p *planner) awaitEach(r model.Rule, old []model.WeightedGroup, serving map[model.ARN]bool) {
	for _, g := range forwards(r.Actions) {
		if g.Key == "" || serving[g.ARN] {
			continue
		}
		need := p.parking.needs[g.Key]
		if need == nil {
			need = &Need{Key: targetGroupKey(g.Key), ARN: g.ARN, State: StateHealthy}
			p.parking.needs[g.Key] = need
		}
		for _, o := range old {
			need.Instead = append(need.Instead, o.ARN)
		}
		slices.Sort(need.Instead)
		need.Instead = slices.Compact(need.Instead)
		p.parking.hosts[g.Key] = append(p.parking.hosts[g.Key], hostsOf(r)...)
	}
}

// park has AWS check the health of every target group that is waited for. Where the load balancer has no room for that, the group is used
// unchecked, and the plan says so.
func (p *planner) park(edits []*edit, room int) {
	if len(p.parking.needs) == 0 {
		return
	}
	probed := p.probed()
	lone := slices.DeleteFunc(keysOf(p.parking.needs), func(key string) bool {
		arn := p.parking.needs[key].ARN
		return arn != "" && probed[arn]
	})
	// All that others use from now on is there, or made beside.
	groups := p.opts.Quotas.TargetGroupsPerLoadBalancer - len(p.everyUse(edits).uses) + len(lone)
	for _, key := range lone {
		need, e := p.parking.needs[key], p.lot(edits)
		if e == nil || room <= 0 || groups <= 0 {
			p.noteUnchecked(key)
			delete(p.parking.needs, key)
			continue
		}
		room, groups = room-1, groups-1
		r := model.Parking(p.want.Owner, model.WeightedGroup{Key: key, ARN: need.ARN})
		p.parking.spots[key] = p.create(Change{
			Op: CreateRule, Action: Create, Key: model.Key{Kind: model.KindRule, ID: model.ParkingID(key)}, Port: e.want.Port, Rule: &r,
			Priority: e.spot(len(p.parking.spots)), After: []int{p.makes[targetGroupKey(key)]},
			Fields: []Field{{Name: "answer", New: answerText(r.Actions, nil)}},
			Why:    "no request matches it: AWS checks the health of the targets",
		})
	}
}

// probed are the target groups whose health AWS checks: by any use, but on listeners that go.
func (p *planner) probed() map[model.ARN]bool {
	out := map[model.ARN]bool{}
	for _, l := range p.have.Listeners {
		if !p.stands(l) {
			continue
		}
		for _, r := range slices.Concat(l.Rules, l.Parked, []model.Rule{{Actions: l.DefaultActions}}) {
			for _, a := range r.Actions {
				if a.Forward == nil {
					continue
				}
				for _, g := range a.Forward.Groups {
					out[g.ARN] = true
				}
			}
		}
	}
	return out
}

// stands tells whether an observed listener stays.
func (p *planner) stands(l model.Listener) bool {
	return slices.ContainsFunc(p.want.Listeners, func(w model.Listener) bool { return p.listenerKey(w) == p.listenerKey(l) })
}

// lot is the listener whose rules park target groups: the first that is there and takes rules.
func (p *planner) lot(edits []*edit) *edit {
	for _, e := range edits {
		if e.exists() && (e.have.Protocol == "HTTP" || e.have.Protocol == "HTTPS") {
			return e
		}
	}
	return nil
}

// spot is a free number for the nth rule that parks a target group: from the end, where no rule that answers is put.
func (e *edit) spot(n int) int {
	taken := map[int]bool{}
	for _, r := range slices.Concat(e.have.Rules, e.have.Parked) {
		taken[r.Priority] = true
	}
	for p := maxPriority; ; p-- {
		if taken[p] {
			continue
		}
		if n == 0 {
			return p
		}
		n--
	}
}

// unpark deletes the rules that park a target group when it answers requests, and those that nobody waits for.
func (p *planner) unpark(edits []*edit) {
	for _, e := range edits {
		for _, r := range e.have.Parked {
			if g, ok := parkedGroup(r); ok {
				p.unparkOne(e, r, g)
			}
		}
	}
	for _, key := range keysOf(p.parking.spots) {
		r := model.Parking(p.want.Owner, model.WeightedGroup{Key: key})
		made := p.makes[model.Key{Kind: model.KindRule, ID: model.ParkingID(key)}]
		p.leave(p.lot(edits), Change{
			Key: model.Key{Kind: model.KindRule, ID: model.ParkingID(key)}, After: append([]int{made}, p.parking.uses[key]...),
		}, r)
	}
}

func (p *planner) leave(e *edit, c Change, r model.Rule) int {
	c.Op, c.Action, c.Port, c.Rule = DeleteRule, Delete, e.want.Port, &r
	c.After = slices.Clone(c.After)
	c.Fields = []Field{{Name: "answer", Old: answerText(p.named(r.Actions), nil)}}
	c.Why = "nobody waits for its target group any more"
	return p.add(c)
}

// needsOf are what actions wait for, and the changes that have AWS check it.
func (p *planner) needsOf(actions []model.Action) (needs []Need, after []int) {
	for _, g := range forwards(actions) {
		if need := p.parking.needs[g.Key]; need != nil && g.Key != "" {
			needs = append(needs, *need)
			after = append(after, p.parking.spots[g.Key])
		}
	}
	return needs, after
}

// begin notes that change id has target groups answer requests.
func (p *planner) begin(actions []model.Action, id int) int {
	for _, g := range forwards(actions) {
		if p.parking.uses != nil {
			p.parking.uses[g.Key] = append(p.parking.uses[g.Key], id)
		}
	}
	return id
}

// noteUnchecked says who may meet targets that are not healthy.
func (p *planner) noteUnchecked(key string) {
	hosts := slices.Compact(slices.Sorted(slices.Values(p.parking.hosts[key])))
	p.note("exposed: the load balancer is at its quota, so target group " + key + " is used before AWS has checked its targets: requests for " +
		strings.Join(hosts, ", ") + " may meet 503 for a moment")
}

// releases are what the deletion of a target group waits for: that no node of the load balancer uses it any more, after the rules did not.
func (p *planner) releases(g model.TargetGroup) []Need {
	if p.opts.Met == nil || p.front || p.keep == nil || p.keep.State == "provisioning" || p.want.LoadBalancer == nil {
		return nil
	}
	if len(g.LoadBalancers) > 0 && !slices.Contains(g.LoadBalancers, p.keep.ARN) {
		return nil
	}
	need := Need{Key: targetGroupKey(g.Name), ARN: g.ARN, State: StateReleased}
	if met, _ := p.opts.Met(need); met {
		return nil
	}
	return []Need{need}
}

func keysOf[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
