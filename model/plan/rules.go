package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// resolveEdited gives the references of the wanted rules that AWS does not hold as they are the ARN of what exists. Of the others nobody asks.
func (p *planner) resolveEdited(e *edit) {
	copied := false
	for i := range e.want.Rules {
		if e.match.haveOf[i] >= 0 && e.match.same[i] {
			continue
		}
		if !copied {
			e.want.Rules, copied = slices.Clone(e.want.Rules), true
		}
		e.want.Rules[i].Actions = resolved(e.want.Rules[i].Actions, p.wantedGroup)
	}
}

// ruleKey is the key of a wanted rule. Of rules that are written twice the later ones are told apart.
func (e *edit) ruleKey(want int) model.Key {
	content, twins := model.ContentOf(e.want.Rules[want]), 1
	for i := range want {
		if slices.EqualFunc(e.want.Rules[i].Conditions, e.want.Rules[want].Conditions, model.SameCondition) &&
			model.ContentOf(e.want.Rules[i]).Answer == content.Answer {
			twins++
		}
	}
	key := model.Key{Kind: model.KindRule, ID: content.RuleID(e.want.Port)}
	if twins > 1 {
		key.ID += "-" + digits(twins)
	}
	return key
}

// tagRules adds and removes the tags of the rules that stay. Most have those that they shall have.
func (p *planner) tagRules(e *edit) {
	ours := ownershipTags(p.want.Owner)
	for i, j := range e.match.haveOf {
		if j < 0 || sameTags(e.want.Rules[i].Tags, e.have.Rules[j].Tags, ours) {
			continue
		}
		want, have := e.want.Rules[i], e.have.Rules[j]
		p.tags(owned{
			key: e.ruleKey(i), arn: have.ARN, port: e.want.Port,
			wantTags: userTags(p.want.Owner, want.Tags), haveTags: userTags(p.want.Owner, have.Tags),
		})
	}
}
