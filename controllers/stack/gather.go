package stack

import (
	"context"
	"fmt"
	"slices"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// gather fetches the facts, and makes the shared backend security group when the stack needs it.
func (l *Loop) gather(ctx context.Context, a *attempt, in intent.Intent) error {
	if len(in.Fragments) == 0 {
		return nil
	}
	need := Needs(in)
	need.Missed, need.Replaced = a.missed, a.state.replacedARNs()
	if a.taking != nil && a.taking.seen.LoadBalancer != nil {
		need.Owner = a.taking.from // whose the load balancer is that exists
	}
	facts, err := l.cloud.Facts(ctx, need)
	if rights := missingRights(facts, err); len(rights) > 0 {
		a.findings = merge(a.findings, rightsFindings(in, rights))
	} else if err != nil {
		return fmt.Errorf("reading facts for %s: %w", in.Owner, err)
	}
	a.facts = facts
	if a.req.Policy.Changes != Auto {
		return nil // it is made with the first plan that may be carried out
	}
	return l.ensureBackend(ctx, a)
}

// misses tells whether a run lacked something that may come to be in AWS without anybody telling.
func (a *attempt) misses() bool {
	return a.blocked != "" || slices.ContainsFunc(a.findings, outcome.MayClear)
}

// ensureBackend makes the shared backend security group where the stack needs it and it is not there.
func (l *Loop) ensureBackend(ctx context.Context, a *attempt) error {
	if !a.req.Intent.Defaults.BackendSecurityGroup || a.facts.BackendSecurityGroup != "" || a.facts.VPC.ID == "" {
		return nil
	}
	id, err := l.cluster.EnsureBackend(ctx, a.facts.VPC.ID)
	a.facts.BackendSecurityGroup = id
	return err
}

func (l *Loop) planOptions(a *attempt) plan.Options {
	opts := plan.Options{Applied: a.state.before(), Quotas: a.facts.Quotas, Keep: slices.Concat(a.keep(), l.retiring(a)), Sharing: a.sharing, Met: l.met(a)}
	if a.taking != nil {
		opts.Applied = a.taking.released(opts.Applied, *a.observed)
	}
	return opts
}
