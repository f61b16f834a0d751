package build

import (
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// laid is a rule on a port with the member that asked for it; nil of one that is held.
type laid struct {
	rule     model.Rule
	fragment *intent.Fragment
}

// rules of the port in order.
func (one *port) rules() []model.Rule {
	if len(one.laid) == 0 {
		return nil
	}
	out := make([]model.Rule, len(one.laid))
	for i := range one.laid {
		out[i] = one.laid[i].rule
	}
	return out
}

// fold makes one rule of neighbours that answer alike and differ in the values of one condition: (A and x) or (A and y) is A and (x or y),
// and no rule stands between them. Only rules of one member that asks for it are folded, so that each rule keeps its owner.
func (b *builder) fold(one *port) {
	for again := slices.ContainsFunc(one.laid, func(l laid) bool { return l.fragment != nil && l.fragment.Fold }); again; {
		again = false
		var out []laid
		for _, l := range one.laid {
			if n := len(out) - 1; n >= 0 {
				if both, ok := b.folded(out[n], l); ok {
					out[n].rule, again = both, true
					out[n].rule.Tags = b.retagged(one.number, out[n].rule)
					continue
				}
			}
			out = append(out, l)
		}
		one.laid = out
	}
}

// folded is the rule that stands for two neighbours.
func (b *builder) folded(x, y laid) (model.Rule, bool) {
	if x.fragment == nil || x.fragment != y.fragment || !x.fragment.Fold || x.rule.Member != y.rule.Member ||
		model.ContentOf(x.rule).Answer != model.ContentOf(y.rule).Answer || !maps.Equal(b.plainTags(x.rule), b.plainTags(y.rule)) {
		return model.Rule{}, false
	}
	conditions, ok := joinedConditions(x.rule.Conditions, y.rule.Conditions)
	if !ok {
		return model.Rule{}, false
	}
	out := x.rule
	out.Conditions = conditions
	return model.NormalizeRule(out), true
}

// plainTags are the tags of a rule without the one that names the rule.
func (b *builder) plainTags(r model.Rule) map[string]string {
	out := maps.Clone(r.Tags)
	delete(out, b.in.Owner.ResourceTag())
	return out
}

// retagged are the tags of a rule with another content.
func (b *builder) retagged(port int, r model.Rule) map[string]string {
	out := maps.Clone(r.Tags)
	maps.Copy(out, b.in.Owner.Tags(model.RuleID(port, r)))
	return out
}

// joinedConditions are the conditions that hold where one of two lists does; false where that is more than one rule can say.
func joinedConditions(x, y []model.Condition) ([]model.Condition, bool) {
	if len(x) != len(y) {
		return nil, false
	}
	at := -1
	for i := range x {
		if model.SameCondition(x[i], y[i]) {
			continue
		}
		if at >= 0 {
			return nil, false
		}
		at = i
	}
	if at < 0 || !joinable(x[at], y[at]) {
		return nil, false
	}
	out := slices.Clone(x)
	out[at].Values = united(x[at].Values, y[at].Values)
	out[at].Regex = united(x[at].Regex, y[at].Regex)
	out[at].Query = united(x[at].Query, y[at].Query)
	total := 0
	for _, c := range out {
		total += size(c)
	}
	return out, total <= maxValues && !tooWild(out)
}

// joinable tells whether two conditions look at the same and have values of the same sort: AWS takes no regular expressions beside others.
func joinable(a, c model.Condition) bool {
	return a.Field == c.Field && a.Header == c.Header && (len(a.Regex) == 0) == (len(c.Regex) == 0)
}

func united[T comparable](a, c []T) []T {
	out := slices.Clone(a)
	for _, v := range c {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
