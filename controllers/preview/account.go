package preview

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// Account is an AWS account in memory: facts and stacks that are given, changed as [plan.Step] says. It is a [stack.Cloud].
// It is for one goroutine.
type Account struct {
	facts  model.Facts
	stacks map[model.Owner]model.Stack
	// Cut is how many changes are done before one fails; negative for all of them.
	Cut int
	// Changes that were done, in order.
	Changes []plan.Change
}

// NewAccount returns an account that holds stacks.
func NewAccount(facts model.Facts, stacks ...model.Stack) *Account {
	a := &Account{facts: facts, stacks: map[model.Owner]model.Stack{}, Cut: -1}
	for _, s := range stacks {
		a.stacks[s.Owner] = model.Normalize(s)
	}
	return a
}

// errCut is the failure that a plan is cut by.
var errCut = errors.New("the plan is cut here")

// Facts are the given ones, with what the account holds for the owner.
func (a *Account) Facts(_ context.Context, need model.Needs) (model.Facts, error) {
	facts := a.facts
	if lb := a.stacks[need.Owner].LoadBalancer; lb != nil {
		facts.Existing = &model.Existing{
			ARN: lb.ARN, Name: lb.Name, Scheme: lb.Scheme, IPAddressType: lb.IPAddressType, Subnets: slices.Clone(lb.Subnets),
			CustomerOwnedPool: lb.CustomerOwnedPool,
		}
	}
	if front := a.stacks[need.Owner].Frontend; front != nil {
		facts.Frontend = model.ExistingOf(*front)
	}
	for _, g := range a.stacks[model.Owner{Cluster: need.Owner.Cluster}].SecurityGroups {
		if g.ID == model.ResourceBackendSecurityGroup && facts.BackendSecurityGroup == "" {
			facts.BackendSecurityGroup = string(g.ARN)
		}
	}
	return facts, nil
}

// Observe is the owner's stack.
func (a *Account) Observe(_ context.Context, owner model.Owner, _ []model.Key) (model.Stack, error) {
	s, ok := a.stacks[owner]
	if !ok {
		s = model.Stack{Owner: owner}
	}
	return s, nil
}

// Apply makes the changes one by one, until one fails.
func (a *Account) Apply(_ context.Context, p plan.Plan) (model.Outputs, error) {
	s := a.stacks[p.Owner]
	s.Owner = p.Owner
	out := model.Outputs{}
	var failed error
	for _, c := range p.Changes {
		if a.Cut == 0 {
			failed = errCut
			break
		}
		if s, failed = plan.Step(s, c); failed != nil {
			break
		}
		a.Cut--
		a.Changes = append(a.Changes, c)
		out.Done++
	}
	a.stacks[p.Owner] = s
	out.ARNs, out.LoadBalancer = map[model.Key]model.ARN{}, s.LoadBalancer
	for _, part := range s.Parts() {
		arnsOf(part, out.ARNs)
	}
	if s.Frontend != nil {
		out.Frontend = s.Frontend.LoadBalancer
	}
	if failed != nil {
		failed = fmt.Errorf("applying a plan: %w", failed)
	}
	return out, failed
}

// arnsOf adds the ARNs of one part of a stack by key.
func arnsOf(s model.Stack, out map[model.Key]model.ARN) {
	if s.LoadBalancer != nil {
		out[model.Key{Kind: model.KindLoadBalancer, ID: s.LoadBalancer.ID}] = s.LoadBalancer.ARN
	}
	for _, g := range s.SecurityGroups {
		out[model.Key{Kind: model.KindSecurityGroup, ID: g.ID}] = g.ARN
	}
	for _, g := range s.TargetGroups {
		out[model.Key{Kind: model.KindTargetGroup, ID: g.ID}] = g.ARN
	}
	for _, c := range s.Certificates {
		out[c.Key()] = c.ARN
	}
	for _, t := range s.TrustStores {
		out[t.Key()] = t.ARN
	}
	for _, l := range s.Listeners {
		out[plan.KeyOf(s, l)] = l.ARN
		for _, r := range l.Rules {
			out[plan.RuleKey(l.Port, r)] = r.ARN
		}
	}
}

// Onlooker is a cloud whose writes do nothing.
type Onlooker struct{ stack.Cloud }

// made stands for the ID of the shared backend security group while it does not exist.
const made = model.ARN("sg-made")

// Apply does nothing, and says that everything waits.
func (Onlooker) Apply(_ context.Context, p plan.Plan) (model.Outputs, error) {
	out := model.Outputs{ARNs: map[model.Key]model.ARN{}}
	for _, c := range p.Changes {
		if p.Owner.Prefix == "" && c.Op == plan.CreateSecurityGroup {
			out.ARNs[c.Key] = made
			continue
		}
		out.Waiting = append(out.Waiting, model.Waiting{Key: c.Key, For: "approval"})
	}
	return out, nil
}

// Stacks are what the account holds, by owner.
func (a *Account) Stacks() []model.Stack {
	owners := slices.SortedFunc(maps.Keys(a.stacks), func(x, y model.Owner) int { return strings.Compare(x.String(), y.String()) })
	out := make([]model.Stack, 0, len(owners))
	for _, owner := range owners {
		out = append(out, a.stacks[owner])
	}
	return out
}
