package stack

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// source is where the fragment of a member that is used comes from. A member that is wrong goes down the list.
type source int

const (
	// asWritten: what the member says now.
	asWritten source = iota
	// lastGood: what it said when it was right.
	lastGood
	// held: its observed rules, or 503, under its settings.
	held
	// bare: the same, because its settings are wrong too, without them.
	bare
)

// roster is the members of a stack with what each of them is served by.
type roster struct {
	req  Request
	good map[string]intent.Fragment
	from map[string]source
	// closed are the members that are not served as written, and of whom nothing else is served: they answer 503.
	closed map[string]bool
	// partial are the members of whom only some listeners are wrong, and that have no good state: the others are made.
	partial map[string]bool
	// left are the fragments of the last build with what had no room marked, nil where everything had.
	left []intent.Fragment
	// groups are the IDs of security groups by their Name tags, as far as they are known.
	groups map[string][]string
	// blamed are the settings of members that were found wrong, by the field.
	blamed map[string]map[string]bool
	// facts of the last build, as far as there was one.
	facts model.Facts
	// exposed says that the member that the load balancer belongs to wants a firewall that is not there.
	exposed bool
}

// memberKey names a member in maps and in StackState.
func memberKey(r model.ObjectRef) string { return r.Kind + "/" + r.Namespace + "/" + r.Name }

// newRoster takes the members as they are written. What was good of an object that was deleted since is not that of a new one with
// the same name.
func newRoster(req Request, good map[string]intent.Fragment) *roster {
	r := &roster{req: req, good: maps.Clone(good), from: map[string]source{}, closed: map[string]bool{}, partial: map[string]bool{},
		blamed: map[string]map[string]bool{}}
	for _, f := range req.Intent.Fragments {
		key := memberKey(f.Member)
		if have, ok := r.good[key]; ok && have.Member.UID != f.Member.UID && have.Member.UID != "" && f.Member.UID != "" {
			delete(r.good, key)
		}
	}
	return r
}

// linger has members served by what was good of them, whatever they say now: that is for another stack.
func (r *roster) linger(members []model.ObjectRef) {
	for _, member := range members {
		r.from[memberKey(member)] = lastGood
	}
}

// blame moves every member with a wrong finding one step back: from what it wrote to its last good fragment, from there to its
// observed rules, and where it is the settings that are wrong, to these without the settings. It returns the findings that moved
// somebody. Conflicts count only when nothing else is wrong: the other side of one may be a mistake that goes away.
func (r *roster) blame(findings []model.Finding) []model.Finding {
	plain := slices.DeleteFunc(slices.Clone(findings), isConflict)
	if acted := r.move(plain); len(acted) > 0 {
		return acted
	}
	return r.move(findings)
}

// isConflict tells whether a finding is about two members that exclude each other.
func isConflict(f model.Finding) bool {
	return slices.Contains([]string{"ConflictingSetting", "PortConflict", "DefaultBackendConflict"}, f.Reason)
}

func (r *roster) move(findings []model.Finding) []model.Finding {
	var acted []model.Finding
	for _, f := range r.req.Intent.Fragments {
		key := memberKey(f.Member)
		wrong := wrongs(f, findings)
		if next := r.back(f, r.from[key], wrong); next != r.from[key] {
			r.from[key] = next
			acted = append(acted, wrong...)
		}
	}
	return acted
}

// back is where a member goes for its mistakes.
func (r *roster) back(f intent.Fragment, from source, wrong []model.Finding) source {
	if len(wrong) == 0 || from == bare {
		return from
	}
	if from == held {
		for _, p := range wrong {
			if isSetting(r.req.permitted(r.reference(f)).Settings, p.Field) {
				r.accuse(f.Member, p.Field)
				from = bare
			}
		}
		return from
	}
	_, good := r.good[memberKey(f.Member)]
	switch {
	case good && from == asWritten:
		return lastGood
	case from == asWritten && r.onlyListeners(f, wrong):
		r.partial[memberKey(f.Member)] = true
		return asWritten
	}
	return held
}

// accuse notes a setting that is wrong.
func (r *roster) accuse(member model.ObjectRef, field string) {
	key := memberKey(member)
	if r.blamed[key] == nil {
		r.blamed[key] = map[string]bool{}
	}
	r.blamed[key][field] = true
}

// trusted are the attributes and tags of settings of which others are wrong: they are on what the neighbours have, too. Of attributes some of
// which are wrong those are trusted that AWS has.
func (r *roster) trusted(member model.ObjectRef, s intent.Settings, lb *model.LoadBalancer, into *intent.Settings) {
	blamed := func(name string) bool {
		return r.blamed[memberKey(member)][name] || r.blamed[memberKey(member)][s.Fields[name]]
	}
	into.Fields = s.Fields
	switch {
	case !blamed("attributes"):
		into.Attributes = s.Attributes
	case lb != nil:
		into.Attributes = common(s.Attributes, lb.Attributes)
	}
	if !blamed("tags") {
		into.Tags = s.Tags
	}
}

// common are the values that both have by the same key.
func common(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.DeleteFunc(out, func(k, v string) bool { have, ok := b[k]; return !ok || have != v })
	return out
}

// onlyListeners tells whether the mistakes of the member that the load balancer belongs to, or of one that adds only listeners to it, are all in
// listeners, of which the build leaves out those that are wrong, and some are right: these do not wait for the others.
func (r *roster) onlyListeners(f intent.Fragment, wrong []model.Finding) bool {
	in := func(p model.Finding, l intent.Listener) bool {
		return l.Field != "" && (p.Field == l.Field || strings.HasPrefix(p.Field, l.Field+".")) ||
			p.Field != "" && slices.Contains(slices.Collect(maps.Values(l.Fields)), p.Field)
	}
	// What keeps the certificates of clients from being asked for closes the port, and is no reason to leave anything out.
	wrong = slices.DeleteFunc(slices.Clone(wrong), func(p model.Finding) bool {
		return slices.ContainsFunc(f.Listeners, func(l intent.Listener) bool {
			return l.MutualAuth != nil && l.MutualAuth.Whole && p.Field == l.MutualAuth.Field
		})
	})
	elsewhere := slices.ContainsFunc(wrong, func(p model.Finding) bool {
		return !slices.ContainsFunc(f.Listeners, func(l intent.Listener) bool { return in(p, l) })
	})
	right := slices.ContainsFunc(f.Listeners, func(l intent.Listener) bool {
		return !slices.ContainsFunc(wrong, func(p model.Finding) bool { return in(p, l) })
	})
	return (f.Member.Same(r.req.Anchor) || len(f.Routes) == 0) && right && !elsewhere
}

// wrongs are the mistakes in a fragment: those of its member, and of objects that routes of it come from.
func wrongs(f intent.Fragment, findings []model.Finding) []model.Finding {
	var out []model.Finding
	for _, p := range findings {
		if p.Severity != model.Wrong {
			continue
		}
		if p.Object.Same(f.Member) || slices.ContainsFunc(f.Routes, func(r intent.Route) bool {
			return r.Source.Name != "" && p.Object.Same(r.Source)
		}) {
			out = append(out, p)
		}
	}
	return out
}

// settingNames are the settings of a whole load balancer as the build names them where the member does not.
func settingNames() []string {
	return []string{
		"scheme", "name", "ipAddressType", "subnets", "subnetTags", "securityGroups", "manageBackendRules", "sslRedirectPort", "attributes", "tags",
		string(model.AddonWebACL), string(model.AddonClassicWebACL), string(model.AddonProtection), string(model.AddonCapacity),
		string(model.AddonIPAMPool), intent.FieldCustomerOwnedPool,
	}
}

func isSetting(s intent.Settings, field string) bool {
	return slices.Contains(slices.Collect(maps.Values(s.Fields)), field) || slices.Contains(settingNames(), field)
}

// needObserved tells whether some member is served by its observed rules.
func (r *roster) needObserved() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(r.from)), func(s source) bool { return s >= held })
}

// unfounded says why nothing may be made: the member that the load balancer belongs to is wrong and never was good.
func (r *roster) unfounded() string {
	if r.from[memberKey(r.req.Anchor)] < held {
		return ""
	}
	for _, f := range r.req.Findings {
		if f.Severity == model.Wrong && f.Object.Same(r.req.Anchor) {
			return f.Text()
		}
	}
	return ""
}

// hollow says why nothing may be made: every member is wrong, none ever was good, and there is no load balancer whose rules could be
// held. One that only answers 503 would help nobody, and its settings would be nobody's.
func (r *roster) hollow(observed model.Stack, findings []model.Finding) string {
	if observed.LoadBalancer != nil || len(r.req.Intent.Fragments) == 0 {
		return ""
	}
	if r.from[memberKey(r.req.Anchor)] == bare {
		return told(findings)
	}
	for _, f := range r.req.Intent.Fragments {
		if r.from[memberKey(f.Member)] < held {
			return ""
		}
	}
	return told(findings)
}

// told is the first mistake.
func told(findings []model.Finding) string {
	for _, f := range findings {
		if f.Severity == model.Wrong {
			return f.Text()
		}
	}
	return "no member can be served"
}

// fragments is what the build gets.
func (r *roster) fragments(observed model.Stack) []intent.Fragment {
	out := make([]intent.Fragment, 0, len(r.req.Intent.Fragments))
	first := -1
	r.exposed = false
	for _, f := range r.req.Intent.Fragments {
		key := memberKey(f.Member)
		switch r.from[key] {
		case asWritten:
			out = append(out, f)
		case lastGood:
			out = append(out, r.req.permitted(r.good[key]))
		case held, bare:
			if first < 0 {
				first = len(out)
			}
			for _, h := range r.hold(f, observed) {
				h.Rank = r.reference(f).Rank
				out = append(out, h)
			}
		}
	}
	if first >= 0 {
		keepShape(out, first, observed.LoadBalancer)
	}
	if r.exposed {
		closeAll(out)
	}
	slices.SortStableFunc(out, r.order)
	return out
}

// order is that of the ranks. Where fragments are asked in their order, those of one rank go by name: one whose rank cannot be read came in
// another place.
func (r *roster) order(a, b intent.Fragment) int {
	if a.Rank != b.Rank || r.req.Intent.Order != intent.ByFragment {
		return cmp.Compare(a.Rank, b.Rank)
	}
	return strings.Compare(a.Member.Namespace+"/"+a.Member.Name, b.Member.Namespace+"/"+b.Member.Name)
}

// keepShape keeps what cannot be changed without a loss, scheme and address type, where only a member asked for it of whom this is
// not known now: as a wish of the one at index i.
func keepShape(all []intent.Fragment, i int, lb *model.LoadBalancer) {
	if lb == nil {
		return
	}
	if !slices.ContainsFunc(all, func(f intent.Fragment) bool { return f.Settings.Scheme != "" }) {
		all[i].Settings.Scheme = lb.Scheme
	}
	if !slices.ContainsFunc(all, func(f intent.Fragment) bool { return f.Settings.IPAddressType != "" }) {
		all[i].Settings.IPAddressType = lb.IPAddressType
	}
	keepAddons(all, i, lb)
}

// reference is the fragment that tells what is the member's: the good one where there is one.
func (r *roster) reference(f intent.Fragment) intent.Fragment {
	if good, ok := r.good[memberKey(f.Member)]; ok {
		return good
	}
	return f
}

// keep is what StackState shall hold as good from now on. What members on their way out asked for tells what is theirs.
func (r *roster) keep() map[string]intent.Fragment {
	out := map[string]intent.Fragment{}
	for _, f := range r.req.Intent.Fragments {
		key := memberKey(f.Member)
		if r.from[key] == asWritten && !r.partial[key] {
			out[key] = r.marked(f)
		} else if good, ok := r.good[key]; ok {
			out[key] = good
		}
	}
	for _, member := range r.req.Leaving {
		if good, ok := r.good[memberKey(member)]; ok {
			out[memberKey(member)] = good
		}
	}
	return out
}

// marked is a fragment with what of it had no room in the last build marked as left.
func (r *roster) marked(f intent.Fragment) intent.Fragment {
	i := slices.IndexFunc(r.left, func(o intent.Fragment) bool { return o.Member.Same(f.Member) })
	if i < 0 {
		return f
	}
	return r.left[i]
}

// unknown tells whether of some member it is not remembered what it was served.
func (r *roster) unknown() bool {
	return slices.ContainsFunc(r.req.Intent.Fragments, func(f intent.Fragment) bool {
		_, known := r.good[memberKey(f.Member)]
		return !known
	})
}

// serves tells whether the member's last good state serves, in place of what it says now.
func (r *roster) serves(member model.ObjectRef) bool {
	key := memberKey(member)
	return r.from[key] != asWritten && !r.closed[key]
}

// concerns tells whether a finding of a build says something of what its object wrote: of a member that is not served as written,
// the build saw something else.
func (r *roster) concerns(f model.Finding) bool {
	for _, member := range r.req.Intent.Fragments {
		if f.Object.Same(member.Member) {
			return r.from[memberKey(member.Member)] == asWritten
		}
	}
	return true
}
