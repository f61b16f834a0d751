package lattice

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/vpclattice"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

type rule struct {
	life

	id, arn, title string
	// priority is nil for the default rule.
	priority *int32
	match    types.RuleMatch
	action   types.RuleAction
	fallback bool
}

func (r *rule) name() string { return r.arn }

const (
	ruleKind    = "RULE"
	maxRules    = 10
	maxPriority = 100
	maxBatch    = 5
)

func (m *Mesh) ruleOperations() []wire.Operation {
	const all = " /services/{ServiceIdentifier}/listeners/{ListenerIdentifier}/rules"
	const one = all + "/{RuleIdentifier}"
	return []wire.Operation{
		writes(m, "CreateRule", m.createRule).At("POST"+all, wire.Status(http.StatusCreated)),
		reads(m, "GetRule", m.getRule).At("GET" + one), writes(m, "UpdateRule", m.updateRule).At("PATCH" + one),
		writes(m, "BatchUpdateRule", m.updateRules).At("PATCH" + all),
		writes(m, "DeleteRule", m.deleteRule).At("DELETE"+one, wire.Status(http.StatusNoContent)),
		reads(m, "ListRules", m.listRules).At("GET" + all),
	}
}

// addRule gives a rule its identity and puts it into a listener.
func (m *Mesh) addRule(l *listener, r *rule) *rule {
	r.id = m.id("rule")
	r.arn = l.arn + "/rule/" + r.id
	m.stamp(&r.life, creating)
	l.rules.Put(r.id, r)
	return r
}

// sorted gives the rules by priority, the default rule last.
func (l *listener) sorted() []*rule {
	all := l.rules.Values()
	const last = maxPriority + 1
	rank := func(r *rule) int32 {
		if r.fallback {
			return last
		}
		return *r.priority
	}
	slices.SortStableFunc(all, func(a, b *rule) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}

func (m *Mesh) createRule(in *sdk.CreateRuleInput) (*sdk.CreateRuleOutput, error) {
	s, l, err := m.listenerOf(in.ServiceIdentifier, in.ListenerIdentifier)
	if err != nil {
		return nil, err
	}
	before, input, err := m.repeated(ruleKind, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	r, ok := l.rules.Get(before)
	if !ok {
		if r, err = m.buildRule(s, l, in); err != nil {
			return nil, err
		}
		m.keep(ruleKind, in.ClientToken, made{input, r.id})
	}
	return &sdk.CreateRuleOutput{Action: r.action, Arn: &r.arn, Id: &r.id, Match: r.match, Name: &r.title, Priority: r.priority}, nil
}

func (m *Mesh) buildRule(s *service, l *listener, in *sdk.CreateRuleInput) (*rule, error) {
	const longest = 63
	if err := checkName(in.Name, longest, "rule-"); err != nil {
		return nil, err
	}
	tags, err := m.tagged(in.Tags)
	if err != nil {
		return nil, err
	}
	if l.protocol == types.ListenerProtocolTlsPassthrough {
		return nil, invalid("listenerIdentifier", "A listener of the protocol TLS_PASSTHROUGH has its default rule only")
	}
	r := &rule{title: *in.Name, priority: in.Priority}
	if r.match, err = checkMatch(in.Match); err != nil {
		return nil, err
	}
	if r.action, err = m.action(s, l.protocol, in.Action); err != nil {
		return nil, err
	}
	if err := checkPriority(in.Priority); err != nil {
		return nil, err
	}
	for _, other := range l.rules.All() {
		if other.title == r.title || other.priority != nil && *other.priority == *r.priority {
			return nil, conflict(ruleKind, other.id, "Rule %s has this name or priority already", other.id)
		}
	}
	if l.rules.Len() > maxRules {
		return nil, exceeded(ruleKind, maxRules)
	}
	m.addRule(l, r)
	m.Tags.Put(r.arn, tags)
	return r, nil
}

func checkPriority(p *int32) error {
	if p == nil || *p < 1 || *p > maxPriority {
		return invalid("priority", "A priority is between 1 and %d", maxPriority)
	}
	return nil
}

func showRule(r *rule) types.RuleUpdateSuccess {
	return types.RuleUpdateSuccess{
		Action: r.action, Arn: &r.arn, Id: &r.id, IsDefault: &r.fallback, Match: r.match, Name: &r.title, Priority: r.priority,
	}
}

func (m *Mesh) getRule(in *sdk.GetRuleInput) (*sdk.GetRuleOutput, error) {
	_, l, err := m.listenerOf(in.ServiceIdentifier, in.ListenerIdentifier)
	if err != nil {
		return nil, err
	}
	r, err := find(&l.rules, ruleKind, in.RuleIdentifier)
	if err != nil {
		return nil, err
	}
	return &sdk.GetRuleOutput{
		Action: r.action, Arn: &r.arn, CreatedAt: &r.created, Id: &r.id, IsDefault: &r.fallback, LastUpdatedAt: &r.updated, Match: r.match, Name: &r.title,
		Priority: r.priority,
	}, nil
}

// changed gives a rule as it would be after a change.
func (m *Mesh) changed(s *service, l *listener, u types.RuleUpdate) (*rule, *rule, error) {
	r, err := find(&l.rules, ruleKind, u.RuleIdentifier)
	if err != nil {
		return nil, nil, err
	}
	if r.fallback && (u.Priority != nil || u.Match != nil) {
		return nil, nil, invalid("priority", "Priority and match of a default rule cannot be changed")
	}
	next := *r
	if u.Action != nil {
		if next.action, err = m.action(s, l.protocol, u.Action); err != nil {
			return nil, nil, err
		}
	}
	if u.Match != nil {
		if next.match, err = checkMatch(u.Match); err != nil {
			return nil, nil, err
		}
	}
	if u.Priority != nil {
		next.priority, err = u.Priority, checkPriority(u.Priority)
	}
	next.updated = m.account.Now()
	return r, &next, err
}

// taken reports whether another rule has the priority of one, those in a batch as they would be.
func taken(l *listener, id string, priority *int32, planned map[string]*rule) bool {
	for other, r := range l.rules.All() {
		if next := planned[other]; next != nil {
			r = next
		}
		if other != id && priority != nil && r.priority != nil && *r.priority == *priority {
			return true
		}
	}
	return false
}

func (m *Mesh) updateRule(in *sdk.UpdateRuleInput) (*sdk.UpdateRuleOutput, error) {
	s, l, err := m.listenerOf(in.ServiceIdentifier, in.ListenerIdentifier)
	if err != nil {
		return nil, err
	}
	r, next, err := m.changed(s, l, types.RuleUpdate{RuleIdentifier: in.RuleIdentifier, Action: in.Action, Match: in.Match, Priority: in.Priority})
	if err != nil {
		return nil, err
	}
	if taken(l, r.id, next.priority, nil) {
		return nil, conflict(ruleKind, r.id, "Another rule has the priority %d already", *next.priority)
	}
	*r = *next
	o := showRule(r)
	return &sdk.UpdateRuleOutput{
		Action: o.Action, Arn: o.Arn, Id: o.Id, IsDefault: o.IsDefault, Match: o.Match, Name: o.Name, Priority: o.Priority,
	}, nil
}

func (m *Mesh) updateRules(in *sdk.BatchUpdateRuleInput) (*sdk.BatchUpdateRuleOutput, error) {
	s, l, err := m.listenerOf(in.ServiceIdentifier, in.ListenerIdentifier)
	if err != nil {
		return nil, err
	}
	if n := len(in.Rules); n < 1 || n > maxBatch {
		return nil, invalid("rules", "1 to %d rules must be given", maxBatch)
	}
	out := &sdk.BatchUpdateRuleOutput{Successful: []types.RuleUpdateSuccess{}, Unsuccessful: []types.RuleUpdateFailure{}}
	fail := func(id *string, err error) {
		known := wire.AsError(err)
		out.Unsuccessful = append(out.Unsuccessful, types.RuleUpdateFailure{FailureCode: &known.Code, FailureMessage: &known.Message, RuleIdentifier: id})
	}
	planned := map[string]*rule{}
	for _, u := range in.Rules {
		r, next, err := m.changed(s, l, u)
		switch {
		case err != nil:
			fail(u.RuleIdentifier, err)
		case planned[r.id] != nil:
			fail(u.RuleIdentifier, invalid("rules", "The rule %s is named twice", r.id))
		default:
			planned[r.id] = next
		}
	}
	l.settle(planned, fail)
	for _, r := range l.sorted() {
		if next := planned[r.id]; next != nil {
			*r = *next
			out.Successful = append(out.Successful, showRule(r))
		}
	}
	return out, nil
}

// settle takes out of a batch what would give two rules one priority, until there is nothing more.
func (l *listener) settle(planned map[string]*rule, fail func(*string, error)) {
	for again := true; again; {
		again = false
		for id := range l.rules.All() {
			next := planned[id]
			if next != nil && taken(l, id, next.priority, planned) {
				delete(planned, id)
				fail(aws.String(id), conflict(ruleKind, id, "Another rule has the priority %d already", *next.priority))
				again = true
			}
		}
	}
}

func (m *Mesh) deleteRule(in *sdk.DeleteRuleInput) (*sdk.DeleteRuleOutput, error) {
	_, l, err := m.listenerOf(in.ServiceIdentifier, in.ListenerIdentifier)
	if err != nil {
		return nil, err
	}
	r, err := find(&l.rules, ruleKind, in.RuleIdentifier)
	if err != nil {
		return nil, err
	}
	if r.fallback {
		return nil, invalid("ruleIdentifier", "The default rule cannot be deleted")
	}
	l.rules.Delete(r.id)
	m.Tags.Drop(r.arn)
	return &sdk.DeleteRuleOutput{}, nil
}

func (m *Mesh) listRules(in *sdk.ListRulesInput) (*sdk.ListRulesOutput, error) {
	_, l, err := m.listenerOf(in.ServiceIdentifier, in.ListenerIdentifier)
	if err != nil {
		return nil, err
	}
	items, next, err := cut(l.sorted(), in.MaxResults, in.NextToken, func(r *rule) types.RuleSummary {
		return types.RuleSummary{
			Arn: &r.arn, CreatedAt: &r.created, Id: &r.id, IsDefault: &r.fallback, LastUpdatedAt: &r.updated, Name: &r.title, Priority: r.priority,
		}
	})
	return &sdk.ListRulesOutput{Items: items, NextToken: next}, err
}
